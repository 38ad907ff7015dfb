/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Each function runs in a child of the spawner, writes to descriptor 1 and returns an exit status,
 * like a program. Nothing of the parent is at hand but the context.
 *
 * `expand` and `read-file` are the collector's own; the others can be named in the catalog.
 */
#include "collector/sources/functions.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>

#include "collector/sources/read_child.h"
#include "collector/sources/xapi_functions.h"
#include "common/io.h"
#include "common/vec.h"

#define MAX_PROCESSES      32768
#define MAX_MODULES        2000
#define COMMAND_LINE_BYTES 4096 /* of one process in fd_usage */

static int run_expand(void *context, int argc, const char *const *argv)
{
    const struct function_context *c = context;
    return expand_child(&c->expansion, argc, argv);
}

static int run_read_file(void *context, int argc, const char *const *argv)
{
    const struct function_context *c = context;
    return read_child(c->root, argc, argv);
}

/* A path below the root. */
static void below(const struct function_context *c, const char *path, char *ret, size_t size)
{
    snprintf(ret, size, "%s%s", strcmp(c->root, "/") == 0 ? "" : c->root, path);
}

static void print_first_line(const char *before, const char *path)
{
    struct strbuf text = STRBUF_INIT;
    if (io_read_file(AT_FDCWD, path, 4096, &text, NULL) == 0)
        printf("%s%.*s", before, (int)strcspn(text.data, "\n"), text.data);
    strbuf_release(&text);
}

/* "host0:" and, indented, driver and model (form of the original). */
static int run_scsi_hosts(void *context, int argc, const char *const *argv)
{
    (void)argc;
    (void)argv;
    char folder[PATH_MAX], path[PATH_MAX + 300];
    below(context, "/sys/class/scsi_host", folder, sizeof folder);
    struct dirent **found = NULL;
    int count = scandir(folder, &found, NULL, versionsort);
    for (int i = 0; i < count; i++) {
        if (found[i]->d_name[0] != '.') {
            printf("%s:\n", found[i]->d_name);
            snprintf(path, sizeof path, "%s/%s/proc_name", folder, found[i]->d_name);
            print_first_line("    ", path);
            snprintf(path, sizeof path, "%s/%s/model_name", folder, found[i]->d_name);
            print_first_line(" -> ", path);
            putchar('\n');
        }
        free(found[i]);
    }
    free(found);
    return fflush(stdout) == 0 ? 0 : 1;
}

struct process {
    char pid[16];
    unsigned files; /* open descriptors */
};

