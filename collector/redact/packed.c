/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the stream is shows in its first bytes; they are held back until it is known.
 */
#include "collector/redact/packed.h"

#include "collector/redact/codec.h"
#include "collector/redact/generic.h"
#include "common/compiler.h"

#define MAGIC_BYTES 32 /* of which forms are known; most show in the first six */
#define MIN_LETTERS 4  /* of two bytes each, before they are taken for letters */

/* What a file may have in the end that gives nothing, since it was cut: the head of a block. */
#define MAX_CUT_HEAD 512
#define MAX_CUT_FILE 20 /* and when that is all there is */
#define CHUNK        (64 * 1024)

enum form { UNKNOWN, TEXT, PACKED, DROPPED };

struct packed {
    enum form form;
    char magic[MAGIC_BYTES];
    size_t magic_length;
    struct generic *generic;
    bool rewrite, wants_rewrite;
    const struct codec *codec;
    void *unpacker, *packer;
    bool at_end;                /* of one stream; another one may follow */
    size_t fruitless;           /* packed bytes since something came out */
    bool fruitful;              /* something ever did */
    struct filter_output inner; /* what was unpacked, filtered */
};

static const struct codec *const codecs[] = {&codec_gzip, &codec_bzip2, &codec_xz, &codec_zstd};

/* What nobody here can look into. Nothing in the catalog collects any, but a plugin or a tree may.
 */
