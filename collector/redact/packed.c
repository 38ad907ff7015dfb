/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the stream is shows in its first bytes; they are held back until it is known.
 */
#include "collector/redact/packed.h"

#include <zlib.h>

#include "collector/redact/generic.h"
#include "collector/redact/gunzip.h"

#define MAGIC_BYTES 6
#define MAGIC_BYTE  0x1f /* the first one of gzip */

/* An unpacker that takes and gives nothing has lost its way. Names in headers are shorter. */
#define MAX_FRUITLESS (128 * 1024)
/* What a file may have in the end that gives nothing, since it was cut: the head of a block. */
#define MAX_CUT_HEAD 512
#define MAX_CUT_FILE 20 /* and when that is all there is */
#define CHUNK        (64 * 1024)
#define GZIP_FORMAT  (15 + 16) /* zlib: largest window, gzip header */
#define MEMORY_LEVEL 8
#define REPACK_LEVEL 6

enum form { UNKNOWN, TEXT, GZIP, OPAQUE, DROPPED };

struct packed {
    enum form form;
    char magic[MAGIC_BYTES];
    size_t magic_length;
    struct generic *generic;
    bool rewrite, wants_rewrite;
    struct gunzip *gunzip;
    z_stream deflate;
    bool has_deflate;
    bool at_end;                /* of one gzip member; another one may follow */
    size_t fruitless;           /* bytes of gzip data since something came out */
    bool fruitful;              /* something ever did */
    struct filter_output inner; /* what was unpacked, filtered */
};

static const struct {
    const char *bytes;
    size_t length;
    enum form form;
} magics[] = {
    {"\x1f\x8b\x08", 3, GZIP},
    {"BZh", 3, OPAQUE},
    {"\xfd"
     "7zXZ",
     5, OPAQUE},
    {"\x28\xb5\x2f\xfd", 4, OPAQUE},
    {"PK\x03\x04", 4, OPAQUE},
};

int packed_open(void **ret, struct err *err)
{
    struct packed *packed = calloc(1, sizeof *packed);
    if (!packed)
        return err_nomem(err);
    packed->inner.bytes = (struct strbuf)STRBUF_INIT;
    int r = generic_new(&packed->generic, err);
    if (r < 0)
        packed_free(packed);
    else
        *ret = packed;
    return r;
}

void packed_free(void *filter)
{
    struct packed *packed = filter;
    generic_free(packed->generic);
    gunzip_free(packed->gunzip);
    if (packed->has_deflate)
        deflateEnd(&packed->deflate);
    strbuf_release(&packed->inner.bytes);
    free(packed);
}

void packed_rewrite(void *filter)
{
    ((struct packed *)filter)->rewrite = true;
}

bool packed_wants_rewrite(const void *filter)
{
    return ((const struct packed *)filter)->wants_rewrite;
}

