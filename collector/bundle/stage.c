/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The memory of a stage is a write-back buffer for its temporary file: bytes gather in it, and only
 * when it is full does the file come to be. Most entries never need one.
 *
 * Very short entries are stored, not deflated: the first plain bytes are kept aside until the end
 * is known.
 */
#include "collector/bundle/stage.h"

#include <errno.h>
#include <openssl/evp.h>
#include <zlib.h>

#include "collector/bundle/spool.h"
#include "common/io.h"

#define STORE_BELOW 50 /* bytes; as the original tool does */
#define CHUNK_BYTES (32 * 1024)
#define RAW_WINDOW (-15) /* deflate without a zlib header, largest window: what zip holds */
#define MEMORY_LEVEL 8   /* zlib's default: 256 KiB for each stage */

struct digest {
    EVP_MD_CTX *context;
    char text[2 * EVP_MAX_MD_SIZE + 1];
};

struct stage {
    struct stage_options options;
    struct strbuf memory; /* encoded bytes that are not in the spool */
    int spool;            /* -1 until memory is full */
    int64_t spooled, size;
    z_stream deflate;
    bool has_deflate, deflated, finished;
    unsigned char beginning[STORE_BELOW];
    uint32_t crc;
    struct digest md5, sha256;
};

static int start_digest(struct digest *digest, const EVP_MD *kind, struct err *err)
{
    if (!digest->context)
        digest->context = EVP_MD_CTX_new();
    if (!digest->context)
        return err_nomem(err);
    if (!EVP_DigestInit_ex(digest->context, kind, NULL))
        return err_set(
            err, ERR_UNSUPPORTED,
            "the system's OpenSSL refuses a digest that the inventory needs (FIPS mode?)");
    return 0;
}

