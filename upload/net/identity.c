/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libssh2 reads the key only when a server wants it, and says no more than that it was refused. So
 * its beginning is looked at before: what kind of file it is stands there in plain text.
 *
 * A key in OpenSSH's own form names its cipher in the first bytes of what is Base64: they are
 * always "openssh-key-v1", and a text with its length, "none" when there is no passphrase.
 */
#include "upload/net/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/io.h"
#include "common/secret.h"

#define HEAD_BYTES 256 /* the first line, and where a cipher would be named */

#define BEGIN   "-----BEGIN "
#define END     "PRIVATE KEY-----"
#define OPENSSH "OPENSSH " END
#define PLAIN   "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU" /* what has no cipher begins so */

static bool is_encrypted(const char *kind, const char *body)
{
    return strncmp(kind, "ENCRYPTED ", 10) == 0 || strstr(body, ",ENCRYPTED") ||
           (strncmp(kind, OPENSSH, strlen(OPENSSH)) == 0 &&
            strncmp(body, PLAIN, strlen(PLAIN)) != 0);
}

static int judge(const char *path, const char *head, struct err *err)
{
    size_t line = strcspn(head, "\r\n");
    const char *end = strstr(head, END);
    if (strncmp(head, BEGIN, strlen(BEGIN)) != 0 || !end || end > head + line)
        return err_set(err, ERR_DENIED,
                       "'%s' of --identity is no private key: such a file begins with " BEGIN
                       "... " END,
                       path);
    const char *body = head + line;
    if (is_encrypted(head + strlen(BEGIN), body + strspn(body, "\r\n")))
        return err_set(err, ERR_DENIED,
                       "the key '%s' of --identity has a passphrase, and such a key cannot be "
                       "used: make one without (ssh-keygen -t ed25519 -N '')",
                       path);
    return 0;
}

int identity_check(const char *path, struct err *err)
{
    char head[HEAD_BYTES + 1];
    int r = secret_check_file(path, err);
    if (r < 0)
        return r;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : pread(fd, head, HEAD_BYTES, 0);
    if (length < 0)
        return err_set_errno(err, errno, "cannot read '%s'", path);
    head[length] = '\0';
    r = judge(path, head, err);
    secret_forget(head, sizeof head);
    return r;
}
