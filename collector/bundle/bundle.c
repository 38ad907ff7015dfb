/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What all formats have in common: the table of them, where the bytes go, and that a bundle which
 * failed once stays failed.
 */
#include "collector/bundle/bundle.h"

#include "collector/bundle/output.h"
#include "collector/bundle/publish.h"
#include "collector/bundle/writer.h"
#include "common/io.h"

#define MAX_NAME 4096 /* PATH_MAX; a zip's names end at 65535 */

struct format {
    struct bundle_format common; /* first: a format is found by it */
    const struct writer_ops *ops;
    bool to_descriptor; /* whoever passes one expects a tar, as from the original */
};

static const struct format formats[] = {
    {{"tar.bz2", "tar.bz2", STAGE_PLAIN}, &writer_tar_bzip2, true},
    {{"tar.gz", "tar.gz", STAGE_PLAIN}, &writer_tar_gzip, true},
    {{"tar.zst", "tar.zst", STAGE_PLAIN}, &writer_tar_zstd, true},
    {{"tar", "tar", STAGE_PLAIN}, &writer_tar, true},
    {{"zip", "zip", STAGE_DEFLATE}, &writer_zip, false},
};

struct bundle {
    const struct format *format;
    struct output output;
    struct publication *publication; /* NULL: written to a descriptor */
    void *writer;
    bool failed;
};

const struct bundle_format *bundle_format_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcmp(formats[i].common.name, name) == 0)
            return &formats[i].common;
    return NULL;
}

static int open_bundle(const struct format *format, struct compressor *compressor, int fd,
                       struct publication *publication, struct bundle **ret, struct err *err)
{
    struct bundle *bundle = calloc(1, sizeof *bundle);
    if (!bundle) {
        publication_discard(publication);
        return err_nomem(err);
    }
    bundle->format = format;
    bundle->publication = publication;
    const char *place = publication ? publication_directory(publication) : NULL;
    int r = output_init(&bundle->output, fd, place, err);
    if (r == 0)
        r = format->ops->open(&bundle->output, compressor, &bundle->writer, err);
    if (r < 0) {
        bundle_discard(bundle);
        return r;
    }
    *ret = bundle;
    return 0;
}

int bundle_open_fd(const struct bundle_format *format, struct compressor *compressor, int fd,
                   struct bundle **ret, struct err *err)
{
    const struct format *full = (const struct format *)format;
    if (!full->to_descriptor)
        return err_set(err, ERR_UNSUPPORTED, "a %s archive cannot be written to a descriptor",
                       format->name);
    return open_bundle(full, compressor, fd, NULL, ret, err);
}

void bundle_heed(struct bundle *bundle, const atomic_bool *cancelled)
{
    bundle->output.cancelled = cancelled;
}

int bundle_open_file(const struct bundle_format *format, struct compressor *compressor,
                     const char *directory, const char *name, struct bundle **ret, struct err *err)
{
    struct publication *publication;
    int r = publication_open(directory, name, true, &publication, err);
    if (r < 0)
        return r;
    return open_bundle((const struct format *)format, compressor, publication_fd(publication),
                       publication, ret, err);
}

/* A reader must not be led out of the directory it unpacks to. */
static bool is_safe_name(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > MAX_NAME || name[0] == '/' || name[length - 1] == '/')
        return false;
    for (const char *p = name; *p;) {
        size_t n = strcspn(p, "/");
        if (n == 2 && p[0] == '.' && p[1] == '.')
            return false;
        p += n + (p[n] == '/');
    }
    return true;
}

int bundle_add(struct bundle *bundle, const char *name, int64_t modified, struct stage *stage,
               struct err *err)
{
    if (bundle->failed) {
        int r = output_failure(&bundle->output, err);
        return r < 0 ? r : err_set(err, ERR_IO, "the archive failed before");
    }
    if (!is_safe_name(name))
        return err_set(err, ERR_USAGE, "'%.200s' cannot be the name of a member", name);
    if (stage_is_deflated(stage) && bundle->format->common.encoding != STAGE_DEFLATE)
        return err_set(err, ERR_BUG, "a deflated stage for a %s archive",
                       bundle->format->common.name);
    int r = bundle->format->ops->add(bundle->writer, name, modified, stage, err);
    bundle->failed = r < 0;
    return r;
}

static int finish(struct bundle *bundle, bundle_check check, void *context, struct err *err)
{
    int r = bundle->failed ? err_set(err, ERR_IO, "the archive failed before")
                           : bundle->format->ops->finish(bundle->writer, err);
    if (r == 0 && output_flush(&bundle->output) < 0)
        r = output_failure(&bundle->output, err);
    if (r == 0 && bundle->publication && check)
        r = check(context, publication_fd(bundle->publication), err);
    if (r == 0 && bundle->publication)
        r = publication_commit(TAKE(bundle->publication), err);
    return r;
}

int bundle_close_checked(struct bundle *bundle, bundle_check check, void *context, struct err *err)
{
    int r = finish(bundle, check, context, err);
    bundle_discard(bundle);
    return r;
}

int bundle_close(struct bundle *bundle, struct err *err)
{
    return bundle_close_checked(bundle, NULL, NULL, err);
}

void *bundle_discard(struct bundle *bundle)
{
    if (!bundle)
        return NULL;
    output_abandon(&bundle->output);
    if (bundle->writer)
        bundle->format->ops->free(bundle->writer);
    output_release(&bundle->output);
    publication_discard(bundle->publication);
    free(bundle);
    return NULL;
}

/* Bytes that what was added may still take, at the most. */
static int unwritten(struct bundle *bundle, bool settle, int64_t *ret, struct err *err)
{
    int64_t held = 0;
    int r = bundle->format->ops->held(bundle->writer, settle, &held, err);
    bundle->failed = bundle->failed || r < 0;
    if (r == 0)
        *ret = held + (int64_t)bundle->output.used;
    return r;
}

int bundle_find_room(struct bundle *bundle, struct room *room, int64_t bytes, bool *ret,
                     struct err *err)
{
    bool found = false;
    int r = 0;
    for (int settle = 0; r == 0 && !found && settle < 2; settle++) {
        int64_t before;
        r = unwritten(bundle, settle, &before, err);
        if (r == 0)
            found = room_promise(room, bytes, before);
    }
    if (r == 0)
        *ret = found;
    return r;
}
