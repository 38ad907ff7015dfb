/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libarchive as a pull stream.
 *
 * Three things are not as one might expect. What is skipped in a compressed archive is read by
 * ourselves, since libarchive would decompress it out of sight of the budget. The zip method is
 * taken from the text of archive_format_name(), the only place where libarchive tells it, and
 * everything but stored, deflate and zstd is refused before its decoder (which may ask for
 * gigabytes) is set up. And holes of sparse files are handed out as zeros that count: a tar header
 * may claim exabytes.
 *
 * libarchive has no setting for the memory of xz, so every block is looked at before it gets there
 * (xz_check.h); zstd has its own ceiling of 128 MiB. An xz file inside of another compression is
 * for the process's memory limit.
 */
#include "analyzer/report/unpacker.h"

#include "analyzer/report/xz_check.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Damaged tar headers, 512 bytes each, that are skipped in search of a good one before we give up.
 */
#define DAMAGED_HEADERS_MAX 20000

struct unpacker {
    struct stream stream; /* first: the data of the current entry */
    struct archive *archive;
    struct stream *input;
    struct budget *budget;
    enum unpacker_kind kind;
    struct failure failure;
    bool is_archive, input_ended;
    int64_t consumed; /* bytes pulled from the input */
    struct xz_check xz;
    char head[UNPACKER_HEAD]; /* of the input */
    size_t head_length;
    int64_t damaged_headers;

    /* the current entry */
    struct meter meter;
    bool is_finished, is_refused, must_count; /* must_count: skipping it costs decompression */
    bool is_doubtful; /* libarchive warned: the data does not have the sum or size it should */
    int64_t declared, offset;
    int64_t position; /* of the decompressed archive, when its header was read */
    int64_t hole;     /* zeros to hand out before `block` */
    const char *block;
    int64_t block_length;
};

static la_ssize_t pull(struct archive *archive, void *context, const void **bytes)
{
    struct unpacker *unpacker = context;
    const char *block = NULL;
    int64_t n = stream_read(unpacker->input, &block);
    if (n < 0) {
        failure_inherit(&unpacker->failure, &unpacker->input->failure);
        archive_set_error(archive, EIO, "%s", unpacker->failure.text);
        return ARCHIVE_FATAL;
    }
    if (unpacker->consumed == 0 && n > 0) {
        unpacker->head_length = n < UNPACKER_HEAD ? (size_t)n : UNPACKER_HEAD;
        memcpy(unpacker->head, block, unpacker->head_length);
    }
    if (xz_check_is_greedy(&unpacker->xz, block, (size_t)n)) {
        failure_set(
            &unpacker->failure, PROBLEM_REFUSED,
            "its xz data needs more than 128 MiB of memory: compress it again with xz -9 or less");
        archive_set_error(archive, ENOMEM, "%s", unpacker->failure.text);
        return ARCHIVE_FATAL;
    }
    unpacker->consumed += n;
    unpacker->input_ended = n == 0;
    *bytes = block;
    return (la_ssize_t)n;
}

static la_int64_t seek(struct archive *archive, void *context, la_int64_t offset, int whence)
{
    struct unpacker *unpacker = context;
    int64_t position = unpacker->input->ops->seek(unpacker->input, offset, whence);
    if (position < 0) {
        archive_set_error(archive, errno, "cannot seek in the archive");
        return ARCHIVE_FATAL;
    }
    return position;
}

/* Never goes past the end: libarchive must run into it to notice that the archive is cut. */
static la_int64_t skip(struct archive *archive, void *context, la_int64_t request)
{
    (void)archive;
    struct unpacker *unpacker = context;
    struct stream *input = unpacker->input;
    int64_t here = input->ops->seek(input, 0, SEEK_CUR);
    int64_t end = here < 0 ? -1 : input->ops->seek(input, 0, SEEK_END);
    if (end < 0)
        return 0;
    int64_t target = request < end - here ? here + request : end;
    if (input->ops->seek(input, target, SEEK_SET) < 0)
        return 0;
    unpacker->consumed += target - here;
    return target - here;
}

/* Turns libarchive's error into ours. */
static int fail(struct unpacker *unpacker, struct failure *failure)
{
    const char *text = archive_error_string(unpacker->archive);
    if (!text)
        text = "unknown error";
    if (unpacker->failure.failed)
        return failure_inherit(failure, &unpacker->failure);
    if (strstr(text, "too much memory"))
        return failure_set(failure, PROBLEM_REFUSED,
                           "its zstd data needs more than 128 MiB of memory: compress it again "
                           "without --long or --ultra");
    /* liblzma says "no progress is possible" when it wants input and there is none. */
    if (strcasestr(text, "truncated") || (unpacker->input_ended && strstr(text, "No progress")))
        return failure_set(failure, PROBLEM_TRUNCATED, "it is cut off before its end (%.200s)",
                           text);
    return failure_set(failure, PROBLEM_DAMAGED, "it is damaged (%.200s)", text);
}