static const struct {
    const char *name;
    size_t offset; /* of the magic bytes */
    const char *magic;
    size_t length;
} refused[] = {
    {"zip", 0, "PK\3\4", 4},           {"7z", 0, "7z\xbc\xaf", 4},
    {"lz4", 0, "\x04\x22\x4d\x18", 4}, {"lzip", 0, "LZIP", 4},
    {"lzop", 0, "\x89LZO", 4},         {"compress", 0, "\x1f\x9d", 2},
    {"zstd", 1, "\x2a\x4d\x18", 3}, /* behind a frame to be skipped: \x50 to \x5f, then these */
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
    if (packed->codec) {
        packed->codec->unpacker_free(packed->unpacker);
        packed->codec->packer_free(packed->packer);
    }
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

static int begin_packed(struct packed *packed, const struct codec *codec, struct err *err)
{
    packed->form = PACKED;
    packed->codec = codec;
    int r = codec->unpacker_new(&packed->unpacker, err);
    return r == 0 && packed->rewrite ? codec->packer_new(&packed->packer, err) : r;
}

/* Judges or packs what the generic filter has put out. */
static int take_filtered(struct packed *packed, bool end, struct filter_output *out,
                         struct err *err)
{
    int r = 0;
    if (!strbuf_ok(&packed->inner.bytes))
        return err_nomem(err);
    if (packed->rewrite) {
        r = packed->codec->pack(packed->packer, packed->inner.bytes.data,
                                packed->inner.bytes.length, end, &out->bytes, err);
        out->replaced += packed->inner.replaced;
    } else if (packed->inner.replaced > 0) {
        packed->wants_rewrite = true;
        r = err_set(err, ERR_UNSUPPORTED, "there are secrets in compressed data");
    }
    packed->inner.replaced = 0;
    strbuf_clear(&packed->inner.bytes);
    return r;
}

static int end_packed(struct packed *packed, struct filter_output *out, struct err *err)
{
    int r = generic_finish(packed->generic, &packed->inner, err);
    return r == 0 ? take_filtered(packed, true, out, err) : r;
}

/* gzip's readers ignore what follows the last member: it is searched as it stands. */
static int leave_gzip(struct packed *packed, const char *bytes, size_t length,
                      struct filter_output *out, struct err *err)
{
    int r = end_packed(packed, out, err);
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
        r = end_packed(packed, out, err);
    packed->form = DROPPED;
    return r;
}

static enum codec_status unpack(struct packed *packed, struct codec_step *step)
{
    size_t before = step->in_left;
    step->made = 0;
    if (packed->at_end && before == 0)
        return CODEC_END;
    enum codec_status status = packed->codec->unpack(packed->unpacker, step);
    bool stuck = before > 0 && step->in_left == before && step->made == 0;
    packed->fruitless =
        step->made > 0 || status != CODEC_MORE ? 0 : packed->fruitless + before - step->in_left;
    packed->fruitful |= step->made > 0 || status == CODEC_END;
    stuck |= packed->fruitless > packed->codec->max_fruitless;
    return stuck && status == CODEC_MORE ? CODEC_DAMAGED : status;
}

/* What one step has unpacked goes through the generic filter. */
static int filter_step(struct packed *packed, enum codec_status status,
                       const struct codec_step *step, struct filter_output *out, struct err *err)
{
    int r = generic_write(packed->generic, step->out, step->made, &packed->inner, err);
    if (r == 0)
        r = take_filtered(packed, false, out, err);
    if (r == 0 && status == CODEC_TOO_BIG)
        r = err_set(err, ERR_UNSUPPORTED, "the %s data need too much memory to be unpacked",
                    packed->codec->name);
    return r;
}

/* Something else follows the end of the packed data. */
static int follow_end(struct packed *packed, const char *rest, size_t length,
                      struct filter_output *out, struct err *err)
{
    return packed->codec == &codec_gzip ? leave_gzip(packed, rest, length, out, err)
                                        : drop_rest(packed, out, err);
}

static int write_packed(struct packed *packed, const char *bytes, size_t length,
                        struct filter_output *out, struct err *err)
{
    char chunk[CHUNK];
    struct codec_step step = {.in = bytes, .in_left = length, .out = chunk, .room = sizeof chunk};
    do {
        if (packed->at_end && step.in_left > 0 && *step.in != *packed->codec->magic) {
            size_t taken = length - step.in_left;
            if (!packed->rewrite)
                strbuf_add(&out->bytes, bytes, taken);
            return follow_end(packed, step.in, step.in_left, out, err);
        }
        enum codec_status status = unpack(packed, &step);
        int r = filter_step(packed, status, &step, out, err);
        if (r == 0 && status == CODEC_DAMAGED)
            return drop_rest(packed, out, err);
        if (r < 0)
            return r;
        packed->at_end = status == CODEC_END;
    } while (step.in_left > 0 || step.made == step.room);
    if (!packed->rewrite)
        strbuf_add(&out->bytes, bytes, length);
    return 0;
}

static int pass(struct packed *packed, const char *bytes, size_t length, struct filter_output *out,
                struct err *err)
{
    switch (packed->form) {
    case PACKED:
        return write_packed(packed, bytes, length, out, err);
    case DROPPED:
        return 0;
    case TEXT:
    case UNKNOWN:
        break;
    }
    return generic_write(packed->generic, bytes, length, out, err);
}

static bool begins_with(const struct packed *packed, size_t offset, const char *magic,
                        size_t length)
{
    return packed->magic_length >= offset + length &&
           memcmp(packed->magic + offset, magic, length) == 0;
}

static bool is_letter(char c)
{
    return (c >= ' ' && c <= '~') || c == '\t' || c == '\r' || c == '\n';
}

/* Whether nothing but ASCII stands there in two bytes each, with the letter at `place`. */
static bool is_wide(const struct packed *packed, size_t place)
{
    size_t letters = 0;
    for (size_t i = 0; i + 1 < packed->magic_length; i += 2, letters++)
        if (!is_letter(packed->magic[i + place]) || packed->magic[i + 1 - place])
            return false;
    return letters >= MIN_LETTERS;
}

/* UTF-16, by its byte order mark or by its look: the detectors know letters of one byte. */
static bool is_utf16(const struct packed *packed)
{
    const char *p = packed->magic;
    if (packed->magic_length < 4)
        return false;
    bool little = p[0] == '\xff' && p[1] == '\xfe', big = p[0] == '\xfe' && p[1] == '\xff';
    return (little && p[2] && !p[3]) || (big && !p[2] && p[3]) || is_wide(packed, 0) ||
           is_wide(packed, 1);
}

/* Chooses the form by the first bytes. */
static int choose_form(struct packed *packed, struct err *err)
{
    packed->form = TEXT;
    for (size_t i = 0; i < ARRAY_SIZE(codecs); i++)
        if (begins_with(packed, 0, codecs[i]->magic, codecs[i]->magic_length))
            return begin_packed(packed, codecs[i], err);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        if (begins_with(packed, refused[i].offset, refused[i].magic, refused[i].length))
            return err_set(err, ERR_UNSUPPORTED, "%s data cannot be searched", refused[i].name);
    if (is_utf16(packed))
        return err_set(err, ERR_UNSUPPORTED, "UTF-16 data cannot be searched");
    return 0;
}

static int decide(struct packed *packed, struct filter_output *out, struct err *err)
{
    int r = choose_form(packed, err);
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
    if (r < 0 || packed->form == DROPPED)
        return r;
    if (packed->form == PACKED &&
        packed->fruitless > (packed->fruitful ? MAX_CUT_HEAD : MAX_CUT_FILE))
        return drop_rest(packed, out, err);
    return packed->form == PACKED ? end_packed(packed, out, err)
                                  : generic_finish(packed->generic, out, err);
}
