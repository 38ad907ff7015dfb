/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libarchive writes the tar straight into a stage. A failure of the stage is kept, since libarchive
 * only passes on that there was one.
 */
#include "collector/run/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

struct pack {
    struct archive *archive;
    struct stage *stage;
    const char *name;
    struct err failure; /* of the stage */
};

static la_ssize_t write_block(struct archive *archive, void *context, const void *bytes,
                              size_t length)
{
    struct pack *pack = context;
    if (stage_write(pack->stage, bytes, length, &pack->failure) == 0)
        return (la_ssize_t)length;
    archive_set_error(archive, EIO, "the stage failed");
    return -1;
}

static int fail(const struct pack *pack, struct err *err)
{
    if (pack->failure.code)
        return err_set(err, pack->failure.code, "%s", pack->failure.text);
    const char *text = archive_error_string(pack->archive);
    return err_set(err, ERR_IO, "cannot write %s: %s", pack->name, text ? text : "unknown reason");
}

int pack_new(const struct stage_options *options, const char *name, struct pack **ret,
             struct err *err)
{
    struct pack *pack = calloc(1, sizeof *pack);
    if (!pack)
        return err_nomem(err);
    pack->name = name;
    pack->archive = archive_write_new();
    int r = pack->archive ? stage_new(options, &pack->stage, err) : err_nomem(err);
    if (r == 0 && (archive_write_set_format_gnutar(pack->archive) != ARCHIVE_OK ||
                   archive_write_open(pack->archive, pack, NULL, write_block, NULL) != ARCHIVE_OK))
        r = fail(pack, err);
    if (r < 0)
        pack_free(pack);
    else
        *ret = pack;
    return r;
}

void *pack_free(struct pack *pack)
{
    if (!pack)
        return NULL;
    if (pack->archive)
        archive_write_free(pack->archive);
    if (pack->stage)
        stage_free(pack->stage);
    free(pack);
    return NULL;
}

const char *pack_name(const struct pack *pack)
{
    return pack->name;
}

int64_t pack_size(const struct pack *pack)
{
    return stage_size(pack->stage);
}

static int add_bytes(void *context, const void *bytes, size_t length, struct err *err)
{
    struct pack *pack = context;
    return archive_write_data(pack->archive, bytes, length) == (la_ssize_t)length ? 0
                                                                                  : fail(pack, err);
}

int pack_add(struct pack *pack, const char *name, int64_t modified, struct stage *stage,
             struct err *err)
{
    struct archive_entry *entry = archive_entry_new();
    if (!entry)
        return err_nomem(err);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, S_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_uname(entry, "root");
    archive_entry_set_gname(entry, "root");
    archive_entry_set_mtime(entry, (time_t)modified, 0);
    archive_entry_set_size(entry, stage_size(stage));
    int r = archive_write_header(pack->archive, entry) == ARCHIVE_OK ? 0 : fail(pack, err);
    archive_entry_free(entry);
    return r == 0 ? stage_read(stage, add_bytes, pack, err) : r;
}

int pack_finish(struct pack *pack, struct stage **ret, struct err *err)
{
    if (archive_write_close(pack->archive) != ARCHIVE_OK)
        return fail(pack, err);
    int r = stage_finish(pack->stage, err);
    if (r == 0)
        *ret = pack->stage;
    return r;
}
