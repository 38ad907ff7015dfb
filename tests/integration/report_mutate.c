/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Damages archives and reads them, many times in one process: what a test of the reader by its
 * exit status would take hours for. The idea is that of libarchive's test_fuzz: a good archive with
 * one byte in a hundred replaced reaches further into a parser than noise does.
 *
 *   report-mutate COUNT SEED FILE...
 *
 * Every member is also given to the tables that are made from it. A round that takes more than five
 * seconds of CPU ends the program; its number is on standard error
 * and the same arguments make the same rounds.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "analyzer/report/report.h"
#include "analyzer/tables/embedded.h"
#include "analyzer/tables/extract.h"
#include "common/io.h"
#include "common/units.h"

#define ROUND_SECONDS    5 /* of CPU */
#define FILE_BYTES_MAX   (4 << 20)
#define TABLES_AT_ONCE   8
#define SHOW_ROUND_EVERY 1000

struct reading {
    struct extraction *extractions[TABLES_AT_ONCE];
    size_t count;
};

static struct table_set *tables;
static _Atomic unsigned long rows, members;
static volatile sig_atomic_t round_number;

/* splitmix64: small, and the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int count_row(void *context, const struct table *table, int64_t line,
                     const struct cell *cells, struct err *err)
{
    (void)context;
    (void)table;
    (void)line;
    (void)cells;
    (void)err;
    rows++;
    return 0;
}

static void *begin(void *context, const struct member *member)
{
    (void)context;
    struct reading *reading = calloc(1, sizeof *reading);
    members++;
    for (size_t i = 0; reading && i < table_set_count(tables); i++) {
        const struct table *table = table_set_at(tables, i);
        if (table->leader == table && reading->count < TABLES_AT_ONCE &&
            extraction_begin(table, member->logical, count_row, NULL,
                             &reading->extractions[reading->count], NULL) == 0)
            reading->count++;
    }
    return reading;
}

static int data(void *state, const char *bytes, size_t length, struct err *err)
{
    struct reading *reading = state;
    int r = 0;
    for (size_t i = 0; r == 0 && i < reading->count; i++)
        r = extraction_feed(reading->extractions[i], bytes, length, err);
    return r;
}

static int end(void *state, bool complete, struct err *err)
{
    struct reading *reading = state;
    (void)complete;
    for (size_t i = 0; i < reading->count; i++) {
        bool timed_out, malformed;
        extraction_end(reading->extractions[i], &timed_out, &malformed, err);
        extraction_free(reading->extractions[i]);
    }
    free(reading);
    return 0;
}

/* A few bytes, one in a hundred, a piece moved, or the end cut off. */
static size_t damage(char *bytes, size_t length, uint64_t *state)
{
    uint64_t kind = next_random(state) % 8;
    size_t changes = kind < 3 ? 1 + next_random(state) % 8 : length / 100 + 1;
    if (kind == 7 && length > 1)
        return next_random(state) % length;
    if (kind == 6 && length > 64) {
        size_t piece = 1 + next_random(state) % 64;
        memmove(bytes + next_random(state) % (length - piece),
                bytes + next_random(state) % (length - piece), piece);
        return length;
    }
    for (size_t i = 0; i < changes && length > 0; i++)
        bytes[next_random(state) % length] = (char)next_random(state);
    return length;
}

static int read_damaged(const struct strbuf *seed, uint64_t *state, struct err *err)
{
    static const struct report_visitor visitor = {begin, data, end, NULL};
    struct report_limits limits = report_default_limits;
    limits.total_bytes = 64 << 20; /* bombs have their own tests */
    limits.entries = 2000;
    char path[32];
    struct report_set *set;
    CLEANUP_FREE char *bytes = malloc(seed->length + 1);
    if (!bytes)
        return err_nomem(err);
    memcpy(bytes, seed->data, seed->length);
    size_t length = damage(bytes, seed->length, state);
    CLEANUP_FD int fd = memfd_create("damaged", MFD_CLOEXEC);
    if (fd < 0 || io_write_all(fd, bytes, length) < 0)
        return err_set_errno(err, errno, "cannot write a damaged archive");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int r = report_set_new(&limits, &set, err);
    if (r < 0)
        return r;
    report_set_read(set, path, &visitor, NULL);
    r = report_set_finish(set, err);
    report_set_free(set);
    return r;
}

static void on_alarm(int number)
{
    char text[] = "report-mutate: a round takes too long: 000000000\n";
    long round = round_number;
    (void)number;
    for (char *p = text + sizeof text - 3; round > 0; round /= 10)
        *p-- = (char)('0' + round % 10);
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(2);
    abort();
}

static int load_seeds(char **paths, int count, struct strbuf *ret, struct err *err)
{
    for (int i = 0; i < count; i++) {
        ret[i] = (struct strbuf)STRBUF_INIT;
        int r = io_read_file(AT_FDCWD, paths[i], FILE_BYTES_MAX, &ret[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int run(int64_t rounds, uint64_t seed, char **paths, int path_count, struct err *err)
{
    static const struct itimerval limit = {.it_value.tv_sec = ROUND_SECONDS};
    CLEANUP_FREE struct strbuf *seeds = calloc((size_t)path_count, sizeof *seeds);
    if (!seeds)
        return err_nomem(err);
    int r = load_seeds(paths, path_count, seeds, err);
    signal(SIGPROF, on_alarm);
    for (int64_t i = 0; r == 0 && i < rounds; i++) {
        uint64_t state = seed + (uint64_t)i * 0x632be59bd9b4e019u;
        round_number = (sig_atomic_t)i;
        setitimer(ITIMER_PROF, &limit, NULL);
        r = read_damaged(&seeds[next_random(&state) % (uint64_t)path_count], &state, err);
        if (i % SHOW_ROUND_EVERY == SHOW_ROUND_EVERY - 1)
            fprintf(stderr, "%" PRId64 " rounds\n", i + 1);
    }
    for (int i = 0; i < path_count; i++)
        strbuf_release(&seeds[i]);
    return r;
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    char message[1024];
    if (argc < 4) {
        fprintf(stderr, "Usage: report-mutate COUNT SEED FILE...\n");
        return 2;
    }
    int64_t rounds = strtoll(argv[1], NULL, 10);
    int r = table_set_load(embedded_tables, NULL, &tables, &err);
    if (r == 0)
        r = run(rounds, strtoull(argv[2], NULL, 10), argv + 3, argc - 3, &err);
    if (r < 0) {
        fprintf(stderr, "report-mutate: %s\n", err_message(&err, message, sizeof message));
        return 1;
    }
    printf("%" PRId64 " rounds, %lu members, %lu rows\n", rounds, members, rows);
    table_set_free(tables);
    return 0;
}
