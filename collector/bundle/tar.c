/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * tar by libarchive, in GNU's dialect: names of any length and any bytes, sizes beyond 8 GiB, and
 * readable by every tar and by Python since ever (it is also what the original tool wrote on
 * Python 3.6).
 *
 * libarchive only makes the plain tar: its compressors have one thread. Its own errors say little
 * about what the system refused, so the output's failure goes first.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <sys/stat.h>

#include "collector/bundle/filter.h"
#include "collector/bundle/writer.h"

#define RECORD_BYTES 10240               /* tar's record: 20 blocks of 512 bytes */
#define BLOCK_BYTES  (16 * RECORD_BYTES) /* written at once: whole records */

struct tar {
    struct archive *archive;
    struct archive_entry *entry;
    struct output *output;
    struct filter *filter; /* NULL: the tar stays plain */
    struct err failure;    /* of the filter */
};

static int tar_fail(const struct tar *tar, struct err *err)
{
    int r = output_failure(tar->output, err);
    if (r < 0)
        return r;
    if (tar->failure.code)
        return err_set(err, tar->failure.code, "%s", tar->failure.text);
    const char *text = archive_error_string(tar->archive);
    return err_set(err, archive_errno(tar->archive) == ENOMEM ? ERR_NOMEM : ERR_IO,
                   "cannot write the archive: %s", text ? text : "unknown reason");
}

static la_ssize_t write_block(struct archive *archive, void *context, const void *bytes,
                              size_t length)
{
    struct tar *tar = context;
    int r = tar->filter ? filter_write(tar->filter, bytes, length, &tar->failure)
                        : output_write(tar->output, bytes, length);
    if (r == 0)
        return (la_ssize_t)length;
    archive_set_error(archive, EIO, "the output failed");
    return -1;
}

static void tar_free(void *writer)
{
    struct tar *tar = writer;
    archive_entry_free(tar->entry);
    if (tar->archive)
        archive_write_free(tar->archive);
    filter_free(tar->filter);
    free(tar);
}

static int open_archive(struct tar *tar, struct err *err)
{
    struct archive *archive = tar->archive;
    if (archive_write_set_format_gnutar(archive) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(archive, BLOCK_BYTES) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(archive, RECORD_BYTES) != ARCHIVE_OK ||
        archive_write_open2(archive, tar, NULL, write_block, NULL, NULL) != ARCHIVE_OK)
        return tar_fail(tar, err);
    return 0;
}

static int open_tar(struct output *output, struct compressor *compressor,
                    const struct filter_ops *filter, void **ret, struct err *err)
{
    struct tar *tar = calloc(1, sizeof *tar);
    if (!tar)
        return err_nomem(err);
    tar->output = output;
    tar->archive = archive_write_new();
    tar->entry = archive_entry_new();
    int r = tar->archive && tar->entry ? open_archive(tar, err) : err_nomem(err);
    if (r == 0 && filter)
        r = filter_open(filter, output, compressor, &tar->filter, err);
    if (r < 0) {
        tar_free(tar);
        return r;
    }
    *ret = tar;
    return 0;
}

static int tar_open(struct output *output, struct compressor *compressor, void **ret,
                    struct err *err)
{
    return open_tar(output, compressor, NULL, ret, err);
}

static int tar_bzip2_open(struct output *output, struct compressor *compressor, void **ret,
                          struct err *err)
{
    return open_tar(output, compressor, &filter_bzip2, ret, err);
}

static int tar_gzip_open(struct output *output, struct compressor *compressor, void **ret,
                         struct err *err)
{
    return open_tar(output, compressor, &filter_gzip, ret, err);
}

static int tar_zstd_open(struct output *output, struct compressor *compressor, void **ret,
                         struct err *err)
{
    return open_tar(output, compressor, &filter_zstd, ret, err);
}

static int write_data(void *context, const void *bytes, size_t length, struct err *err)
{
    struct tar *tar = context;
    la_ssize_t written = archive_write_data(tar->archive, bytes, length);
    if (written < 0)
        return tar_fail(tar, err);
    if ((size_t)written != length)
        return err_set(err, ERR_BUG, "a stage is longer than it said");
    return 0;
}

static int tar_add(void *writer, const char *name, int64_t modified, struct stage *stage,
                   struct err *err)
{
    struct tar *tar = writer;
    struct archive_entry *entry = archive_entry_clear(tar->entry);
    archive_entry_copy_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_uid(entry, 0);
    archive_entry_set_gid(entry, 0);
    archive_entry_copy_uname(entry, "root");
    archive_entry_copy_gname(entry, "root");
    archive_entry_set_mtime(entry, modified < 0 ? 0 : (time_t)modified, 0);
    archive_entry_set_size(entry, stage_size(stage));
    if (archive_write_header(tar->archive, entry) != ARCHIVE_OK)
        return tar_fail(tar, err);
    int r = stage_read(stage, write_data, tar, err);
    if (r < 0)
        return r;
    return archive_write_finish_entry(tar->archive) == ARCHIVE_OK ? 0 : tar_fail(tar, err);
}

static int tar_held(void *writer, bool settle, int64_t *ret, struct err *err)
{
    struct tar *tar = writer;
    int64_t held = 0;
    int r = tar->filter ? filter_held(tar->filter, settle, &held, err) : 0;
    if (r == 0)
        *ret = held + BLOCK_BYTES;
    return r;
}

static int tar_finish(void *writer, struct err *err)
{
    struct tar *tar = writer;
    if (archive_write_close(tar->archive) != ARCHIVE_OK)
        return tar_fail(tar, err);
    return tar->filter ? filter_finish(tar->filter, err) : 0;
}

const struct writer_ops writer_tar = {
    .open = tar_open,
    .add = tar_add,
    .held = tar_held,
    .finish = tar_finish,
    .free = tar_free,
};

const struct writer_ops writer_tar_bzip2 = {
    .open = tar_bzip2_open,
    .add = tar_add,
    .held = tar_held,
    .finish = tar_finish,
    .free = tar_free,
};

const struct writer_ops writer_tar_gzip = {
    .open = tar_gzip_open,
    .add = tar_add,
    .held = tar_held,
    .finish = tar_finish,
    .free = tar_free,
};

const struct writer_ops writer_tar_zstd = {
    .open = tar_zstd_open,
    .add = tar_add,
    .held = tar_held,
    .finish = tar_finish,
    .free = tar_free,
};
