/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Cuts a stream into lines, wherever the chunks end, and hands each whole line to a function.
 */
#include "collector/redact/lines.h"

/* xenstore's longest value is 4 KiB, each byte of it four when escaped. */
#define MAX_LINE ((size_t)1024 * 1024)

struct lines {
    line_rewrite rewrite;
    struct strbuf partial; /* the beginning of a line whose end has not come */
};

int lines_open(line_rewrite rewrite, void **ret, struct err *err)
{
    struct lines *lines = calloc(1, sizeof *lines);
    if (!lines)
        return err_nomem(err);
    lines->rewrite = rewrite;
    lines->partial = (struct strbuf)STRBUF_INIT;
    *ret = lines;
    return 0;
}

void lines_free(void *filter)
{
    struct lines *lines = filter;
    strbuf_release(&lines->partial);
    free(lines);
}

static int keep(struct lines *lines, const char *bytes, size_t length, struct err *err)
{
    if (lines->partial.length + length > MAX_LINE)
        return err_set(err, ERR_LIMIT, "a line of more than 1 MiB cannot be searched for secrets");
    strbuf_add(&lines->partial, bytes, length);
    return strbuf_ok(&lines->partial) ? 0 : err_nomem(err);
}

int lines_write(void *filter, const char *bytes, size_t length, struct filter_output *out,
                struct err *err)
{
    struct lines *lines = filter;
    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t n = newline ? (size_t)(newline - bytes) : length;
        if (newline && lines->partial.length == 0) {
            lines->rewrite(bytes, n, out);
        } else {
            int r = keep(lines, bytes, n, err);
            if (r < 0)
                return r;
            if (newline) {
                lines->rewrite(lines->partial.data, lines->partial.length, out);
                strbuf_clear(&lines->partial);
            }
        }
        if (newline)
            strbuf_addc(&out->bytes, '\n');
        n += newline != NULL;
        bytes += n;
        length -= n;
    }
    return 0;
}

int lines_finish(void *filter, struct filter_output *out, struct err *err)
{
    (void)err;
    struct lines *lines = filter;
    if (lines->partial.length > 0)
        lines->rewrite(lines->partial.data, lines->partial.length, out);
    strbuf_clear(&lines->partial);
    return 0;
}
