/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * For tests of the queue: a spool in a folder of its own, and a send that does what the test says.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "common/io.h"
#include "upload/spool/spool.h"

/* A send that does as told, and remembers what it was given. */
static struct fake {
    int result;
    struct spool_sent sent;
    unsigned calls;
    char files[8][64];
    void (*meanwhile)(void);
} fake;

static char *top, *folder;
static struct spool *spool;

static inline int forget(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info, (void)type, (void)ftw;
    return remove(path);
}

static inline int make(void **state)
{
    (void)state;
    fake = (struct fake){0};
    static char template[64];
    snprintf(template, sizeof template, "/tmp/test-spool-XXXXXX");
    top = mkdtemp(template);
    return asprintf(&folder, "%s/spool", top) < 0 || spool_open(folder, true, NULL, &spool, NULL);
}

static inline int clean(void **state)
{
    (void)state;
    spool = spool_close(spool);
    free(folder);
    return nftw(top, forget, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void reopen(const struct spool_limits *limits)
{
    spool = spool_close(spool);
    assert_int_equal(spool_open(folder, false, limits, &spool, NULL), 0);
}

/* Paths below the spool; the buffer is good until the next call. */
static const char *at(const char *part, const char *name, const char *suffix)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/%s%s", folder, part, name, suffix);
    return path;
}

static inline void put(const char *path, const char *text)
{
    unlink(path);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

static const char *report(const char *name, const char *text)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", top, name);
    put(path, text);
    return path;
}

static inline int try_add(const char *file, const char *url, enum spool_added *ret, char id[33],
                          struct err *err)
{
    struct job job = JOB_INIT;
    assert_int_equal(job_set_text(&job.file, file, NULL), 0);
    assert_int_equal(job_set_text(&job.url, url, NULL), 0);
    assert_int_equal(job_set_option(&job, "rate", "1000", NULL), 0);
    assert_int_equal(job_set_text(&job.credential, "site", NULL), 0);
    int r = spool_add(spool, &job, ret, err);
    if (r == 0 && id)
        snprintf(id, 33, "%s", job.id);
    job_release(&job);
    return r;
}

#define URL "file:///there"

static inline enum spool_added add(const char *name, const char *text, char id[33])
{
    enum spool_added what = SPOOL_DONE;
    struct err err = ERR_INIT;
    if (try_add(report(name, text), URL, &what, id, &err) < 0)
        fail_msg("%s", err.text);
    return what;
}

static inline int fake_send(void *context, const struct job *job, struct source *source,
                            struct spool_sent *sent, struct err *err)
{
    assert_ptr_equal(context, &fake);
    assert_string_equal(source_sha256(source), job->sha256);
    snprintf(fake.files[fake.calls++ % 8], 64, "%s", strrchr(job->file, '/') + 1);
    if (fake.meanwhile)
        fake.meanwhile();
    int64_t retry_after = fake.sent.retry_after_s;
    *sent = fake.sent;
    sent->retry_after_s = retry_after ? retry_after : -1;
    return fake.result == 0 ? 0 : err_set(err, fake.result, "the server said no");
}

static char said[4][600];
static unsigned said_count;

static inline void remember(void *context, const struct job *job, const char *line)
{
    (void)context, (void)job;
    snprintf(said[said_count++ % 4], sizeof said[0], "%s", line);
}

static inline struct spool_worked work_with(int result, bool retry_denied, int expected)
{
    struct spool_worked worked;
    const struct spool_worker worker = {
        .send = fake_send, .say = remember, .context = &fake, .retry_denied = retry_denied};
    fake.result = result;
    fake.calls = said_count = 0;
    struct err err = ERR_INIT;
    int r = spool_work(spool, &worker, &worked, &err);
    if (r != expected)
        fail_msg("%d: %s", r, err.text);
    return worked;
}

static inline struct spool_worked work(int result)
{
    return work_with(result, false, 0);
}

static inline struct spool_list listed(void)
{
    struct spool_list list;
    assert_int_equal(spool_list(spool, &list, NULL), 0);
    return list;
}

/* Changes the one job's file as text, as time or a person would. */
static inline void edit(const char *id, const char *from, const char *to)
{
    char path[PATH_MAX];
    struct strbuf text = STRBUF_INIT, changed = STRBUF_INIT;
    snprintf(path, sizeof path, "%s", at("jobs", id, ".json"));
    assert_int_equal(io_read_file(AT_FDCWD, path, JOB_MAX_BYTES, &text, NULL), 0);
    char *place = strstr(text.data, from);
    assert_non_null(place);
    strbuf_add(&changed, text.data, (size_t)(place - text.data));
    strbuf_adds(&changed, to);
    strbuf_adds(&changed, place + strcspn(place, ",\n"));
    put(path, changed.data);
    strbuf_release(&text);
    strbuf_release(&changed);
}

static inline unsigned dropped(void)
{
    unsigned count = 99;
    assert_int_equal(spool_drop(spool, &count, NULL), 0);
    return count;
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, make, clean)