static int begin_gzip(struct packed *packed, struct err *err)
{
    int r = gunzip_new(&packed->gunzip, err);
    if (r < 0 || !packed->rewrite)
        return r;
    if (deflateInit2(&packed->deflate, REPACK_LEVEL, Z_DEFLATED, GZIP_FORMAT, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return err_nomem(err);
    packed->has_deflate = true;
    return 0;
}

/* Packs what has been filtered. */
static int repack(struct packed *packed, int flush, struct filter_output *out, struct err *err)
{
    unsigned char chunk[CHUNK / 4];
    packed->deflate.next_in = (unsigned char *)packed->inner.bytes.data;
    packed->deflate.avail_in = (unsigned)packed->inner.bytes.length;
    do {
        packed->deflate.next_out = chunk;
        packed->deflate.avail_out = sizeof chunk;
        if (deflate(&packed->deflate, flush) == Z_STREAM_ERROR)
            return err_set(err, ERR_BUG, "zlib refuses to go on");
        strbuf_add(&out->bytes, chunk, sizeof chunk - packed->deflate.avail_out);
    } while (packed->deflate.avail_out == 0);
    return 0;
}

/* Judges or packs what the generic filter has put out. */
static int take_filtered(struct packed *packed, int flush, struct filter_output *out,
                         struct err *err)
{
    int r = 0;
    if (!strbuf_ok(&packed->inner.bytes))
        return err_nomem(err);
    if (packed->rewrite) {
        r = repack(packed, flush, out, err);
        out->replaced += packed->inner.replaced;
    } else if (packed->inner.replaced > 0) {
        packed->wants_rewrite = true;
        r = err_set(err, ERR_UNSUPPORTED, "there are secrets in compressed data");
    }
    packed->inner.replaced = 0;
    strbuf_clear(&packed->inner.bytes);
    return r;
}

static int end_gzip(struct packed *packed, struct filter_output *out, struct err *err)
{
    int r = generic_finish(packed->generic, &packed->inner, err);
    return r == 0 ? take_filtered(packed, Z_FINISH, out, err) : r;
}

/* What follows the last member is no gzip data: it is searched as it stands. */
static int leave_gzip(struct packed *packed, const char *bytes, size_t length,
                      struct filter_output *out, struct err *err)
{
    int r = end_gzip(packed, out, err);
    packed->form = TEXT;
    generic_treat_as_binary(packed->generic);
    return r == 0 ? generic_write(packed->generic, bytes, length, out, err) : r;
}

/* What is behind a damage cannot be searched, but skilled people might read it: it is left out. */
static int drop_rest(struct packed *packed, struct filter_output *out, struct err *err)
{
    static const char notice[] =
        "\n[the rest of this file is damaged and was left out, since secrets "
        "could not be removed from it]\n";
    if (!packed->rewrite) {
        packed->wants_rewrite = true;
        return err_set(err, ERR_UNSUPPORTED, "compressed data are damaged");
    }
    int r = generic_write(packed->generic, notice, sizeof notice - 1, &packed->inner, err);
    packed->inner.replaced++;
    if (r == 0)
        r = end_gzip(packed, out, err);
    packed->form = DROPPED;
    return r;
}

static enum gunzip_status unpack(struct packed *packed, struct gunzip_step *step)
{
    size_t before = step->in_left;
    step->made = 0;
    if (packed->at_end && before == 0)
        return GUNZIP_MEMBER_END;
    enum gunzip_status status = gunzip_run(packed->gunzip, step);
    bool stuck = before > 0 && step->in_left == before && step->made == 0;
    packed->fruitless =
        step->made > 0 || status != GUNZIP_MORE ? 0 : packed->fruitless + before - step->in_left;
    packed->fruitful |= step->made > 0 || status == GUNZIP_MEMBER_END;
    stuck |= packed->fruitless > MAX_FRUITLESS;
    return stuck && status == GUNZIP_MORE ? GUNZIP_DAMAGED : status;
}

static int write_gzip(struct packed *packed, const char *bytes, size_t length,
                      struct filter_output *out, struct err *err)
{
    char chunk[CHUNK];
    struct gunzip_step step = {.in = bytes, .in_left = length, .out = chunk, .room = sizeof chunk};
    do {
        if (packed->at_end && step.in_left > 0 && *step.in != MAGIC_BYTE) {
            size_t taken = length - step.in_left;
            if (!packed->rewrite)
                strbuf_add(&out->bytes, bytes, taken);
            return leave_gzip(packed, step.in, step.in_left, out, err);
        }
        enum gunzip_status status = unpack(packed, &step);
        int r = generic_write(packed->generic, chunk, step.made, &packed->inner, err);
        if (r == 0)
            r = take_filtered(packed, Z_NO_FLUSH, out, err);
        if (r == 0 && status == GUNZIP_DAMAGED)
            return drop_rest(packed, out, err);
        if (r < 0)
            return r;
        packed->at_end = status == GUNZIP_MEMBER_END;
    } while (step.in_left > 0 || step.made == step.room);
    if (!packed->rewrite)
        strbuf_add(&out->bytes, bytes, length);
    return 0;
}

static int pass(struct packed *packed, const char *bytes, size_t length, struct filter_output *out,
                struct err *err)
{
    switch (packed->form) {
    case GZIP:
        return write_gzip(packed, bytes, length, out, err);
    case OPAQUE:
        strbuf_add(&out->bytes, bytes, length);
        return 0;
    case DROPPED:
        return 0;
    case TEXT:
    case UNKNOWN:
        break;
    }
    return generic_write(packed->generic, bytes, length, out, err);
}

static int decide(struct packed *packed, struct filter_output *out, struct err *err)
{
    packed->form = TEXT;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (packed->magic_length >= magics[i].length &&
            memcmp(packed->magic, magics[i].bytes, magics[i].length) == 0)
            packed->form = magics[i].form;
    int r = packed->form == GZIP ? begin_gzip(packed, err) : 0;
    return r == 0 ? pass(packed, packed->magic, packed->magic_length, out, err) : r;
}

int packed_write(void *filter, const char *bytes, size_t length, struct filter_output *out,
                 struct err *err)
{
    struct packed *packed = filter;
    while (length > 0 && packed->form == UNKNOWN) {
        packed->magic[packed->magic_length++] = *bytes++;
        length--;
        int r = packed->magic_length == MAGIC_BYTES ? decide(packed, out, err) : 0;
        if (r < 0)
            return r;
    }
    return length > 0 ? pass(packed, bytes, length, out, err) : 0;
}

int packed_finish(void *filter, struct filter_output *out, struct err *err)
{
    struct packed *packed = filter;
    int r = packed->form == UNKNOWN ? decide(packed, out, err) : 0;
    if (r < 0 || packed->form == OPAQUE || packed->form == DROPPED)
        return r;
    if (packed->form == GZIP &&
        packed->fruitless > (packed->fruitful ? MAX_CUT_HEAD : MAX_CUT_FILE))
        return drop_rest(packed, out, err);
    return packed->form == GZIP ? end_gzip(packed, out, err)
                                : generic_finish(packed->generic, out, err);
}
