/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A log from a stranger under fixed patterns: the hits are the same whether it comes whole or in
 * pieces (the first byte says of what size), and each is a line of the log.
 */
#include <stdint.h>

#include "analyzer/match/matcher.h"
#include "common/strbuf.h"

static const char *const patterns[] = {"o+m", "^(?<who>\\w+): killed", "error(?! injected)",
                                       "^(?:x)?$", "(a|b)\\1end$"};
static struct regex *regexes[ARRAY_SIZE(patterns)];
static struct matcher *matcher;
static struct audience *audience;
static struct path_pattern file;
static struct arena *arena;

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
    if (scan_begin(matcher, audience, note, ret, &scan, NULL) < 0)
        __builtin_trap();
    for (size_t at = 0; at < size; at += piece)
        scan_feed(scan, bytes + at, size - at < piece ? size - at : piece, NULL);
    scan_end(scan, NULL);
    scan_free(scan);
}

static void prepare(void)
{
    arena = arena_new(1 << 20);
    path_pattern_compile(arena, "var/log/kern.log", &file, NULL);
    matcher_new(&matcher, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        unsigned number;
        regex_compile(patterns[i], strlen(patterns[i]), &regexes[i], NULL);
        matcher_add(matcher, &(struct log_pattern){&file, 1, regexes[i], NULL}, &number, NULL);
    }
    matcher_compile(matcher, NULL, NULL);
    if (matcher_audience(matcher, "var/log/kern.log", &audience, NULL) < 0 || !audience)
        __builtin_trap();
}

/* At the end, for the search for leaks: the compiler forgets a pointer that nobody reads. */
static void __attribute__((destructor)) release(void)
{
    matcher_free(matcher);
    for (size_t i = 0; i < ARRAY_SIZE(regexes); i++)
        regex_free(regexes[i]);
    if (arena)
        arena_free(arena);
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