static unsigned count_entries(DIR *proc, const char *folder)
{
    int fd = openat(dirfd(proc), folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_DIR DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    unsigned count = 0;
    struct dirent *entry;
    while (stream && (entry = readdir(stream)))
        count += entry->d_name[0] != '.';
    return count;
}

static int by_files(const void *left, const void *right)
{
    const struct process *a = left, *b = right;
    return a->files != b->files ? (a->files < b->files) - (a->files > b->files)
                                : strverscmp(a->pid, b->pid);
}

/* The arguments as Python shows a list of them: the form of the original's fd_usage.out. */
static void print_command_line(DIR *proc, const char *pid)
{
    char path[32];
    struct strbuf text = STRBUF_INIT;
    snprintf(path, sizeof path, "%s/cmdline", pid);
    CLEANUP_FD int fd = openat(dirfd(proc), path, O_RDONLY | O_CLOEXEC);
    char bytes[COMMAND_LINE_BYTES];
    ssize_t length = fd < 0 ? 0 : read(fd, bytes, sizeof bytes);
    for (ssize_t i = 0; i < length; i++) {
        if (i == 0 || bytes[i - 1] == '\0')
            strbuf_adds(&text, i ? ", '" : "'");
        if (bytes[i] == '\0')
            strbuf_adds(&text, "'");
        else if (isprint((unsigned char)bytes[i]) && bytes[i] != '\'' && bytes[i] != '\\')
            strbuf_addc(&text, bytes[i]);
        else
            strbuf_addf(&text, "\\x%02x", (unsigned char)bytes[i]);
    }
    if (length > 0 && bytes[length - 1] != '\0')
        strbuf_adds(&text, "'");
    printf("[%s]", text.data);
    strbuf_release(&text);
}

/* "number of open files: [command lines]", most first. */
static int run_fd_usage(void *context, int argc, const char *const *argv)
{
    (void)context;
    (void)argc;
    (void)argv;
    CLEANUP_DIR DIR *proc = opendir("/proc");
    VEC(struct process) list = {0};
    struct dirent *entry;
    while (proc && (entry = readdir(proc)) && list.count < MAX_PROCESSES) {
        char folder[NAME_MAX + 8];
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        struct process *process = vec_push(&list);
        if (!process)
            break;
        snprintf(process->pid, sizeof process->pid, "%s", entry->d_name);
        snprintf(folder, sizeof folder, "%s/fd", entry->d_name);
        process->files = count_entries(proc, folder);
    }
    if (list.count)
        qsort(list.items, list.count, sizeof *list.items, by_files);
    for (size_t i = 0; i < list.count; i++) {
        printf("%u: ", list.items[i].files);
        print_command_line(proc, list.items[i].pid);
        putchar('\n');
    }
    vec_free(&list);
    return fflush(stdout) == 0 ? 0 : 1;
}

/* modinfo takes many names at once: one process instead of one a module. */
static int run_modinfo(void *context, int argc, const char *const *argv)
{
    (void)context;
    (void)argc;
    (void)argv;
    CLEANUP_FILE FILE *modules = fopen("/proc/modules", "re");
    const char *arguments[MAX_MODULES + 2] = {"modinfo"};
    size_t count = 1;
    char *line = NULL;
    size_t size = 0;
    while (modules && getline(&line, &size, modules) > 0 && count <= MAX_MODULES) {
        line[strcspn(line, " \n")] = '\0';
        if (line[0] != '-' && !(arguments[count++] = strdup(line)))
            break;
    }
    free(line);
    if (count == 1)
        return 0;
    execvp("modinfo", (char *const *)arguments);
    fprintf(stderr, "cannot run modinfo\n");
    return 127;
}

/* The path of the database: first line "[/path]" of db.conf. False when there is none. */
static bool database_path(const struct function_context *c, char *ret, size_t size)
{
    char path[PATH_MAX];
    struct strbuf text = STRBUF_INIT;
    below(c, "/etc/xensource/db.conf", path, sizeof path);
    bool found = false;
    char *save = NULL;
    if (io_read_file(AT_FDCWD, path, 1024 * 1024, &text, NULL) == 0 && text.length)
        for (char *line = strtok_r(text.data, "\n", &save); line && !found;
             line = strtok_r(NULL, "\n", &save)) {
            size_t length = strlen(line);
            found = length > 2 && line[0] == '[' && line[1] == '/' && line[length - 1] == ']';
            if (found)
                snprintf(ret, size, "%.*s", (int)length - 2, line + 1);
        }
    strbuf_release(&text);
    return found;
}

static int run_xapi_db(void *context, int argc, const char *const *argv)
{
    (void)argc;
    (void)argv;
    const struct function_context *c = context;
    char path[PATH_MAX];
    if (!database_path(c, path, sizeof path)) {
        fprintf(stderr, "/etc/xensource/db.conf does not exist or names no database\n");
        return READ_CHILD_MISSING;
    }
    const char *const arguments[] = {"read-file", path, "-1", NULL};
    return read_child(c->root, 3, arguments);
}

const struct spawner_function collector_functions[] = {
    {"expand", run_expand},
    {"read-file", run_read_file},
    {"scsi_hosts", run_scsi_hosts},
    {"fd_usage", run_fd_usage},
    {"modinfo", run_modinfo},
    {"xapi_db", run_xapi_db},
    {"xapi_get", run_xapi_get},
    {"xapi_subprocesses", run_xapi_subprocesses},
    {NULL, NULL},
};

static const struct {
    const char *name;
    bool reads_files_only;
} catalog_functions[] = {
    {"scsi_hosts", true}, {"fd_usage", false}, {"modinfo", false},
    {"xapi_db", true},    {"xapi_get", false}, {"xapi_subprocesses", false}};

bool function_exists(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(catalog_functions); i++)
        if (strcmp(catalog_functions[i].name, name) == 0)
            return true;
    return false;
}

bool function_reads_files_only(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(catalog_functions); i++)
        if (strcmp(catalog_functions[i].name, name) == 0)
            return catalog_functions[i].reads_files_only;
    return false;
}
