/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The memory of a stage is a write-back buffer for its temporary file: bytes gather in it, and only
 * when it is full does the file come to be. Most entries never need one.
 *
 * What is compressed already (rotated logs) is known by its first bytes, not by its name, which may
 * lie. Very short entries are stored too, as the original tool does.
 */
#include "collector/bundle/stage.h"

#include <errno.h>
#include <zlib.h>

#include "collector/bundle/blocks.h"
#include "collector/bundle/digests.h"
#include "collector/bundle/spool.h"
#include "common/io.h"

#define STORE_BELOW 50 /* bytes; as the original tool does */
#define MAGIC_BYTES 6
#define READ_BYTES  (64 * 1024)
/*
 * What one thread works on: large enough that beginning without the 32 KiB before it costs only
 * half a percent, small enough that many entries at once fit into memory.
 */
#define BLOCK_BYTES (256 * 1024)

struct stage {
    struct stage_options options;
    struct strbuf memory; /* encoded bytes that are not in the spool */
    int spool;            /* -1 until memory is full */
    int64_t spooled, size;
    struct blocks *blocks;
    bool stored; /* settled before the first block is full */
    bool deflated, finished;
    unsigned char beginning[MAGIC_BYTES];
    uint32_t crc;
    struct digests *digests;
    char md5[DIGESTS_MD5_TEXT], sha256[DIGESTS_SHA256_TEXT];
};

static int write_spool(struct stage *stage, const void *bytes, size_t length, struct err *err)
{
    struct room *room = stage->options.room;
    if (room && !room_begin(room, length))
        return err_set(err, ERR_LIMIT, ROOM_FULL);
    int r = io_write_all(stage->spool, bytes, length);
    if (room)
        room_end(room, length);
    if (r < 0)
        return spool_fail(stage->options.spool_dirfd, -r, err);
    stage->spooled += (int64_t)length;
    return 0;
}

static int keep(struct stage *stage, const void *bytes, size_t length, struct err *err)
{
    struct strbuf *memory = &stage->memory;
    bool fits =
        stage->options.spool_dirfd < 0 || memory->length + length <= stage->options.memory_bytes;
    if (fits) {
        strbuf_add(memory, bytes, length);
        return strbuf_ok(memory) ? 0 : err_nomem(err);
    }
    int r = stage->spool < 0 ? spool_open(stage->options.spool_dirfd, &stage->spool, err) : 0;
    if (r == 0)
        r = write_spool(stage, memory->data, memory->length, err);
    strbuf_clear(memory);
    return r == 0 ? write_spool(stage, bytes, length, err) : r;
}

/* Any thread, besides digest(). */
static int encode(void *owner, struct block *block, struct err *err)
{
    const struct stage *stage = owner;
    struct compressor *compressor = stage->options.compressor;
    block->crc = compressor_crc32(compressor, 0, block->bytes, block->length);
    bool tiny = block->first && block->last && block->length < STORE_BELOW;
    if (stage->stored || tiny)
        return 0;
    int r = block_room(block, deflate_room(block->length), err);
    if (r < 0)
        return r;
    const struct deflate_piece piece = {block->bytes, block->length, block->last, block->out};
    return compressor_deflate(compressor, &piece, &block->out_length, err);
}

static int digest(void *owner, const struct block *block, struct err *err)
{
    struct stage *stage = owner;
    return digests_add(stage->digests, block->bytes, block->length, err);
}

static int take_block(void *owner, struct block *block, struct err *err)
{
    struct stage *stage = owner;
    stage->crc = (uint32_t)crc32_combine(stage->crc, block->crc, (z_off_t)block->length);
    stage->deflated = block->out_length > 0;
    return stage->deflated ? keep(stage, block->out, block->out_length, err)
                           : keep(stage, block->bytes, block->length, err);
}

static const struct blocks_ops block_ops = {
    .transform = encode, .follow = digest, .emit = take_block};

static int start(struct stage *stage, struct err *err)
{
    stage->size = stage->spooled = 0;
    stage->finished = stage->deflated = false;
    stage->stored = stage->options.encoding == STAGE_PLAIN;
    stage->crc = 0;
    strbuf_clear(&stage->memory);
    io_close(&stage->spool);
    int r = 0;
    if (!stage->blocks)
        r = blocks_new(compressor_crew(stage->options.compressor), BLOCK_BYTES, &block_ops, stage,
                       &stage->blocks, err);
    if (r < 0)
        return r;
    return stage->digests ? digests_reset(stage->digests, err) : digests_new(&stage->digests, err);
}

int stage_new(const struct stage_options *options, struct stage **ret, struct err *err)
{
    struct stage *stage = calloc(1, sizeof *stage);
    if (!stage)
        return err_nomem(err);
    stage->options = *options;
    stage->memory = (struct strbuf)STRBUF_INIT;
    stage->spool = -1;
    int r = start(stage, err);
    if (r < 0)
        stage_free(stage);
    else
        *ret = stage;
    return r;
}

void *stage_free(struct stage *stage)
{
    if (!stage)
        return NULL;
    blocks_free(stage->blocks);
    strbuf_release(&stage->memory);
    io_close(&stage->spool);
    digests_free(stage->digests);
    free(stage);
    return NULL;
}

int stage_reset(struct stage *stage, struct err *err)
{
    if (stage->blocks)
        blocks_reset(stage->blocks);
    return start(stage, err);
}

/* gzip, bzip2, xz, zstd */
static bool is_compressed(const unsigned char bytes[MAGIC_BYTES])
{
    static const struct {
        const char *bytes;
        size_t length;
    } magics[] = {{"\x1f\x8b\x08", 3},
                  {"BZh", 3},
                  {"\xfd"
                   "7zXZ",
                   6},
                  {"\x28\xb5\x2f\xfd", 4}};
    for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
        if (memcmp(bytes, magics[i].bytes, magics[i].length) == 0)
            return true;
    return false;
}

int stage_write(struct stage *stage, const void *bytes, size_t length, struct err *err)
{
    if (!stage->blocks)
        return err_set(err, ERR_BUG, "a finished stage was written to");
    if (stage->size < MAGIC_BYTES && length > 0) {
        size_t room = MAGIC_BYTES - (size_t)stage->size;
        memcpy(stage->beginning + stage->size, bytes, length < room ? length : room);
        if (length >= room && is_compressed(stage->beginning))
            stage->stored = true;
    }
    stage->size += (int64_t)length;
    return blocks_write(stage->blocks, bytes, length, err);
}

int stage_finish(struct stage *stage, struct err *err)
{
    if (stage->finished)
        return 0;
    int r = blocks_finish(stage->blocks, err);
    stage->blocks = blocks_free(stage->blocks);
    if (r == 0)
        r = digests_finish(stage->digests, stage->md5, stage->sha256, err);
    stage->finished = r == 0;
    return r;
}

int stage_read(struct stage *stage,
               int (*sink)(void *context, const void *bytes, size_t length, struct err *err),
               void *context, struct err *err)
{
    char bytes[READ_BYTES];
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
    return stage->md5;
}

const char *stage_sha256(const struct stage *stage)
{
    return stage->sha256;
}
