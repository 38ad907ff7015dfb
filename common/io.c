/* SPDX-License-Identifier: LGPL-2.1-only */
#include "common/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

void io_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void io_fclose(FILE **file)
{
    if (*file)
        fclose(*file);
    *file = NULL;
}

void io_closedir(DIR **directory)
{
    if (*directory)
        closedir(*directory);
    *directory = NULL;
}

void io_free(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

int io_write_all(int fd, const void *bytes, size_t length)
{
    const char *p = bytes;
    while (length > 0) {
        ssize_t n = write(fd, p, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        p += n;
        length -= (size_t)n;
    }
    return 0;
}

int io_read_all(int fd, size_t maximum, struct strbuf *buffer, const char *name, struct err *err)
{
    size_t start = buffer->length;
    for (;;) {
        if (!strbuf_reserve(buffer, 65536))
            return err_nomem(err);
        ssize_t n = read(fd, buffer->data + buffer->length, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "cannot read '%s'", name);
        if (n == 0)
            return 0;
        buffer->length += (size_t)n;
        buffer->data[buffer->length] = '\0';
        if (buffer->length - start > maximum)
            return err_set(err, ERR_LIMIT, "'%s' is larger than %zu bytes", name, maximum);
    }
}

int io_read_file(int dirfd, const char *path, size_t maximum, struct strbuf *buffer,
                 struct err *err)
{
    CLEANUP_FD int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    struct stat status;
    if (fstat(fd, &status) < 0)
        return err_set_errno(err, errno, "cannot examine '%s'", path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_UNSUPPORTED, "'%s' is not a regular file", path);
    return io_read_all(fd, maximum, buffer, path, err);
}

void io_hold_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int64_t io_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
