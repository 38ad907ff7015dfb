/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whole lines are taken from the caller's bytes where they are; only the beginning of a line whose
 * end has not come is kept. Where a piece of a long line ends depends on nothing but its place in
 * the line, so the result is the same however the stream is cut.
 */
#include "collector/redact/generic.h"

#include <string.h>

#include "collector/redact/generic_private.h"
#include "collector/redact/terminal.h"

#define WINDOW ((size_t)256 * 1024) /* a longer line is looked at in pieces of this size */

int generic_new(struct generic **ret, struct err *err)
{
    struct generic *generic = calloc(1, sizeof *generic);
    if (!generic)
        return err_nomem(err);
    generic->pending = generic->headless.held = (struct strbuf)STRBUF_INIT;
    *ret = generic;
    return 0;
}

void *generic_free(struct generic *generic)
{
    if (generic) {
        strbuf_release(&generic->pending);
        strbuf_release(&generic->headless.held);
    }
    free(generic);
    return NULL;
}

static struct block block_of(struct generic *generic, const char *begin, const char *from,
                             const char *limit, const char *end)
{
    const char *nul = generic->binary ? from : memchr(from, '\0', (size_t)(end - from));
    return (struct block){begin, from, limit, end, nul ? nul : end};
}

/* A line that goes on and on: its beginning goes out, the overlap and some to look back stay. */
static void redact_window(struct generic *generic, struct filter_output *out)
{
    const char *begin = generic->pending.data, *end = begin + generic->pending.length;
    struct block block = block_of(generic, begin, begin + generic->done, end - OVERLAP, end);
    const char *to = generic_block(generic, &block, out);
    generic->binary |= block.binary < to;
    size_t keep_from = (size_t)(to - begin) > LOOK_BACK ? (size_t)(to - begin) - LOOK_BACK : 0;
    generic->done = (size_t)(to - begin) - keep_from;
    strbuf_consume(&generic->pending, keep_from);
}

/*
 * A line with sequences for a terminal in it is judged as it is seen. It stays as it is, unless
 * there is a secret in it; then it loses its colours as well.
 */
static void redact_coloured(struct generic *generic, const char *from, const char *end,
                            struct filter_output *out)
{
    struct strbuf seen = STRBUF_INIT;
    struct filter_output rest = {.bytes = STRBUF_INIT};
    terminal_strip(from, end, &seen);
    const struct block block = {seen.data, seen.data, seen.data + seen.length,
                                seen.data + seen.length, seen.data + seen.length};
    if (strbuf_ok(&seen))
        generic_block(generic, &block, &rest);
    bool same =
        rest.bytes.length == seen.length && memcmp(rest.bytes.data, seen.data, seen.length) == 0;
    if (!strbuf_ok(&seen) || !strbuf_ok(&rest.bytes))
        out->bytes.failed = true; /* no memory: nothing may go out */
    else if (same)
        strbuf_add(&out->bytes, from, (size_t)(end - from));
    else
        strbuf_add(&out->bytes, rest.bytes.data, rest.bytes.length);
    out->replaced += rest.replaced;
    strbuf_release(&seen);
    strbuf_release(&rest.bytes);
}

/* Lines before the first one with a sequence for a terminal, and that one; returns what is left. */
static const char *redact_to_coloured(struct generic *generic, const char *from, const char *end,
                                      struct filter_output *out)
{
    const char *escape = memchr(from, TERMINAL_ESCAPE, (size_t)(end - from));
    if (!escape)
        return from;
    const char *before = memrchr(from, '\n', (size_t)(escape - from));
    const char *line = before ? before + 1 : from;
    const char *newline = memchr(escape, '\n', (size_t)(end - escape));
    const char *next = newline ? newline + 1 : end;
    const struct block block = {from, from, line, line, line};
    generic_block(generic, &block, out);
    redact_coloured(generic, line, next, out);
    return next;
}

static void redact_lines(struct generic *generic, const char *begin, const char *from,
                         const char *end, struct filter_output *out)
{
    struct block block = block_of(generic, begin, from, end, end);
    /* A line whose beginning is out already was judged as it is; and so are data, from the line in
     * which they begin. */
    const char *newline =
        block.binary < end ? memrchr(from, '\n', (size_t)(block.binary - from)) : end - 1;
    const char *text_end = newline ? newline + 1 : from;
    while (from == begin && from < text_end) {
        begin = redact_to_coloured(generic, from, text_end, out);
        if (begin == from)
            break;
        block.begin = block.from = from = begin;
    }
    generic_block(generic, &block, out);
    generic->binary |= block.binary < end;
}

static int keep(struct generic *generic, const char *bytes, size_t length,
                struct filter_output *out, struct err *err)
{
    while (length > 0) {
        size_t room = WINDOW - generic->pending.length, n = length < room ? length : room;
        strbuf_add(&generic->pending, bytes, n);
        if (!strbuf_ok(&generic->pending))
            return err_nomem(err);
        if (generic->pending.length == WINDOW)
            redact_window(generic, out);
        bytes += n;
        length -= n;
    }
    return 0;
}

static void flush_pending(struct generic *generic, struct filter_output *out)
{
    const char *begin = generic->pending.data;
    redact_lines(generic, begin, begin + generic->done, begin + generic->pending.length, out);
    strbuf_clear(&generic->pending);
    generic->done = 0;
}

static int write_lines(struct generic *generic, const char *bytes, size_t length,
                       struct filter_output *out, struct err *err)
{
    const char *end = bytes + length;
    if (generic->pending.length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        const char *stop = newline ? newline + 1 : end;
        int r = keep(generic, bytes, (size_t)(stop - bytes), out, err);
        if (r < 0)
            return r;
        if (newline)
            flush_pending(generic, out);
        bytes = stop;
    }
    const char *newline = memrchr(bytes, '\n', (size_t)(end - bytes));
    if (newline) {
        redact_lines(generic, bytes, bytes, newline + 1, out);
        bytes = newline + 1;
    }
    return keep(generic, bytes, (size_t)(end - bytes), out, err);
}

/* The stream's beginning, once it is known whether it is what is left of a key. */
static int write_beginning(struct generic *generic, struct filter_output *out, struct err *err)
{
    struct strbuf *held = &generic->headless.held;
    int r =
        strbuf_ok(held) ? write_lines(generic, held->data, held->length, out, err) : err_nomem(err);
    strbuf_release(held);
    return r;
}

int generic_write(struct generic *generic, const char *bytes, size_t length,
                  struct filter_output *out, struct err *err)
{
    if (generic->headless.over || length == 0)
        return write_lines(generic, bytes, length, out, err);
    return headless_take(&generic->headless, bytes, length, &out->replaced)
               ? write_beginning(generic, out, err)
               : 0;
}

void generic_treat_as_binary(struct generic *generic)
{
    generic->binary = true;
}

int generic_finish(struct generic *generic, struct filter_output *out, struct err *err)
{
    int r = 0;
    if (!generic->headless.over) {
        headless_finish(&generic->headless, &out->replaced);
        r = write_beginning(generic, out, err);
    }
    flush_pending(generic, out);
    return r;
}
