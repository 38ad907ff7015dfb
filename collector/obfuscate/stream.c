/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One entry: plain, or gzip, which is inflated, rewritten and deflated again. The first bytes tell.
 *
 * Rotated logs are most of a report's bytes and get compressed a second time here, so the level is
 * a low one: a few per cent more bytes for a third of the time.
 */
#include <zlib.h>

#include "collector/obfuscate/obfuscator.h"

#define HEAD_BYTES   6
#define CHUNK_BYTES  (32 * 1024)
#define GZIP_WINDOW  (15 + 16) /* largest window, gzip's header */
#define GZIP_LEVEL   3
#define MEMORY_LEVEL 8
#define CACHE_SIZE   256

enum form { FORM_UNKNOWN, FORM_PLAIN, FORM_GZIP };

struct cached {
    bool used;
    struct address original, pseudonym;
};

struct obfuscation {
    struct obfuscator *obfuscator;
    struct scanner scanner;
    obfuscation_sink sink;
    void *context;
    bool search; /* nothing is put out */

    enum form form;
    char head[HEAD_BYTES];
    size_t head_length;
    z_stream in, out;
    bool in_open, out_open, between, damaged; /* between two members of a gzip file */
    struct cached cache[CACHE_SIZE];          /* saves the lock: a log repeats few addresses */
};

/* What cannot be looked into, by its first bytes. */
static const struct {
    const char *name;
    size_t length;
    const char *bytes;
} refused[] = {
    {"bzip2", 3, "BZh"},
    {"xz", 6,
     "\xfd"
     "7zXZ\0"},
    {"zstd", 4, "\x28\xb5\x2f\xfd"},
    {"zip", 4, "PK\3\4"},
    {"lz4", 4, "\x04\x22\x4d\x18"},
    {"compress", 2, "\x1f\x9d"},
    {"7z", 4, "7z\xbc\xaf"},
};

static struct address pseudonym(struct obfuscation *o, const struct address *address)
{
    uint32_t low, high;
    memcpy(&low, address->bytes, 4);
    memcpy(&high, address->bytes + 12, 4);
    struct cached *cached = &o->cache[((low ^ high) * 2654435769U) >> 24];
    if (!cached->used || cached->original.kind != address->kind ||
        memcmp(cached->original.bytes, address->bytes, sizeof address->bytes) != 0)
        *cached = (struct cached){true, *address, seen_map(o->obfuscator->seen, address)};
    return cached->pseudonym;
}

static size_t replace(void *context, const struct match *match, char out[SCAN_REPLACEMENT])
{
    struct obfuscation *o = context;
    size_t length = SCAN_KEEP;
    if (match->kind == MATCH_NAME) {
        length = strlen(match->name->pseudonym);
        memcpy(out, match->name->pseudonym, length);
    } else if (match->kind == MATCH_LABEL) {
        if (sources_stop(&o->obfuscator->sources, match->text, match->length))
            return SCAN_KEEP;
        names_pseudonym(o->obfuscator->names, NAME_HOST, match->text, match->length, out);
        seen_label(o->obfuscator->seen, match->text, match->length, out);
        length = strlen(out);
    } else if (!address_is_kept(&match->address->address)) {
        struct address address = pseudonym(o, &match->address->address);
        length = recognise_format(match->address, &address, out, SCAN_REPLACEMENT);
    }
    if (length != SCAN_KEEP)
        atomic_fetch_add_explicit(&o->obfuscator->replaced, 1, memory_order_relaxed);
    return length;
}

static int deflate_some(struct obfuscation *o, const void *bytes, size_t length, int flush,
                        struct err *err)
{
    unsigned char chunk[CHUNK_BYTES];
    o->out.next_in = (unsigned char *)(uintptr_t)bytes; /* zlib does not write to it */
    o->out.avail_in = (unsigned)length;
    do {
        o->out.next_out = chunk;
        o->out.avail_out = sizeof chunk;
        if (deflate(&o->out, flush) == Z_STREAM_ERROR)
            return err_set(err, ERR_BUG, "zlib refuses to go on");
        size_t n = sizeof chunk - o->out.avail_out;
        int r = n ? o->sink(o->context, chunk, n, err) : 0;
        if (r < 0)
            return r;
    } while (o->out.avail_out == 0);
    return 0;
}

static int from_scanner(void *context, const void *bytes, size_t length, struct err *err)
{
    struct obfuscation *o = context;
    return o->out_open ? deflate_some(o, bytes, length, Z_NO_FLUSH, err)
                       : o->sink(o->context, bytes, length, err);
}

static int make(struct obfuscator *obfuscator, const char *member, struct obfuscation **ret,
                struct err *err)
{
    struct obfuscation *o = calloc(1, sizeof *o);
    if (!o)
        return err_nomem(err);
    o->obfuscator = obfuscator;
    o->scanner.names = obfuscator->names;
    o->scanner.versions_only = obfuscator_has_versions(obfuscator, member);
    scanner_init(&o->scanner);
    *ret = o;
    return 0;
}

