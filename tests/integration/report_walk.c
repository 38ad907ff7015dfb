/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Shows what the reader makes of REPORTs, a line a member and a problem: for tests of the reader
 * alone, with hostile archives, and for looking by hand. Bytes of names are escaped as for a
 * terminal.
 *
 *   member <tab> host <tab> path <tab> bytes <tab> complete|incomplete <tab> FNV-1a of the bytes
 *   host <tab> host <tab> name <tab> taken <tab> known|guessed <tab> inventory|no-inventory
 *   problem <tab> kind <tab> host <tab> path <tab> text
 */
#include <inttypes.h>

#include "analyzer/report/report.h"
#include "common/escape.h"

struct walked {
    unsigned host;
    char *path;
    int64_t bytes;
    uint64_t hash;
};

static void print_escaped(const char *text)
{
    struct strbuf out = STRBUF_INIT;
    escape_terminal(&out, text, strlen(text), false);
    printf("%s", out.data);
    strbuf_release(&out);
}

static void *begin(void *context, const struct member *member)
{
    (void)context;
    struct walked *walked = calloc(1, sizeof *walked);
    if (walked && !(walked->path = strdup(member->path))) {
        free(walked);
        return NULL;
    }
    if (walked) {
        walked->host = member->host;
        walked->hash = 0xcbf29ce484222325u;
    }
    return walked;
}

static int data(void *state, const char *bytes, size_t length, struct err *err)
{
    struct walked *walked = state;
    (void)err;
    walked->bytes += (int64_t)length;
    for (size_t i = 0; i < length; i++)
        walked->hash = (walked->hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return 0;
}

static int end(void *state, bool complete, struct err *err)
{
    struct walked *walked = state;
    (void)err;
    printf("member\t%u\t", walked->host);
    print_escaped(walked->path);
    printf("\t%" PRId64 "\t%s\t%016" PRIx64 "\n", walked->bytes,
           complete ? "complete" : "incomplete", walked->hash);
    free(walked->path);
    free(walked);
    return 0;
}

static void print_set(const struct report_set *set)
{
    for (size_t i = 0; i < report_set_host_count(set); i++) {
        const struct report_host *host = report_set_host(set, i);
        printf("host\t%u\t", host->index);
        print_escaped(host->name);
        printf("\t%" PRId64 "\t%s\t%s\n", host->taken, host->taken_is_known ? "known" : "guessed",
               host->has_inventory ? "inventory" : "no-inventory");
    }
    for (size_t i = 0; i < report_set_problem_count(set); i++) {
        const struct report_problem *problem = report_set_problem(set, i);
        printf("problem\t%s\t%d\t", problem_kind_name(problem->kind), problem->host);
        print_escaped(problem->path);
        printf("\t");
        print_escaped(problem->text);
        printf("\n");
    }
}

/* Exit: 0 all were read, 3 at least one could not be read. */
int main(int argc, char **argv)
{
    const struct report_visitor visitor = {begin, data, end, NULL};
    struct report_set *set;
    struct err err = ERR_INIT;
    char message[1024];
    int status = 0;

    static const struct path_pattern known[] = {{.text = "var/log/kern.log"},
                                                {.text = "var/log/SMlog"}};

    if (report_set_new(NULL, &set, &err) < 0)
        return 3;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (report_set_know(set, &known[i], &err) < 0)
            return 3;
    for (int i = 1; i < argc; i++) {
        if (report_set_read(set, argv[i], &visitor, &err) < 0) {
            fprintf(stderr, "report-walk: %s\n", err_message(&err, message, sizeof message));
            err_clear(&err);
            status = 3;
        }
    }
    if (report_set_finish(set, &err) < 0)
        status = 3;
    print_set(set);
    report_set_free(set);
    return status;
}