/* After this nothing more can be read from the archive. */
static int fail_for_good(struct unpacker *unpacker)
{
    fail(unpacker, &unpacker->failure);
    return failure_inherit(&unpacker->stream.failure, &unpacker->failure);
}

static int count(struct unpacker *unpacker, int64_t bytes)
{
    struct stream *stream = &unpacker->stream;
    switch (meter_add(&unpacker->meter, bytes, unpacker->consumed, false, &stream->failure)) {
    case METER_OK:
        break;
    case METER_BOMB:
        if (unpacker->kind != UNPACK_ZIP) { /* only zip leaves a member without decompressing it */
            unpacker->failure = stream->failure;
            stream->failure.origin = &unpacker->failure;
        }
        return -1;
    case METER_ENTRY_FULL:
    case METER_SPENT:
        return -1;
    }
    if (unpacker->kind == UNPACK_ZIP && unpacker->declared >= 0 &&
        unpacker->meter.produced > unpacker->declared)
        return failure_set(&stream->failure, PROBLEM_SUSPICIOUS,
                           "it holds more data than the archive's list of files says");
    return 0;
}

/* Fetches libarchive's next block of the entry. 1, 0 at its end, or -1. */
static int next_block(struct unpacker *unpacker)
{
    const void *block;
    size_t length;
    la_int64_t offset;
    int rc = archive_read_data_block(unpacker->archive, &block, &length, &offset);
    if (rc == ARCHIVE_EOF)
        return 0;
    if (rc == ARCHIVE_FATAL || unpacker->failure.failed)
        return fail_for_good(unpacker);
    if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
        return fail(unpacker, &unpacker->stream.failure);
    unpacker->is_doubtful = unpacker->is_doubtful || rc == ARCHIVE_WARN;
    if (offset < unpacker->offset)
        return failure_set(&unpacker->stream.failure, PROBLEM_SUSPICIOUS,
                           "its parts overlap each other");
    unpacker->hole = offset - unpacker->offset;
    unpacker->block = block;
    unpacker->block_length = (int64_t)length;
    unpacker->offset = offset + (int64_t)length;
    return 1;
}

static int64_t entry_read(struct stream *stream, const char **bytes)
{
    static const char zeros[64 * 1024];
    struct unpacker *unpacker = (struct unpacker *)stream;

    if (stream->failure.failed)
        return -1;
    while (unpacker->hole == 0 && unpacker->block_length == 0) {
        if (unpacker->is_finished)
            return 0;
        int rc = next_block(unpacker);
        if (rc <= 0) {
            unpacker->is_finished = true;
            return rc == 0 && unpacker->is_doubtful ? fail(unpacker, &stream->failure) : rc;
        }
    }

    int64_t length;
    if (unpacker->hole > 0) {
        length = unpacker->hole < (int64_t)sizeof zeros ? unpacker->hole : (int64_t)sizeof zeros;
        unpacker->hole -= length;
        *bytes = zeros;
    } else {
        length = unpacker->block_length;
        unpacker->block_length = 0;
        *bytes = unpacker->block;
    }
    return count(unpacker, length) < 0 ? -1 : length;
}

static const struct stream_ops entry_ops = {.read = entry_read};

/* libarchive has an error text of its own for this, but no error number. */
static bool is_unrecognised(struct archive *archive)
{
    const char *text = archive_error_string(archive);
    return text && strncmp(text, "Unrecognized", strlen("Unrecognized")) == 0;
}

int unpacker_new(struct stream *input, enum unpacker_kind kind, struct budget *budget,
                 struct unpacker **ret, struct err *err)
{
    struct unpacker *unpacker = calloc(1, sizeof *unpacker);
    struct archive *archive = archive_read_new();
    if (!unpacker || !archive) {
        free(unpacker);
        archive_read_free(archive);
        return err_nomem(err);
    }
    unpacker->stream.ops = &entry_ops;
    unpacker->archive = archive;
    unpacker->input = input;
    unpacker->budget = budget;
    unpacker->kind = kind;
    unpacker->is_finished = true;

    if (kind == UNPACK_ZIP) {
        archive_read_support_format_zip_seekable(archive);
    } else {
        archive_read_support_filter_gzip(archive);
        archive_read_support_filter_bzip2(archive);
        archive_read_support_filter_xz(archive);
        archive_read_support_filter_zstd(archive);
        if (kind == UNPACK_FILE) {
            archive_read_support_format_raw(archive);
        } else {
            archive_read_support_format_tar(archive);
            archive_read_support_format_zip_streamable(archive);
        }
    }

    archive_read_set_read_callback(archive, pull);
    archive_read_set_callback_data(archive, unpacker);
    if (input->ops->seek) {
        archive_read_set_seek_callback(archive, seek);
        archive_read_set_skip_callback(archive, skip);
    }
    unpacker->is_archive = true;
    if (archive_read_open1(archive) != ARCHIVE_OK) {
        unpacker->is_archive = !is_unrecognised(archive);
        fail_for_good(unpacker);
    }
    *ret = unpacker;
    return 0;
}

void *unpacker_free(struct unpacker *unpacker)
{
    if (unpacker) {
        archive_read_free(unpacker->archive);
        free(unpacker);
    }
    return NULL;
}