int obfuscation_new(struct obfuscator *obfuscator, const char *member, obfuscation_sink sink,
                    void *context, struct obfuscation **ret, struct err *err)
{
    struct obfuscation *o = NULL;
    int r = make(obfuscator, member, &o, err);
    if (r < 0)
        return r;
    o->sink = sink;
    o->context = context;
    o->scanner.visit = replace;
    o->scanner.visit_context = o;
    o->scanner.sink = from_scanner;
    o->scanner.sink_context = o;
    *ret = o;
    return 0;
}

int obfuscation_new_search(struct obfuscator *obfuscator, const char *member, scan_visitor visit,
                           void *context, struct obfuscation **ret, struct err *err)
{
    struct obfuscation *o = NULL;
    int r = make(obfuscator, member, &o, err);
    if (r < 0)
        return r;
    o->search = true;
    o->scanner.visit = visit;
    o->scanner.visit_context = context;
    *ret = o;
    return 0;
}

void *obfuscation_free(struct obfuscation *o)
{
    if (!o)
        return NULL;
    if (o->in_open)
        inflateEnd(&o->in);
    if (o->out_open)
        deflateEnd(&o->out);
    scanner_release(&o->scanner);
    free(o);
    return NULL;
}

static int open_gzip(struct obfuscation *o, struct err *err)
{
    o->form = FORM_GZIP;
    if (inflateInit2(&o->in, GZIP_WINDOW) != Z_OK)
        return err_nomem(err);
    o->in_open = true;
    if (o->search)
        return 0;
    if (deflateInit2(&o->out, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return err_nomem(err);
    o->out_open = true;
    return 0;
}

/* Chooses by the first bytes. */
static int choose(struct obfuscation *o, struct err *err)
{
    o->form = FORM_PLAIN;
    if (o->head_length > 2 && memcmp(o->head, "\x1f\x8b\x08", 3) == 0)
        return open_gzip(o, err);
    for (size_t i = 0; i < ARRAY_SIZE(refused) && !o->search; i++)
        if (o->head_length >= refused[i].length &&
            memcmp(o->head, refused[i].bytes, refused[i].length) == 0)
            return err_set(err, ERR_UNSUPPORTED,
                           "it is compressed (%s), so names and addresses in it cannot be "
                           "replaced",
                           refused[i].name);
    return 0;
}

static int inflate_some(struct obfuscation *o, const void *bytes, size_t length, struct err *err)
{
    unsigned char chunk[CHUNK_BYTES];
    o->in.next_in = (unsigned char *)(uintptr_t)bytes;
    o->in.avail_in = (unsigned)length;
    bool full = false;
    while (!o->damaged && (o->in.avail_in > 0 || full)) {
        if (o->between && inflateReset(&o->in) != Z_OK)
            return err_set(err, ERR_BUG, "zlib refuses to go on");
        bool padding = o->between && *o->in.next_in == 0;
        if (padding)
            break; /* zeros behind the end, as on tapes */
        o->between = false;
        o->in.next_out = chunk;
        o->in.avail_out = sizeof chunk;
        int state = inflate(&o->in, Z_NO_FLUSH);
        size_t n = sizeof chunk - o->in.avail_out;
        int r = n ? scanner_write(&o->scanner, chunk, n, err) : 0;
        if (r < 0)
            return r;
        full = o->in.avail_out == 0;
        o->between = state == Z_STREAM_END;
        full = full && !o->between;
        o->damaged = state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR;
    }
    return 0;
}

static int feed(struct obfuscation *o, const void *bytes, size_t length, struct err *err)
{
    return o->form == FORM_GZIP ? inflate_some(o, bytes, length, err)
                                : scanner_write(&o->scanner, bytes, length, err);
}

int obfuscation_write(struct obfuscation *o, const void *bytes, size_t length, struct err *err)
{
    const char *rest = bytes;
    int r = 0;
    if (o->form == FORM_UNKNOWN) {
        while (o->head_length < HEAD_BYTES && length > 0) {
            o->head[o->head_length++] = *rest++;
            length--;
        }
        if (o->head_length < HEAD_BYTES)
            return 0;
        r = choose(o, err);
        if (r == 0)
            r = feed(o, o->head, o->head_length, err);
    }
    return r == 0 && length > 0 ? feed(o, rest, length, err) : r;
}

int obfuscation_finish(struct obfuscation *o, bool *ret_damaged, struct err *err)
{
    int r = 0;
    if (o->form == FORM_UNKNOWN) {
        r = choose(o, err);
        if (r == 0)
            r = feed(o, o->head, o->head_length, err);
    }
    if (r == 0)
        r = scanner_finish(&o->scanner, err);
    if (r == 0 && o->out_open)
        r = deflate_some(o, NULL, 0, Z_FINISH, err);
    *ret_damaged = o->damaged || (o->form == FORM_GZIP && !o->between);
    return r;
}
