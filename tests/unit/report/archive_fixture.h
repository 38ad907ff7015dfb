/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * For tests of the reader: makes archives of a list of files, and collects what the reader shows of
 * them.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <zlib.h>

#include "analyzer/report/report.h"
#include "common/io.h"
#include "common/vec.h"

struct source_file {
    const char *name;
    const char *data;
    size_t length; /* 0: data is text */
    time_t modified;
};

#define FIXTURE_TIME 1740990000 /* of files that do not say */

static inline la_ssize_t append(struct archive *archive, void *context, const void *bytes,
                                size_t length)
{
    (void)archive;
    strbuf_add(context, bytes, length);
    return (la_ssize_t)length;
}

/* An archive in a buffer. `filter` is an ARCHIVE_FILTER_ code. */
static inline struct strbuf pack(int format, int filter, const struct source_file *files,
                                 size_t count)
{
    struct strbuf out = STRBUF_INIT;
    struct archive *archive = archive_write_new();
    assert_int_equal(archive_write_set_format(archive, format), ARCHIVE_OK);
    assert_int_equal(archive_write_add_filter(archive, filter), ARCHIVE_OK);
    archive_write_set_bytes_in_last_block(archive, 1);
    assert_int_equal(archive_write_open(archive, &out, NULL, append, NULL), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        size_t length = files[i].length ? files[i].length : strlen(files[i].data);
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, files[i].name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, (la_int64_t)length);
        archive_entry_set_mtime(entry, files[i].modified ? files[i].modified : FIXTURE_TIME, 0);
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(archive, files[i].data, length), length);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    assert_true(strbuf_ok(&out));
    return out;
}

#define PACK(format, filter, files) pack(format, filter, files, ARRAY_SIZE(files))
#define TAR(files)                  PACK(ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE, files)
#define ZIP(files)                  PACK(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, files)

static inline struct strbuf gzip_of(const char *data, size_t length)
{
    struct strbuf out = STRBUF_INIT;
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t bound = deflateBound(&z, length);
    assert_true(strbuf_reserve(&out, bound));
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)length;
    z.next_out = (Bytef *)out.data;
    z.avail_out = (uInt)bound;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.length = z.total_out;
    deflateEnd(&z);
    return out;
}

/* Group fixture: the tests run in a folder of their own, as several programs of tests run at once.
 */
static char fixture_folder[] = "/tmp/xenhealth-report-XXXXXX";

static inline int fixture_enter(void **state)
{
    (void)state;
    return mkdtemp(fixture_folder) && chdir(fixture_folder) == 0 ? 0 : -1;
}

static inline int fixture_leave(void **state)
{
    (void)state;
    return chdir("/") == 0 ? rmdir(fixture_folder) : -1;
}

struct seen_member {
    unsigned host;
    char *path, *logical;
    struct strbuf bytes;
    bool complete;
    size_t smallest; /* block but the last */
    size_t last;
};

struct reading {
    struct report_set *set;
    VEC(struct seen_member *) seen;
    const char *unwanted; /* path that begin() declines */
    struct err err;
    int rc;
};

static inline void *seen_begin(void *context, const struct member *member)
{
    struct reading *reading = context;
    if (reading->unwanted && strcmp(reading->unwanted, member->path) == 0)
        return NULL;
    struct seen_member *seen = calloc(1, sizeof *seen);
    assert_non_null(seen);
    *seen = (struct seen_member){member->host,
                                 strdup(member->path),
                                 strdup(member->logical),
                                 STRBUF_INIT,
                                 false,
                                 SIZE_MAX,
                                 0};
    struct seen_member **slot = vec_push(&reading->seen);
    assert_non_null(slot);
    return *slot = seen;
}

static inline int seen_data(void *state, const char *bytes, size_t length, struct err *err)
{
    struct seen_member *seen = state;
    if (strcmp(seen->path, "var/log/poison") == 0)
        return err_set(err, ERR_CANCELLED, "poisoned");
    if (seen->last > 0 && seen->last < seen->smallest)
        seen->smallest = seen->last;
    seen->last = length;
    strbuf_add(&seen->bytes, bytes, length);
    return 0;
}

static inline int seen_end(void *state, bool complete, struct err *err)
{
    (void)err;
    ((struct seen_member *)state)->complete = complete;
    return 0;
}

static inline void reading_start(struct reading *reading, const struct report_limits *limits)
{
    *reading = (struct reading){0};
    assert_int_equal(report_set_new(limits, &reading->set, &reading->err), 0);
}

static inline void reading_path(struct reading *reading, const char *path)
{
    const struct report_visitor visitor = {seen_begin, seen_data, seen_end, reading};
    reading->rc = report_set_read(reading->set, path, &visitor, &reading->err);
}

/* Reads the bytes as a file called `name` in the working directory. */
static inline void reading_bytes(struct reading *reading, const char *name,
                                 const struct strbuf *bytes)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, bytes->data, bytes->length), 0);
    close(fd);
    reading_path(reading, name);
    unlink(name);
}

static inline void reading_finish(struct reading *reading)
{
    assert_int_equal(report_set_finish(reading->set, &reading->err), 0);
}

static inline void reading_end(struct reading *reading)
{
    for (size_t i = 0; i < reading->seen.count; i++) {
        struct seen_member *seen = reading->seen.items[i];
        free(seen->path);
        free(seen->logical);
        strbuf_release(&seen->bytes);
        free(seen);
    }
    vec_free(&reading->seen);
    report_set_free(reading->set);
}

static inline const struct seen_member *find_member(const struct reading *reading, unsigned host,
                                                    const char *path)
{
    for (size_t i = 0; i < reading->seen.count; i++)
        if (reading->seen.items[i]->host == host && strcmp(reading->seen.items[i]->path, path) == 0)
            return reading->seen.items[i];
    return NULL;
}

static inline void assert_member(const struct reading *reading, unsigned host, const char *path,
                                 const char *text)
{
    const struct seen_member *seen = find_member(reading, host, path);
    if (!seen)
        fail_msg("no member '%s' of host %u", path, host);
    assert_true(seen->complete);
    assert_string_equal(seen->bytes.data, text);
}

static inline const struct report_problem *find_problem(const struct reading *reading,
                                                        enum problem_kind kind, const char *text)
{
    for (size_t i = 0; i < report_set_problem_count(reading->set); i++) {
        const struct report_problem *problem = report_set_problem(reading->set, i);
        if (problem->kind == kind && strstr(problem->text, text))
            return problem;
    }
    return NULL;
}
