/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The report is what its digest says, whatever the uploader and XenCenter call it later.
 */
#include "healthcheck/run/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "common/io.h"

#define CHUNK_BYTES 65536

static void context_free(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

int digest_file(const char *path, char ret[DIGEST_TEXT_BYTES], int64_t *ret_bytes, struct err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    int64_t bytes = 0;
    ssize_t n = 0;
    CLEANUP(context_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
    CLEANUP_FREE char *chunk = malloc(CHUNK_BYTES);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    if (!context || !chunk || !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
        return err_nomem(err);
    do {
        n = read(fd, chunk, CHUNK_BYTES);
        if (n > 0 && !EVP_DigestUpdate(context, chunk, (size_t)n))
            return err_nomem(err);
        bytes += n > 0 ? n : 0;
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n < 0)
        return err_set_errno(err, errno, "cannot read '%s'", path);
    if (!EVP_DigestFinal_ex(context, digest, &length) || length != 32)
        return err_nomem(err);
    hex_write(digest, length, ret);
    *ret_bytes = bytes;
    return 0;
}
