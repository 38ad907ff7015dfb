/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Three ways of reading a member, which all show the same:
 *
 *   a range of a file     a job does everything: reading, inflating, the visitor's work
 *   a piece of a stream   the thread that reads unpacks it, a job does the visitor's work
 *   the same, at once     without threads, and for files that the reader itself needs
 */
#include "analyzer/report/member_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/report/crew.h"
#include "analyzer/report/gzip_stream.h"
#include "analyzer/report/unpacker.h"
#include "common/io.h"

/* Visitors get blocks of at least this size (but for the last), since each call has a price. */
#define GATHER_SIZE (64 * 1024)

DEFINE_CLEANUP(unpacker_cleanup, struct unpacker *, unpacker_free)
DEFINE_CLEANUP(gzip_cleanup, struct gzip_stream *, gzip_stream_free)
DEFINE_CLEANUP(range_cleanup, struct range_stream *, range_stream_free)

struct member_job {
    struct report_set *set;
    struct source_state *source;
    struct host_state *host;
    struct job *job;
    const struct report_visitor *visitor;
    void *state; /* the visitor's, NULL when it does not want the bytes */
    struct capture *capture;
    enum compression compression;
    struct range range; /* of a range job; the fd is its own unless it is a zip's member */
    struct budget_branch branch;
    char path[];
};

/* --- What all ways share */

static int show(struct member_job *member, const char *bytes, size_t length, struct err *err)
{
    return member->state ? member->visitor->data(member->state, bytes, length, err) : 0;
}

/* end() is owed to every member that was begun. */
static int finish(struct member_job *member, bool is_complete, int rc, struct err *err)
{
    struct err ignored = ERR_INIT;
    if (!member->state)
        return rc;
    int end_rc = member->visitor->end(TAKE(member->state), is_complete && rc == 0,
                                      rc == 0 ? err : &ignored);
    return rc == 0 ? end_rc : rc;
}

/* In the member's place in the order. */
static void conclude(struct member_job *member, int64_t bytes, struct failure *failure)
{
    member->host->report.bytes += bytes;
    member->source->report.bytes += bytes;
    capture_end(TAKE(member->capture), !failure->failed);
    if (failure->failed && failure_claim_report(failure))
        set_problem(member->set, failure->kind, (int)member->host->report.index, member->path,
                    "%s", failure->text);
}

static void retire(void *context)
{
    struct member_job *member = context;
    capture_discard(member->capture);
    if (member->range.length == RANGE_TO_END && member->range.fd >= 0)
        close(member->range.fd);
    free(member);
}

/* --- A range of a file */

/* Bytes for the capture, which the thread that reads looks at. */
struct excerpt {
    struct parcel parcel; /* first */
    struct member_job *member;
    size_t length;
    char bytes[];
};

static int deliver_excerpt(struct parcel *parcel, struct err *err)
{
    (void)err;
    struct excerpt *excerpt = (struct excerpt *)parcel;
    capture_data(excerpt->member->capture, excerpt->bytes, excerpt->length);
    return 0;
}

static void dispose(struct parcel *parcel)
{
    free(parcel);
}

static int send_excerpt(struct member_job *member, const char *bytes, size_t length,
                        struct err *err)
{
    struct excerpt *excerpt = malloc(sizeof *excerpt + length);
    if (!excerpt)
        return err_nomem(err);
    excerpt->parcel = (struct parcel){
        .size = sizeof *excerpt + length, .deliver = deliver_excerpt, .dispose = dispose};
    excerpt->member = member;
    excerpt->length = length;
    memcpy(excerpt->bytes, bytes, length);
    return outbox_post(job_outbox(member->job), &excerpt->parcel, err);
}

/* How it ended. */
struct conclusion {
    struct parcel parcel; /* first */
    struct member_job *member;
    int64_t bytes;
    struct failure failure;
};

static int deliver_conclusion(struct parcel *parcel, struct err *err)
{
    (void)err;
    struct conclusion *conclusion = (struct conclusion *)parcel;
    conclude(conclusion->member, conclusion->bytes, &conclusion->failure);
    return 0;
}

static int send_conclusion(struct member_job *member, int64_t bytes, const struct failure *failure,
                           struct err *err)
{
    struct conclusion *conclusion = malloc(sizeof *conclusion);
    if (!conclusion)
        return err_nomem(err);
    *conclusion = (struct conclusion){
        .parcel = {.size = sizeof *conclusion, .deliver = deliver_conclusion, .dispose = dispose},
        .member = member,
        .bytes = bytes,
        .failure = *failure,
    };
    conclusion->failure.origin = NULL; /* it is below this job's streams, which are gone by then */
    return outbox_post(job_outbox(member->job), &conclusion->parcel, err);
}

