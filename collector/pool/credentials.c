/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Never from the command line or the environment: both can be read by others, and both would end
 * up in the report. The texts of errors hold nothing of the content.
 */
#include "collector/pool/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/io.h"

#define MAX_FILE 4096

static int check(int fd, const char *path, struct err *err)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return err_set_errno(err, errno, "cannot look at '%s'", path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_DENIED, "'%s' is no file with credentials", path);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return err_set(err, ERR_DENIED, "'%s' belongs to somebody else: chown it", path);
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        return err_set(err, ERR_DENIED, "'%s' can be read by others: chmod 600 it", path);
    return 0;
}

static bool take(const char *line, const char *key, char *value, size_t size)
{
    size_t length = strlen(key);
    if (strncmp(line, key, length) != 0 || strlen(line + length) >= size)
        return false;
    snprintf(value, size, "%s", line + length);
    return true;
}

static int parse(char *text, const char *path, struct credentials *credentials, struct err *err)
{
    char *save = NULL;
    int number = 0;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        number++;
        line[strcspn(line, "\r")] = '\0';
        bool known = *line == '\0' || *line == '#' ||
                     take(line, "username=", credentials->user, sizeof credentials->user) ||
                     take(line, "password=", credentials->password, sizeof credentials->password);
        if (!known)
            return err_set(err, ERR_PARSE,
                           "'%s': line %d is neither username=NAME nor password=TEXT", path,
                           number);
    }
    return credentials->user[0] ? 0
                                : err_set(err, ERR_PARSE, "'%s' has no line username=NAME", path);
}

int credentials_read(const char *path, struct credentials *ret, struct err *err)
{
    char text[MAX_FILE + 1];
    struct credentials credentials = {.user = ""};
    CLEANUP_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP ? err_set(err, ERR_DENIED, "'%s' is a link", path)
                              : err_set_errno(err, errno, "cannot open '%s'", path);
    int r = check(fd, path, err);
    if (r < 0)
        return r;
    ssize_t length = read(fd, text, MAX_FILE);
    if (length < 0)
        return err_set_errno(err, errno, "cannot read '%s'", path);
    text[length] = '\0';
    r = parse(text, path, &credentials, err);
    if (r == 0)
        *ret = credentials;
    explicit_bzero(text, sizeof text);
    credentials_forget(&credentials);
    return r;
}

void credentials_forget(struct credentials *credentials)
{
    explicit_bzero(credentials, sizeof *credentials);
}
