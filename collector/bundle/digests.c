/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Two ways: our kernel, which does both at once where the processor can, or OpenSSL, one after the
 * other. The kernel takes whole blocks, so what is left of one waits here, and so do the ends.
 *
 * Both digests end alike, but for the order of bytes in the length. So the last blocks are made
 * twice, each time for one of the two.
 */
#include "collector/bundle/digests.h"

#include <endian.h>
#include <openssl/evp.h>
#include <string.h>

#include "collector/bundle/digest_kernel.h"
#include "common/hex.h"

struct digests {
    bool by_kernel;
    struct digest_words words;
    unsigned char rest[DIGEST_BLOCK];
    uint64_t length;
    EVP_MD_CTX *md5, *sha256; /* NULL with the kernel */
};

static const struct digest_words beginning = {
    .md5 = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476},
    .sha256 = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
               0x5be0cd19}};

int digests_new(struct digests **ret, struct err *err)
{
    struct digests *digests = calloc(1, sizeof *digests);
    if (!digests)
        return err_nomem(err);
    digests->by_kernel = digest_kernel_works();
    int r = digests_reset(digests, err);
    if (r < 0)
        digests_free(digests);
    else
        *ret = digests;
    return r;
}

void *digests_free(struct digests *digests)
{
    if (!digests)
        return NULL;
    EVP_MD_CTX_free(digests->md5);
    EVP_MD_CTX_free(digests->sha256);
    free(digests);
    return NULL;
}

static int start(EVP_MD_CTX **context, const EVP_MD *kind, struct err *err)
{
    if (!*context)
        *context = EVP_MD_CTX_new();
    if (!*context)
        return err_nomem(err);
    if (!EVP_DigestInit_ex(*context, kind, NULL))
        return err_set(
            err, ERR_UNSUPPORTED,
            "the system's OpenSSL refuses a digest that the inventory needs (FIPS mode?)");
    return 0;
}

int digests_reset(struct digests *digests, struct err *err)
{
    digests->words = beginning;
    digests->length = 0;
    if (digests->by_kernel)
        return 0;
    int r = start(&digests->md5, EVP_md5(), err);
    return r < 0 ? r : start(&digests->sha256, EVP_sha256(), err);
}

static void add_by_kernel(struct digests *digests, const unsigned char *bytes, size_t length)
{
    size_t waiting = digests->length % DIGEST_BLOCK;
    digests->length += length;
    if (waiting > 0) {
        size_t room = DIGEST_BLOCK - waiting, n = length < room ? length : room;
        memcpy(digests->rest + waiting, bytes, n);
        if (n < room)
            return;
        digest_kernel(&digests->words, digests->rest, 1);
        bytes += n;
        length -= n;
    }
    digest_kernel(&digests->words, bytes, length / DIGEST_BLOCK);
    memcpy(digests->rest, bytes + length / DIGEST_BLOCK * DIGEST_BLOCK, length % DIGEST_BLOCK);
}

int digests_add(struct digests *digests, const void *bytes, size_t length, struct err *err)
{
    if (digests->by_kernel)
        add_by_kernel(digests, bytes, length);
    else if (!EVP_DigestUpdate(digests->md5, bytes, length) ||
             !EVP_DigestUpdate(digests->sha256, bytes, length))
        return err_set(err, ERR_BUG, "a digest cannot go on");
    return 0;
}

/* The rest, a bit, zeros, and the length in bits: one block or two. */
static struct digest_words close_words(const struct digests *digests, uint64_t bits)
{
    unsigned char last[2 * DIGEST_BLOCK] = {0};
    size_t waiting = digests->length % DIGEST_BLOCK;
    size_t blocks = waiting + 1 + sizeof bits > DIGEST_BLOCK ? 2 : 1;
    memcpy(last, digests->rest, waiting);
    last[waiting] = 0x80;
    memcpy(last + blocks * DIGEST_BLOCK - sizeof bits, &bits, sizeof bits);
    struct digest_words words = digests->words;
    digest_kernel(&words, last, blocks);
    return words;
}

static void finish_kernel(const struct digests *digests, char *md5, char *sha256)
{
    struct digest_words for_md5 = close_words(digests, htole64(digests->length * 8));
    struct digest_words for_sha256 = close_words(digests, htobe64(digests->length * 8));
    for (size_t i = 0; i < ARRAY_SIZE(for_md5.md5); i++)
        for_md5.md5[i] = htole32(for_md5.md5[i]);
    for (size_t i = 0; i < ARRAY_SIZE(for_sha256.sha256); i++)
        for_sha256.sha256[i] = htobe32(for_sha256.sha256[i]);
    hex_write((unsigned char *)for_md5.md5, sizeof for_md5.md5, md5);
    hex_write((unsigned char *)for_sha256.sha256, sizeof for_sha256.sha256, sha256);
}

static int finish(EVP_MD_CTX *context, char *text, struct err *err)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length;
    if (!EVP_DigestFinal_ex(context, bytes, &length))
        return err_set(err, ERR_BUG, "a digest cannot be finished");
    hex_write(bytes, length, text);
    return 0;
}

int digests_finish(struct digests *digests, char ret_md5[DIGESTS_MD5_TEXT],
                   char ret_sha256[DIGESTS_SHA256_TEXT], struct err *err)
{
    if (digests->by_kernel) {
        finish_kernel(digests, ret_md5, ret_sha256);
        return 0;
    }
    int r = finish(digests->md5, ret_md5, err);
    return r < 0 ? r : finish(digests->sha256, ret_sha256, err);
}
