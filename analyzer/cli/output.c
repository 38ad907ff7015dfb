/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where results go: whole files under their names, or standard output.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "analyzer/cli/commands.h"
#include "common/escape.h"
#include "common/io.h"

void say_error(const char *message)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    strbuf_adds(&line, "xen-analyze: ");
    escape_terminal(&line, message, strlen(message), false);
    fprintf(stderr, "%s\n", line.data);
}

static int write_file(const char *path, const struct strbuf *bytes, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf temporary = STRBUF_INIT;
    strbuf_addf(&temporary, "%s.XXXXXX", path);
    if (!strbuf_ok(&temporary))
        return err_nomem(err);
    CLEANUP_FD int fd = mkostemp(temporary.data, O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot write '%s'", path);
    int failure = io_write_all(fd, bytes->data, bytes->length);
    if (failure == 0 && (fchmod(fd, 0644) < 0 || fdatasync(fd) < 0))
        failure = -errno;
    if (failure == 0 && rename(temporary.data, path) < 0)
        failure = -errno;
    if (failure == 0)
        return 0;
    unlink(temporary.data);
    return err_set_errno(err, -failure, "cannot write '%s'", path);
}

int write_output(const char *path, const struct strbuf *bytes, struct err *err)
{
    struct stat status;
    bool special = path && stat(path, &status) == 0 && !S_ISREG(status.st_mode);
    if (path && !special)
        return write_file(path, bytes, err);
    /* A pipe or device cannot be replaced by a file of its name. */
    CLEANUP_FD int opened = special ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (special && opened < 0)
        return err_set_errno(err, errno, "cannot write '%s'", path);
    int failure = io_write_all(special ? opened : STDOUT_FILENO, bytes->data, bytes->length);
    return failure < 0
               ? err_set_errno(err, -failure, "cannot write %s", special ? path : "standard output")
               : 0;
}
