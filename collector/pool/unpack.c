/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Another host is a stranger: names are checked, only regular files are taken, and there are limits
 * on their number and bytes. Nothing is ever unpacked to disk.
 *
 * A member that is cut off in the middle is kept as far as it came: the beginning of a log is worth
 * having when its host does not answer a second time. That a tar ended between two members shows
 * only in the missing blocks of zeros at its end.
 */
#include "collector/pool/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <sys/stat.h>

#include "collector/pool/cleanse.h"
#include "common/io.h"

#define BLOCK_BYTES  (64 * 1024)
#define MAX_MEMBERS  500000       /* of one host */
#define MAX_BYTES    (64LL << 30) /* of one host; crash dumps are large */
#define MAX_NAME     4096         /* PATH_MAX */
#define END_OF_TAR   1024         /* bytes of zeros */
#define LAST_MEMBERS (512 * 1024) /* room for manifests and the list of hosts */

struct source {
    unpack_read read;
    void *context;
    struct err failure;
    int64_t zeros; /* at the end of what was read */
    char block[BLOCK_BYTES];
};

struct reader {
    struct sink *sink;
    const char *folder;
    struct source *source;
    struct archive *archive;
    struct unpacked *result;
};

static int64_t count_zeros(const char *bytes, size_t length, int64_t before)
{
    size_t n = length;
    while (n > 0 && bytes[n - 1] == '\0')
        n--;
    return n > 0 ? (int64_t)(length - n) : before + (int64_t)length;
}

static la_ssize_t read_block(struct archive *archive, void *context, const void **ret)
{
    struct source *source = context;
    size_t length;
    if (source->read(source->context, source->block, sizeof source->block, &length,
                     &source->failure) < 0) {
        archive_set_error(archive, EIO, "the host's answer broke off");
        return -1;
    }
    source->zeros = count_zeros(source->block, length, source->zeros);
    *ret = source->block;
    return (la_ssize_t)length;
}

/* Why libarchive does not go on. */
static int fail(const struct reader *reader, struct err *err)
{
    const struct err *failure = &reader->source->failure;
    if (failure->code != 0)
        return err_set(err, failure->code, "%s", failure->text);
    if (reader->result->members > 0 || reader->result->cut[0])
        return err_set(err, ERR_IO, "the report is cut off: its end did not come");
    return err_set(err, ERR_PARSE, "what came is no report");
}

/* Relative, without "..", also for those who take \ as a separator; control characters go. */
static bool clean_name(const char *name, struct strbuf *out)
{
    if (!name || !*name || *name == '/' || *name == '\\' || strlen(name) > MAX_NAME ||
        name[strlen(name) - 1] == '/')
        return false;
    for (const char *p = name; *p;) {
        size_t n = strcspn(p, "/\\");
        if (n == 2 && p[0] == '.' && p[1] == '.')
            return false;
        p += n + (p[n] != '\0');
    }
    for (const char *c = name; *c; c++)
        strbuf_addc(out, (unsigned char)*c < 0x20 || *c == 0x7f ? '_' : *c);
    return true;
}

static bool has_room(struct sink *sink, const struct stage *stage)
{
    int64_t bytes = stage_encoded_size(stage) + LAST_MEMBERS;
    bool found;
    return bundle_find_room(sink->bundle, sink->room, bytes, &found, &sink->failure) == 0 && found;
}

static int deliver(struct sink *sink, const char *name, int64_t modified, struct stage *stage,
                   struct err *err)
{
    int r = 0;
    pthread_mutex_lock(&sink->lock);
    bool fits = sink->failure.code == 0 && !sink->full && has_room(sink, stage);
    if (fits)
        bundle_add(sink->bundle, name, modified, stage, &sink->failure);
    if (sink->failure.code != 0) {
        r = err_set(err, sink->failure.code, "%s", sink->failure.text);
    } else if (!fits) {
        sink->full = true;
        r = err_set(err, ERR_LIMIT, ROOM_FULL);
    }
    pthread_mutex_unlock(&sink->lock);
    return r;
}

/*
 * Reads the member's content; *ret_whole tells whether all of it came. By blocks: archive_read_data()
 * would lose what came before a failure.
 */
static int fill_stage(const struct reader *reader, struct stage *stage, bool *ret_whole,
                      struct err *err)
{
    for (;;) {
        const void *bytes;
        size_t length;
        la_int64_t offset; /* sparse members are refused: each block follows the one before */
        int status = archive_read_data_block(reader->archive, &bytes, &length, &offset);
        *ret_whole = status == ARCHIVE_EOF;
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            return 0;
        int r = stage_write(stage, bytes, length, err);
        if (r < 0)
            return r;
        reader->result->bytes += (int64_t)length;
        if (reader->result->bytes > MAX_BYTES)
            return err_set(err, ERR_LIMIT, "the report is larger than %lld GiB",
                           (long long)(MAX_BYTES >> 30));
    }
}

