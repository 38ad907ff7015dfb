/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * O_TMPFILE would leave nothing behind even after a power cut, but SQLite opens its file by name,
 * so all are named, ".FILE.XXXXXX", and a program that is killed by force may leave one.
 */
#include "analyzer/cli/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/io.h"

#define REPORT_MODE 0644

/* All of a report is in there, which is nobody else's business. */
#define DATABASE_MODE 0600

static int fail(const struct output_file *file, int sysno, struct err *err)
{
    return err_set_errno(err, sysno, "cannot write '%s'", file->path);
}

static int open_temporary(struct output_file *file, struct err *err)
{
    const char *slash = strrchr(file->path, '/');
    size_t folder = slash ? (size_t)(slash - file->path) + 1 : 0;
    if (file->path[folder] == '\0')
        return fail(file, EISDIR, err);
    CLEANUP_FREE char *name = NULL;
    if (asprintf(&name, "%.*s.%s.XXXXXX", (int)folder, file->path, file->path + folder) < 0)
        return err_nomem(err);
    file->fd = mkostemp(name, O_CLOEXEC);
    if (file->fd < 0)
        return fail(file, errno, err);
    file->temporary = TAKE(name);
    return 0;
}

static int open_report_output(struct output_file *file, struct err *err)
{
    struct stat status;
    if (!file->path) {
        file->fd = STDOUT_FILENO;
        return 0;
    }
    if (stat(file->path, &status) == 0 && S_ISDIR(status.st_mode))
        return fail(file, EISDIR, err);
    if (stat(file->path, &status) < 0 || S_ISREG(status.st_mode))
        return open_temporary(file, err);
    /* A pipe or device cannot be replaced by a file of its name. */
    file->fd = open(file->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return file->fd < 0 ? fail(file, errno, err) : 0;
}

static int open_database_output(struct output_file *file, struct err *err)
{
    struct stat status;
    bool exists = lstat(file->path, &status) == 0;
    if (exists && !S_ISREG(status.st_mode))
        return err_set(err, ERR_IO, "cannot write the database '%s': it is no regular file",
                       file->path);
    if (exists && status.st_size > 0)
        return err_set(err, ERR_IO,
                       "cannot write the database '%s': it exists; remove it or name another file",
                       file->path);
    file->may_replace = exists;
    int r = open_temporary(file, err);
    return err_prefix(err, r, "--export");
}

int outputs_open(struct outputs *ret, const struct options *options, struct err *err)
{
    size_t count = options->outputs.count;
    struct outputs outputs = {.files = calloc(count + 1, sizeof *outputs.files),
                              .database = {.fd = -1}};
    int r = outputs.files ? 0 : err_nomem(err);
    for (size_t i = 0; r == 0 && i < count; i++) {
        outputs.files[i] =
            (struct output_file){options->outputs.items[i].path, -1, NULL, REPORT_MODE, true};
        outputs.count = i + 1;
        r = open_report_output(&outputs.files[i], err);
    }
    if (r == 0 && options->export) {
        outputs.database = (struct output_file){options->export, -1, NULL, DATABASE_MODE, false};
        r = open_database_output(&outputs.database, err);
    }
    if (r < 0)
        outputs_release(&outputs);
    else
        *ret = outputs;
    return r;
}

static int restart(const struct output_file *file, struct err *err)
{
    if (file->temporary && (ftruncate(file->fd, 0) < 0 || lseek(file->fd, 0, SEEK_SET) < 0))
        return fail(file, errno, err);
    return 0;
}

int outputs_restart(struct outputs *outputs, struct err *err)
{
    int r = restart(&outputs->database, err);
    for (size_t i = 0; r == 0 && i < outputs->count; i++)
        r = restart(&outputs->files[i], err);
    return r;
}

/* What was not there when we began must not be there now; file systems that cannot tell us so
 * replace it. */
static int give_name(const struct output_file *file)
{
    if (file->may_replace)
        return rename(file->temporary, file->path);
    if (renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, RENAME_NOREPLACE) == 0)
        return 0;
    return errno == EINVAL || errno == ENOSYS ? rename(file->temporary, file->path) : -1;
}

static int make_durable(const struct output_file *file, struct err *err)
{
    if (file->temporary && (fchmod(file->fd, file->mode) < 0 || fdatasync(file->fd) < 0))
        return fail(file, errno, err);
    return 0;
}

static int publish(struct output_file *file, struct err *err)
{
    if (!file->temporary)
        return 0;
    if (give_name(file) < 0)
        return fail(file, errno, err);
    free(file->temporary);
    file->temporary = NULL;
    return 0;
}

int outputs_publish(struct outputs *outputs, struct err *err)
{
    int r = make_durable(&outputs->database, err);
    for (size_t i = 0; r == 0 && i < outputs->count; i++)
        r = make_durable(&outputs->files[i], err);
    if (r == 0)
        r = publish(&outputs->database, err);
    for (size_t i = 0; r == 0 && i < outputs->count; i++)
        r = publish(&outputs->files[i], err);
    return r;
}

static void release(struct output_file *file)
{
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    if (file->fd > STDERR_FILENO)
        close(file->fd);
    *file = (struct output_file){.fd = -1};
}

void outputs_release(struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++)
        release(&outputs->files[i]);
    release(&outputs->database);
    free(outputs->files);
    *outputs = (struct outputs){.database = {.fd = -1}};
}

int output_write(const struct output_file *file, const struct strbuf *bytes, struct err *err)
{
    int failure = io_write_all(file->fd, bytes->data, bytes->length);
    if (failure == 0)
        return 0;
    return file->path ? fail(file, -failure, err)
                      : err_set_errno(err, -failure, "cannot write standard output");
}
