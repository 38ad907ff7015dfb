/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One block at a time, so that somebody who wants to stop is heard soon.
 */
#include "common/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/io.h"

#define BLOCK (256 << 10) /* bytes */

static void free_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

/* libcrypto that had too little memory to start crashes when it is used. */
static bool crypto_has_started(void)
{
    return OSSL_LIB_CTX_get0_global_default() != NULL;
}

/* Bytes read, 0 at the end of the file, -1 with errno. */
static ssize_t read_block(int fd, void *block, int64_t left, int64_t offset)
{
    ssize_t n;
    do
        n = pread(fd, block, left < BLOCK ? (size_t)left : BLOCK, offset);
    while (n < 0 && errno == EINTR);
    return n;
}

int digest_read(const struct digest_wish *wish, unsigned char ret[DIGEST_BYTES], int64_t *ret_bytes,
                struct err *err)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    int64_t done = 0;
    ssize_t n = 1;
    if (!crypto_has_started())
        return err_nomem(err);
    CLEANUP(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    CLEANUP_FREE void *block = malloc(BLOCK);
    if (!context || !block)
        return err_nomem(err);
    bool good = EVP_DigestInit_ex(context, wish->kind, NULL) == 1;
    while (good && n > 0 && done < wish->length) {
        if (wish->cancelled && atomic_load(wish->cancelled))
            return err_set(err, ERR_CANCELLED, "stopped on request");
        n = read_block(wish->fd, block, wish->length - done, wish->offset + done);
        if (n < 0)
            return err_set_errno(err, errno, "cannot read '%s'", wish->name);
        good = EVP_DigestUpdate(context, block, (size_t)n) == 1;
        done += n;
    }
    if (!good || EVP_DigestFinal_ex(context, value, &size) != 1 || size > DIGEST_BYTES)
        return err_set(err, ERR_UNSUPPORTED, "this system's libcrypto does not compute %s",
                       EVP_MD_get0_name(wish->kind));
    memcpy(ret, value, size);
    *ret_bytes = done;
    return 0;
}