/* Searches the content for secrets and takes it to the bundle. */
static int pass_on(const struct reader *reader, const char *name, int64_t modified,
                   struct stage *raw, struct err *err)
{
    struct stage *clean;
    int64_t count;
    struct stage_options options = reader->sink->stage;
    options.room = reader->sink->room;
    int r = stage_finish(raw, err);
    if (r == 0)
        r = cleanse(&options, raw, name, &clean, &count, err);
    if (r < 0)
        return r;
    r = deliver(reader->sink, name, modified, clean, err);
    stage_free(clean);
    reader->result->members += r == 0;
    reader->result->redactions += r == 0 ? count : 0;
    return r;
}

/* A failure of the stage is one of the run's own disk or memory. */
static int add_member(const struct reader *reader, const char *name, int64_t modified,
                      struct err *err)
{
    struct stage_options plain = reader->sink->stage;
    struct stage *raw;
    bool whole = false;
    plain.encoding = STAGE_PLAIN;
    plain.room = reader->sink->room;
    int r = stage_new(&plain, &raw, err);
    if (r < 0)
        return r;
    r = fill_stage(reader, raw, &whole, err);
    if (r == 0 && !whole)
        snprintf(reader->result->cut, sizeof reader->result->cut, "%s", name);
    if (r == 0 && (whole || stage_size(raw) > 0))
        r = pass_on(reader, name, modified, raw, err);
    stage_free(raw);
    return r == 0 && !whole ? fail(reader, err) : r;
}

static int take_entry(const struct reader *reader, struct archive_entry *entry, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
    const char *given = archive_entry_pathname(entry);
    if (!given) /* a name in Unicode that the locale does not know */
        given = archive_entry_pathname_utf8(entry);
    if (archive_entry_filetype(entry) == S_IFDIR)
        return 0;
    strbuf_addf(&name, "%s/", reader->folder);
    if (archive_entry_filetype(entry) != S_IFREG || archive_entry_hardlink(entry) ||
        archive_entry_sparse_count(entry) > 0 || !clean_name(given, &name)) {
        reader->result->refused++;
        return 0;
    }
    if (!strbuf_ok(&name))
        return err_nomem(err);
    return add_member(reader, name.data, (int64_t)archive_entry_mtime(entry), err);
}

static int take_all(const struct reader *reader, struct err *err)
{
    for (int64_t count = 0;; count++) {
        struct archive_entry *entry;
        int status = archive_read_next_header(reader->archive, &entry);
        if (status == ARCHIVE_EOF)
            break;
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            return fail(reader, err);
        if (count >= MAX_MEMBERS)
            return err_set(err, ERR_LIMIT, "the report has more than %d members", MAX_MEMBERS);
        int r = take_entry(reader, entry, err);
        if (r < 0)
            return r;
    }
    reader->result->has_end = reader->source->zeros >= END_OF_TAR;
    return reader->result->has_end && reader->result->members > 0 ? 0 : fail(reader, err);
}

int unpack_tar(struct sink *sink, const char *folder, unpack_read read, void *context,
               struct unpacked *ret, struct err *err)
{
    CLEANUP_FREE struct source *source = calloc(1, sizeof *source);
    struct archive *archive = archive_read_new();
    struct reader reader = {sink, folder, source, archive, ret};
    *ret = (struct unpacked){.members = 0};
    if (!source || !archive) {
        archive_read_free(archive);
        return err_nomem(err);
    }
    source->read = read;
    source->context = context;
    int r = 0;
    if (archive_read_support_format_tar(archive) != ARCHIVE_OK ||
        archive_read_open(archive, source, NULL, read_block, NULL) != ARCHIVE_OK)
        r = fail(&reader, err);
    if (r == 0)
        r = take_all(&reader, err);
    archive_read_free(archive);
    return r;
}

int sink_add_text(struct sink *sink, const char *name, int64_t modified, const void *bytes,
                  size_t length, struct err *err)
{
    struct stage *stage;
    int r = stage_new(&sink->stage, &stage, err);
    if (r < 0)
        return r;
    r = stage_write(stage, bytes, length, err);
    if (r == 0)
        r = stage_finish(stage, err);
    if (r == 0)
        r = bundle_add(sink->bundle, name, modified, stage, err);
    stage_free(stage);
    return r;
}