/* The run's budget is gone: nothing that was read beyond this place counts. */
static void on_spent(void *context, struct failure *failure)
{
    struct member_job *member = context;
    crew_drop_rest(member->set->crew);
    if (failure_claim_report(failure))
        set_problem(member->set, failure->kind, (int)member->host->report.index, member->path,
                    "%s", failure->text);
}

static int read_range(struct member_job *member, int64_t *ret_bytes, struct failure *ret_failure,
                      struct err *err)
{
    CLEANUP(range_cleanup) struct range_stream *range = NULL;
    CLEANUP(gzip_cleanup) struct gzip_stream *gzip = NULL;
    struct budget budget;
    budget_branch(&budget, &member->branch);
    int rc = range_stream_new(&member->range, &budget, &range, err);
    if (rc == 0 && member->compression == COMPRESSION_GZIP)
        rc = gzip_stream_new(range_stream_data(range), &budget, &gzip, err);
    if (rc < 0)
        return rc;
    struct stream *stream = gzip ? gzip_stream_data(gzip) : range_stream_data(range);
    const char *bytes;
    int64_t n;
    while (rc == 0 && (n = stream_read(stream, &bytes)) > 0) {
        *ret_bytes += n;
        if (member->capture)
            rc = send_excerpt(member, bytes, (size_t)n, err);
        if (rc == 0)
            rc = show(member, bytes, (size_t)n, err);
    }
    *ret_failure = stream->failure;
    return rc;
}

static int run_range(struct job *job, void *context, struct err *err)
{
    struct member_job *member = context;
    struct failure failure = {0};
    int64_t bytes = 0;
    int rc = job_is_dropped(job) ? 0 : read_range(member, &bytes, &failure, err);
    rc = finish(member, !failure.failed, rc, err);
    return rc < 0 ? rc : send_conclusion(member, bytes, &failure, err);
}

static const struct job_ops range_job = {run_range, retire};

static int submit_range(struct member_job *member, const struct found_file *file, struct err *err)
{
    member->range = *file->range;
    member->branch = (struct budget_branch){.run = &member->set->budget,
                                            .job = member->job,
                                            .spent = on_spent,
                                            .context = member};
    if (member->range.length == RANGE_TO_END) {
        member->range.fd = fcntl(file->range->fd, F_DUPFD_CLOEXEC, 0);
        if (member->range.fd < 0) {
            set_problem(member->set, PROBLEM_DAMAGED, (int)member->host->report.index,
                        member->path, "it cannot be opened: %s", strerror(errno));
            int rc = finish(member, false, 0, err);
            job_discard(member->job);
            return rc;
        }
    }
    return crew_submit(member->job, file->size, err);
}

/* --- A piece of a stream */

static int run_fed(struct job *job, void *context, struct err *err)
{
    struct member_job *member = context;
    const char *bytes;
    size_t length;
    int rc = 0;
    while (job_next_piece(job, &bytes, &length))
        if (rc == 0)
            rc = show(member, bytes, length, err);
    return finish(member, job_is_complete(job), rc, err);
}

static const struct job_ops fed_job = {run_fed, retire};

/* Where the bytes of a stream go: to a job, or to the member at once. */
static int pass(struct member_job *member, bool is_fed, const char *bytes, size_t length,
                struct err *err)
{
    if (is_fed)
        return job_feed(member->job, bytes, length, err);
    if (member->capture)
        capture_data(member->capture, bytes, length);
    return show(member, bytes, length, err);
}

/* Returns the visitor's error; the stream's failure stays in the stream. */
static int pump(struct walk *walk, struct stream *stream, struct member_job *member, bool is_fed,
                int64_t *ret_bytes, struct err *err)
{
    struct strbuf *gather = &walk->gather;
    const char *bytes;
    int64_t n, total = 0;
    int rc = 0;

    strbuf_clear(gather);
    while (rc == 0 && (n = stream_read(stream, &bytes)) > 0) {
        total += n;
        if (gather->length == 0 && n >= GATHER_SIZE) {
            rc = pass(member, is_fed, bytes, (size_t)n, err);
            continue;
        }
        strbuf_add(gather, bytes, (size_t)n);
        if (!strbuf_ok(gather))
            return err_nomem(err);
        if (gather->length >= GATHER_SIZE) {
            rc = pass(member, is_fed, gather->data, gather->length, err);
            strbuf_clear(gather);
        }
    }
    if (rc == 0 && gather->length > 0)
        rc = pass(member, is_fed, gather->data, gather->length, err);
    *ret_bytes = total;
    return rc;
}

int member_capture(struct walk *walk, struct stream *stream, struct capture *capture,
                   int64_t *ret_bytes, struct err *err)
{
    struct member_job alone = {.capture = capture};
    return pump(walk, stream, &alone, false, ret_bytes, err);
}