static int finish_digest(struct digest *digest, struct err *err)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length;
    if (!EVP_DigestFinal_ex(digest->context, bytes, &length))
        return err_set(err, ERR_BUG, "a digest cannot be finished");
    for (unsigned i = 0; i < length; i++)
        snprintf(digest->text + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static int start(struct stage *stage, struct err *err)
{
    stage->size = stage->spooled = 0;
    stage->finished = false;
    stage->crc = (uint32_t)crc32(0, NULL, 0);
    stage->deflated = stage->has_deflate;
    strbuf_clear(&stage->memory);
    io_close(&stage->spool);
    if (stage->has_deflate && deflateReset(&stage->deflate) != Z_OK)
        return err_set(err, ERR_BUG, "a stage cannot be reset");
    int r = start_digest(&stage->md5, EVP_md5(), err);
    return r < 0 ? r : start_digest(&stage->sha256, EVP_sha256(), err);
}

int stage_new(const struct stage_options *options, struct stage **ret, struct err *err)
{
    struct stage *stage = calloc(1, sizeof *stage);
    if (!stage)
        return err_nomem(err);
    stage->options = *options;
    stage->memory = (struct strbuf)STRBUF_INIT;
    stage->spool = -1;
    if (options->encoding == STAGE_DEFLATE) {
        int r = deflateInit2(&stage->deflate, options->level, Z_DEFLATED, RAW_WINDOW, MEMORY_LEVEL,
                             Z_DEFAULT_STRATEGY);
        if (r != Z_OK) {
            stage_free(stage);
            return r == Z_MEM_ERROR ? err_nomem(err)
                                    : err_set(err, ERR_USAGE, "no compression level %d (1 to 9)",
                                              options->level);
        }
        stage->has_deflate = true;
    }
    int r = start(stage, err);
    if (r < 0) {
        stage_free(stage);
        return r;
    }
    *ret = stage;
    return 0;
}

void *stage_free(struct stage *stage)
{
    if (!stage)
        return NULL;
    if (stage->has_deflate)
        deflateEnd(&stage->deflate);
    strbuf_release(&stage->memory);
    io_close(&stage->spool);
    EVP_MD_CTX_free(stage->md5.context);
    EVP_MD_CTX_free(stage->sha256.context);
    free(stage);
    return NULL;
}

int stage_reset(struct stage *stage, struct err *err)
{
    return start(stage, err);
}

/* Empties the memory into the spool, which is made when it is needed first. */
static int flush_memory(struct stage *stage, struct err *err)
{
    if (stage->spool < 0) {
        int r = spool_open(stage->options.spool_dirfd, &stage->spool, err);
        if (r < 0)
            return r;
    }
    int r = io_write_all(stage->spool, stage->memory.data, stage->memory.length);
    if (r < 0)
        return spool_fail(stage->options.spool_dirfd, -r, err);
    stage->spooled += (int64_t)stage->memory.length;
    strbuf_clear(&stage->memory);
    return 0;
}

static int keep(struct stage *stage, const void *bytes, size_t length, struct err *err)
{
    strbuf_add(&stage->memory, bytes, length);
    if (!strbuf_ok(&stage->memory))
        return err_nomem(err);
    if (stage->options.spool_dirfd >= 0 && stage->memory.length > stage->options.memory_bytes)
        return flush_memory(stage, err);
    return 0;
}

static int compress_some(struct stage *stage, const void *bytes, size_t length, int flush,
                         struct err *err)
{
    unsigned char out[CHUNK_BYTES];
    stage->deflate.next_in = (unsigned char *)(uintptr_t)bytes; /* zlib does not write to it */
    stage->deflate.avail_in = (unsigned)length;
    do {
        stage->deflate.next_out = out;
        stage->deflate.avail_out = sizeof out;
        if (deflate(&stage->deflate, flush) == Z_STREAM_ERROR)
            return err_set(err, ERR_BUG, "zlib refuses to go on");
        int r = keep(stage, out, sizeof out - stage->deflate.avail_out, err);
        if (r < 0)
            return r;
    } while (stage->deflate.avail_out == 0);
    return 0;
}

static int write_chunk(struct stage *stage, const unsigned char *bytes, size_t length,
                       struct err *err)
{
    if (stage->size < STORE_BELOW) {
        size_t room = STORE_BELOW - (size_t)stage->size;
        memcpy(stage->beginning + stage->size, bytes, length < room ? length : room);
    }
    stage->size += (int64_t)length;
    stage->crc = (uint32_t)crc32(stage->crc, bytes, (unsigned)length);
    if (!EVP_DigestUpdate(stage->md5.context, bytes, length) ||
        !EVP_DigestUpdate(stage->sha256.context, bytes, length))
        return err_set(err, ERR_BUG, "a digest cannot go on");
    return stage->has_deflate ? compress_some(stage, bytes, length, Z_NO_FLUSH, err)
                              : keep(stage, bytes, length, err);
}

int stage_write(struct stage *stage, const void *bytes, size_t length, struct err *err)
{
    if (stage->finished)
        return err_set(err, ERR_BUG, "a finished stage was written to");
    /*
     * In chunks: zlib counts in unsigned int, and a chunk is still in the cache for the third
     * reader.
     */
    for (const unsigned char *p = bytes; length > 0;) {
        size_t n = length < CHUNK_BYTES ? length : CHUNK_BYTES;
        int r = write_chunk(stage, p, n, err);
        if (r < 0)
            return r;
        p += n;
        length -= n;
    }
    return 0;
}

int stage_finish(struct stage *stage, struct err *err)
{
    if (stage->finished)
        return 0;
    int r = stage->has_deflate ? compress_some(stage, "", 0, Z_FINISH, err) : 0;
    if (r < 0)
        return r;
    if (stage->has_deflate && stage->size < STORE_BELOW) {
        strbuf_clear(&stage->memory);
        strbuf_add(&stage->memory, stage->beginning, (size_t)stage->size);
        stage->deflated = false;
        stage->spooled = 0;
    }
    if (!strbuf_ok(&stage->memory))
        return err_nomem(err);
    r = finish_digest(&stage->md5, err);
    if (r == 0)
        r = finish_digest(&stage->sha256, err);
    stage->finished = r == 0;
    return r;
}

int stage_read(struct stage *stage,
               int (*sink)(void *context, const void *bytes, size_t length, struct err *err),
               void *context, struct err *err)
{
    char bytes[CHUNK_BYTES];
    for (int64_t at = 0; at < stage->spooled;) {
        ssize_t n = pread(stage->spool, bytes, sizeof bytes, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return spool_fail(stage->options.spool_dirfd, n < 0 ? errno : EIO, err);
        int r = sink(context, bytes, (size_t)n, err);
        if (r < 0)
            return r;
        at += n;
    }
    return stage->memory.length ? sink(context, stage->memory.data, stage->memory.length, err) : 0;
}

int64_t stage_size(const struct stage *stage)
{
    return stage->size;
}

int64_t stage_encoded_size(const struct stage *stage)
{
    return stage->spooled + (int64_t)stage->memory.length;
}

bool stage_is_deflated(const struct stage *stage)
{
    return stage->deflated;
}

uint32_t stage_crc32(const struct stage *stage)
{
    return stage->crc;
}

const char *stage_md5(const struct stage *stage)
{
    return stage->md5.text;
}

const char *stage_sha256(const struct stage *stage)
{
    return stage->sha256.text;
}
