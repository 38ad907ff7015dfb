/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A log from a stranger under fixed patterns: the hits are the same whether it comes whole or in
 * pieces (the first byte says of what size), and each is a line of the log.
 */
#include <stdint.h>

#include "analyzer/match/matcher.h"
#include "common/strbuf.h"

static struct matcher *matcher;
static struct path_pattern file;

static int note(void *context, const struct line_hit *hit, struct err *err)
{
    (void)err;
    if (memchr(hit->text, '\n', hit->length) || hit->line < 1 || hit->count < 1)
        __builtin_trap();
    strbuf_addf(context, "%u@%lld+%lld*%lld;", hit->pattern, (long long)hit->line,
                (long long)hit->offset, (long long)hit->count);
    return 0;
}

static void scan_in_pieces(const char *bytes, size_t size, size_t piece, struct strbuf *ret)
{
    struct scan *scan = NULL;
    if (scan_begin(matcher, "var/log/kern.log", note, ret, &scan, NULL) < 0 || !scan)
        __builtin_trap();
    for (size_t at = 0; at < size; at += piece)
        scan_feed(scan, bytes + at, size - at < piece ? size - at : piece, NULL);
    scan_end(scan, NULL);
    scan_free(scan);
}

static void prepare(void)
{
    static const char *const patterns[] = {"o+m", "^(?<who>\\w+): killed", "error(?! injected)",
                                           "^(?:x)?$", "(a|b)\\1end$"};
    path_pattern_compile(arena_new(1 << 20), "var/log/kern.log", &file, NULL);
    matcher_new(&matcher, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        struct regex *regex = NULL;
        unsigned number;
        regex_compile(patterns[i], strlen(patterns[i]), &regex, NULL);
        matcher_add(matcher, &(struct log_pattern){&file, 1, regex, NULL}, &number, NULL);
    }
    matcher_compile(matcher, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(strbuf_release) struct strbuf whole = STRBUF_INIT, parts = STRBUF_INIT;
    if (size < 2)
        return 0;
    if (!matcher)
        prepare();
    scan_in_pieces((const char *)data + 1, size - 1, size, &whole);
    scan_in_pieces((const char *)data + 1, size - 1, 1 + data[0], &parts);
    if (whole.length != parts.length || memcmp(whole.data, parts.data, whole.length) != 0)
        __builtin_trap();
    return 0;
}