/* The stream that gives the member's bytes, decompressed. What it needs is the caller's to free. */
static int decompress(struct walk *walk, enum compression compression, struct stream **stream,
                      struct gzip_stream **gzip, struct unpacker **unpacker, struct err *err)
{
    struct budget *budget = &walk->set->budget;
    if (compression == COMPRESSION_GZIP) {
        int rc = gzip_stream_new(*stream, budget, gzip, err);
        if (rc == 0)
            *stream = gzip_stream_data(*gzip);
        return rc;
    }
    if (compression == COMPRESSION_NONE)
        return 0;
    struct unpacker_entry entry;
    int rc = unpacker_new(*stream, UNPACK_FILE, budget, unpacker, err);
    if (rc < 0)
        return rc;
    *stream = unpacker_data(*unpacker);
    int found = unpacker_next(*unpacker, &entry);
    if (found < 0)
        failure_inherit(&(*stream)->failure, unpacker_failure(*unpacker));
    else if (found == 0)
        failure_set(&(*stream)->failure, PROBLEM_DAMAGED, "it holds no compressed data");
    return 0;
}

static int read_stream(struct walk *walk, struct member_job *member, struct stream *stream,
                       bool is_fed, struct err *err)
{
    CLEANUP(gzip_cleanup) struct gzip_stream *gzip = NULL;
    CLEANUP(unpacker_cleanup) struct unpacker *unpacker = NULL;
    int64_t bytes = 0;
    int rc = decompress(walk, member->compression, &stream, &gzip, &unpacker, err);
    if (rc == 0)
        rc = pump(walk, stream, member, is_fed, &bytes, err);
    bool is_complete = rc == 0 && !stream->failure.failed;
    if (!is_fed)
        rc = finish(member, is_complete, rc, err);
    if (rc == 0)
        conclude(member, bytes, &stream->failure);
    if (!is_fed) {
        job_discard(member->job);
        return rc;
    }
    int close_rc = job_close(member->job, is_complete, rc == 0 ? err : NULL);
    return rc == 0 ? close_rc : rc;
}

static int submit_stream(struct walk *walk, struct member_job *member,
                         const struct found_file *file, bool is_fed, struct err *err)
{
    CLEANUP(range_cleanup) struct range_stream *range = NULL;
    struct stream *stream;
    /* This waits for all jobs in front of it, so the member's own must not be among them yet. */
    int rc = walk_open(walk, file, &range, &stream, err);
    if (rc < 0) {
        finish(member, false, rc, err);
        job_discard(member->job);
        return rc;
    }
    rc = is_fed ? crew_open(member->job, err) : 0;
    if (rc == 0)
        return read_stream(walk, member, stream, is_fed, err);
    job_close(member->job, false, NULL);
    return rc;
}

/* --- */

static struct member_job *new_member(struct walk *walk, struct host_state *host, const char *path,
                                     const struct job_ops *ops)
{
    size_t length = strlen(path);
    struct member_job *member = calloc(1, sizeof *member + length + 1);
    if (!member)
        return NULL;
    memcpy(member->path, path, length);
    member->set = walk->set;
    member->source = walk->source;
    member->host = host;
    member->visitor = walk->visitor;
    member->range.fd = -1;
    member->job = job_new(walk->set->crew, ops, member);
    if (!member->job) {
        free(member);
        return NULL;
    }
    return member;
}

int member_read(struct walk *walk, struct host_state *host, const char *path,
                const struct found_file *file, struct err *err)
{
    struct report_set *set = walk->set;
    size_t length;
    enum compression compression = member_name_compression(path, &length);
    CLEANUP_FREE char *logical = strndup(path, length);
    bool is_range = file->range && compression != COMPRESSION_OTHER;
    struct member_job *member =
        logical ? new_member(walk, host, path, is_range ? &range_job : &fed_job) : NULL;
    if (!member)
        return err_nomem(err);

    member->compression = compression;
    member->capture = capture_begin(set, host, path);
    /* A stream that is captured is shown at once, and so is everything when there are no threads. */
    bool is_fed = !is_range && !member->capture && crew_has_threads(set->crew);
    bool is_at_once = !is_range && !is_fed;
    int rc = is_at_once ? crew_drain(set->crew, err) : 0;
    const struct member shown = {
        .host = host->report.index,
        .path = path,
        .logical = logical,
        .size = file->size,
        .modified = file->modified,
        .outbox = is_at_once ? NULL : job_outbox(member->job),
    };
    if (rc == 0)
        member->state = walk->visitor->begin(walk->visitor->context, &shown);
    if (rc < 0 || (!member->state && !member->capture)) {
        host->report.bytes += file->size > 0 ? file->size : 0;
        walk->source->report.bytes += file->size > 0 ? file->size : 0;
        job_discard(member->job);
        return rc;
    }
    return is_range ? submit_range(member, file, err)
                    : submit_stream(walk, member, file, is_fed, err);
}
