/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Preloaded into xen-analyze by queries.py: tells on standard error what each statement cost, as
 * "@query SECONDS" and a line of its text with \n for line breaks. SQLite's own profile has the time of the
 * wall, which on a machine that is not idle says little; this is time of the processor, with what is done
 * about the rows in between.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>

static struct {
    void *statement;
    double begun;
} running[16];

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int on_event(unsigned event, void *context, void *statement, void *detail)
{
    (void)context;
    size_t free_one = 0;
    for (size_t i = 0; i < sizeof running / sizeof *running; i++) {
        if (running[i].statement == statement && event == SQLITE_TRACE_PROFILE) {
            running[i].statement = NULL;
            fprintf(stderr, "@query %.6f ", now() - running[i].begun);
            for (const char *p = sqlite3_sql(statement); p && *p; p++)
                fputs(*p == '\n' ? "\\n" : (char[2]){*p}, stderr);
            fputc('\n', stderr);
        }
        if (!running[i].statement)
            free_one = i;
    }
    if (event == SQLITE_TRACE_STMT && sqlite3_stmt_readonly(statement) && *(const char *)detail != '-')
        running[free_one].statement = statement, running[free_one].begun = now();
    return 0;
}

int sqlite3_open_v2(const char *name, sqlite3 **ret, int flags, const char *vfs)
{
    int (*next)(const char *, sqlite3 **, int, const char *) = dlsym(RTLD_NEXT, "sqlite3_open_v2");
    int rc = next(name, ret, flags, vfs);
    if (rc == SQLITE_OK)
        sqlite3_trace_v2(*ret, SQLITE_TRACE_STMT | SQLITE_TRACE_PROFILE, on_event, NULL);
    return rc;
}