/* Passes over what nobody read of the current entry, under the eyes of the budget. */
static int drain(struct unpacker *unpacker)
{
    while (!unpacker->is_finished && unpacker->must_count && !unpacker->is_refused) {
        const void *block;
        size_t length;
        la_int64_t offset;
        int rc = archive_read_data_block(unpacker->archive, &block, &length, &offset);
        if (rc == ARCHIVE_EOF || rc == ARCHIVE_FAILED)
            break;
        if (rc == ARCHIVE_FATAL || unpacker->failure.failed)
            return fail_for_good(unpacker);
        if (meter_add(&unpacker->meter, (int64_t)length, unpacker->consumed, true,
                      &unpacker->failure) != METER_OK)
            return -1;
    }
    return 0;
}

/*
 * Headers are data too: a small archive may hold gigabytes of them. Counts what was decompressed
 * since the last header and is not counted yet.
 */
static int count_overhead(struct unpacker *unpacker)
{
    if (!unpacker->must_count)
        return 0;
    int64_t position = archive_filter_bytes(unpacker->archive, 0);
    int64_t overhead = position - unpacker->position - unpacker->meter.produced;
    unpacker->position = position;
    return overhead > 0 ? budget_charge(unpacker->budget, overhead, &unpacker->failure) : 0;
}

/* Why the data of a zip entry is not read, or NULL. */
static const char *refusal_of(struct unpacker *unpacker, struct archive_entry *entry)
{
    if ((archive_format(unpacker->archive) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_ZIP)
        return NULL;
    if (archive_entry_is_encrypted(entry))
        return "it is encrypted: pack the report again without a password";
    const char *format = archive_format_name(unpacker->archive);
    if (format && (strstr(format, "(uncompressed)") || strstr(format, "(deflation)") ||
                   strstr(format, "(zstd)")))
        return NULL;
    return "it is compressed by a method we do not open: pack the report again with plain zip";
}

static const char *name_of(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    if (!name)
        name = archive_entry_pathname_utf8(entry);
    return name ? name : "";
}

static int next_header(struct unpacker *unpacker, struct archive_entry **entry)
{
    for (;;) {
        if (budget_count_entry(unpacker->budget, &unpacker->failure) < 0)
            return -1;
        int rc = archive_read_next_header(unpacker->archive, entry);
        if (unpacker->failure.failed)
            return -1;
        if (rc == ARCHIVE_EOF)
            return 0;
        if (rc == ARCHIVE_OK || rc == ARCHIVE_WARN)
            return 1;
        if (rc != ARCHIVE_RETRY || ++unpacker->damaged_headers > DAMAGED_HEADERS_MAX)
            return fail_for_good(unpacker);
        unpacker->budget->entries--; /* a damaged block is no entry; it has its own limit */
    }
}

int unpacker_next(struct unpacker *unpacker, struct unpacker_entry *ret)
{
    struct archive_entry *entry = NULL;
    if (unpacker->failure.failed || drain(unpacker) < 0)
        return -1;
    int rc = next_header(unpacker, &entry);
    if (rc > 0)
        unpacker->must_count = unpacker->must_count || unpacker->kind == UNPACK_FILE ||
                               archive_filter_code(unpacker->archive, 0) != ARCHIVE_FILTER_NONE;
    if (rc <= 0 || count_overhead(unpacker) < 0)
        return unpacker->failure.failed ? -1 : rc;

    bool is_zip =
        (archive_format(unpacker->archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
    unpacker->must_count = unpacker->must_count || (is_zip && unpacker->kind != UNPACK_ZIP);
    unpacker->stream.failure = (struct failure){0};
    unpacker->is_finished = unpacker->is_doubtful = false;
    unpacker->offset = unpacker->hole = unpacker->block_length = 0;
    unpacker->declared = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : -1;
    meter_start(&unpacker->meter, unpacker->budget, unpacker->consumed);

    *ret = (struct unpacker_entry){
        .name = name_of(entry),
        .is_regular = archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry),
        .is_hard_link = archive_entry_hardlink(entry) != NULL,
        .refused = refusal_of(unpacker, entry),
        .size = unpacker->declared,
        .modified = archive_entry_mtime_is_set(entry) ? archive_entry_mtime(entry) : 0,
    };
    unpacker->is_refused = ret->refused != NULL;
    return 1;
}

struct stream *unpacker_data(struct unpacker *unpacker)
{
    return &unpacker->stream;
}

struct failure *unpacker_failure(struct unpacker *unpacker)
{
    return &unpacker->failure;
}

bool unpacker_is_archive(const struct unpacker *unpacker)
{
    return unpacker->is_archive;
}

size_t unpacker_head(const struct unpacker *unpacker, char ret[UNPACKER_HEAD])
{
    memcpy(ret, unpacker->head, unpacker->head_length);
    return unpacker->head_length;
}

int64_t unpacker_damaged_headers(const struct unpacker *unpacker)
{
    return unpacker->damaged_headers;
}
