/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Scanning one log: bytes are gathered into blocks that end with a line, and each block is searched
 * at once.
 *
 * Hyperscan looks at the block as a whole, so it may report a match that spans lines. That is no
 * harm: every match within one line is among the reports, and PCRE2 decides on the line alone. A
 * pattern is asked once a line however often Hyperscan reports it there.
 *
 * The last lines of what is at hand wait for the next block, and the last that were searched stay:
 * so each hit has its surroundings beside it in memory.
 */
#include "analyzer/match/effort.h"
#include "analyzer/match/matcher_private.h"

/* Big enough that Hyperscan's start-up per block does not count, small enough to stay in the
 * cache. */
#define BLOCK_SIZE (256 * 1024)

/* PCRE2 sees at most this much of a line: longer lines are dumps, and a hit is near the start. */
#define LINE_MAX_LENGTH (64 * 1024)

/* The surroundings of a hit reach this far, however long the lines are. */
#define AROUND_MAX (16 * 1024)

struct scan {
    const struct matcher *matcher;
    const struct audience *audience;
    hit_sink sink;
    void *context;
    hs_scratch_t *scratch;
    struct regex_scratch *regex_scratch;
    int64_t *handled; /* by pattern: where in the file the next line begins that it is not asked
                         about yet */
    struct effort *efforts; /* by pattern */
    bool any_aborted;

    struct strbuf block;
    size_t searched;        /* its first bytes: lines that stay as surroundings of the next */
    size_t limit;           /* what is searched ends here */
    int64_t block_offset;   /* of the block's first byte in the file */
    int64_t first_line;     /* number of the first line that is not searched */
    const char *counted_to; /* lines before this place are counted ... */
    int64_t counted_line;   /* ... and this is the number of the line that starts or contains it */
    struct err *err;
    int failure;
};

int scan_begin(const struct matcher *matcher, const struct audience *audience, hit_sink sink,
               void *context, struct scan **ret, struct err *err)
{
    size_t count = matcher->patterns.count;
    struct scan *scan = calloc(1, sizeof *scan);
    if (!scan)
        return err_nomem(err);
    *scan = (struct scan){
        .matcher = matcher,
        .audience = audience,
        .sink = sink,
        .context = context,
        .handled = calloc(count + 1, sizeof *scan->handled),
        .efforts = calloc(count + 1, sizeof *scan->efforts),
        .regex_scratch = regex_scratch_new(),
        .block = STRBUF_INIT,
        .first_line = 1,
    };
    if (!scan->handled || !scan->efforts || !scan->regex_scratch ||
        (matcher->scratch && hs_clone_scratch(matcher->scratch, &scan->scratch) != HS_SUCCESS)) {
        scan_free(scan);
        return err_nomem(err);
    }
    *ret = scan;
    return 0;
}

void *scan_free(struct scan *scan)
{
    if (!scan)
        return NULL;
    hs_free_scratch(scan->scratch);
    regex_scratch_free(scan->regex_scratch);
    strbuf_release(&scan->block);
    free(scan->handled);
    free(scan->efforts);
    free(scan);
    return NULL;
}

/* Sixteen bytes at a time: all logs pass here, and what a compiler makes of the simple loop costs
 * as much as the search. */
typedef unsigned char bytes16 __attribute__((vector_size(16)));

/* Comparisons give 255, so a byte overflows after this many. */
#define ROUNDS_MAX 255

static int64_t count_newlines(const char *p, const char *end)
{
    const bytes16 newlines = {'\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n',
                              '\n', '\n', '\n', '\n', '\n', '\n', '\n', '\n'};
    int64_t count = 0;
    while (end - p >= 16) {
        bytes16 sums = {0}, block;
        for (int round = 0; round < ROUNDS_MAX && end - p >= 16; round++, p += 16) {
            memcpy(&block, p, sizeof block);
            sums -= (bytes16)(block == newlines);
        }
        for (int i = 0; i < 16; i++)
            count += sums[i];
    }
    for (; p < end; p++)
        count += *p == '\n';
    return count;
}

static int64_t line_number(struct scan *scan, const char *place)
{
    if (place < scan->counted_to) {
        scan->counted_to = scan->block.data + scan->searched;
        scan->counted_line = scan->first_line;
    }
    scan->counted_line += count_newlines(scan->counted_to, place);
    scan->counted_to = place;
    return scan->counted_line;
}

/* rsyslog folds equal lines: "kernel: message repeated 25 times: [ text]". */
static int64_t repetitions(const char *line, size_t length)
{
    static const char folded[] = "message repeated ";
    const char *p = memmem(line, length < 256 ? length : 256, folded, sizeof folded - 1);
    if (!p)
        return 1;
    int64_t count = 0;
    for (p += sizeof folded - 1; p < line + length && *p >= '0' && *p <= '9' && count < 1000000;
         p++)
        count = count * 10 + (*p - '0');
    return count > 0 ? count : 1;
}

static bool matches(struct scan *scan, unsigned number, const struct regex *regex, const char *line,
                    size_t length)
{
    enum regex_result result =
        effort_match(&scan->efforts[number], regex, scan->regex_scratch, line, length);
    scan->any_aborted = scan->any_aborted || result == REGEX_ABORTED;
    return result == REGEX_MATCH;
}

/* Asks PCRE2 about one line and hands the hit on. */
static int examine(struct scan *scan, unsigned number, const char *line, const char *line_end)
{
    const struct log_pattern *pattern = &scan->matcher->patterns.items[number].source;
    size_t length = (size_t)(line_end - line);
    if (length && line[length - 1] == '\r')
        length--;
    size_t examined = length < LINE_MAX_LENGTH ? length : LINE_MAX_LENGTH;
    if (pattern->unless && matches(scan, number, pattern->unless, line, examined))
        return 0;
    if (!matches(scan, number, pattern->match, line, examined))
        return 0;
    struct line_hit hit = {
        .pattern = number,
        .line = line_number(scan, line),
        .offset = scan->block_offset + (line - scan->block.data),
        .text = line,
        .length = length,
        .count = repetitions(line, examined),
        .groups = scan->regex_scratch,
        .around = scan->block.data,
        .around_end = scan->block.data + scan->block.length,
    };
    return scan->sink(scan->context, &hit, scan->err);
}

/* Hyperscan's report: the pattern may end at byte `to` of the block. Non-zero ends the scan. */
static int on_candidate(unsigned number, unsigned long long from, unsigned long long to,
                        unsigned flags, void *context)
{
    (void)from;
    (void)flags;
    struct scan *scan = context;
    if (!scan->audience->has[number] || to == 0)
        return 0;
    const char *block = scan->block.data + scan->searched;
    const char *last = block + to - 1; /* the match's last byte */
    if (scan->block_offset + (last - scan->block.data) < scan->handled[number])
        return 0;
    const char *newline = last > block ? memrchr(block, '\n', (size_t)(last - block)) : NULL;
    const char *line = newline ? newline + 1 : block;
    const char *end = scan->block.data + scan->limit;
    const char *line_end = memchr(last, '\n', (size_t)(end - last));
    if (!line_end)
        line_end = end;
    scan->handled[number] = scan->block_offset + (line_end + 1 - scan->block.data);
    scan->failure = examine(scan, number, line, line_end);
    return scan->failure;
}

static int scan_slow_patterns(struct scan *scan)
{
    const char *end = scan->block.data + scan->limit;
    for (const char *line = scan->block.data + scan->searched; line < end;) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        if (!line_end)
            line_end = end;
        for (size_t i = 0; i < scan->matcher->patterns.count; i++)
            if (scan->audience->has[i] && scan->matcher->patterns.items[i].slow_reason) {
                int r = examine(scan, (unsigned)i, line, line_end);
                if (r < 0)
                    return r;
            }
        line = line_end + 1;
    }
    return 0;
}

/* Where the last CONTEXT_LINES lines before `end` begin, not farther away than AROUND_MAX. */
static size_t last_lines(const char *block, size_t end)
{
    size_t floor = end > AROUND_MAX ? end - AROUND_MAX : 0, start = end;
    for (int lines = 0; lines < CONTEXT_LINES && start > floor; lines++) {
        const char *newline =
            start - 1 > floor ? memrchr(block + floor, '\n', start - 1 - floor) : NULL;
        if (!newline && floor > 0)
            break;
        start = newline ? (size_t)(newline + 1 - block) : 0;
    }
    return start;
}

/* Searches the block up to `limit`, which is the end of a line. */
static int scan_block(struct scan *scan, size_t limit, struct err *err)
{
    const char *start = scan->block.data + scan->searched;
    scan->limit = limit;
    scan->err = err;
    scan->failure = 0;
    scan->counted_to = start;
    scan->counted_line = scan->first_line;
    for (size_t i = 0; i < scan->audience->database_count; i++) {
        hs_error_t code =
            hs_scan(scan->audience->databases[i], start, (unsigned)(limit - scan->searched), 0,
                    scan->scratch, on_candidate, scan);
        if (scan->failure < 0)
            return scan->failure;
        if (code != HS_SUCCESS)
            return err_set(err, ERR_BUG, "scanning failed with code %d", code);
    }
    if (scan->audience->has_slow) {
        int r = scan_slow_patterns(scan);
        if (r < 0)
            return r;
    }
    scan->first_line = line_number(scan, scan->block.data + limit);
    size_t forget = last_lines(scan->block.data, limit);
    scan->block_offset += (int64_t)forget;
    scan->searched = limit - forget;
    strbuf_consume(&scan->block, forget);
    return 0;
}

/* How far a full block can be searched: to the end of a line that others follow. */
static size_t searchable(const struct scan *scan)
{
    const char *fresh = scan->block.data + scan->searched;
    const char *newline = memrchr(fresh, '\n', scan->block.length - scan->searched);
    /* A line longer than a block is searched in parts. */
    if (!newline)
        return scan->block.length;
    size_t whole = (size_t)(newline + 1 - scan->block.data);
    size_t limit = last_lines(scan->block.data, whole);
    return limit > scan->searched ? limit : whole;
}

int scan_feed(struct scan *scan, const char *bytes, size_t length, struct err *err)
{
    while (length > 0) {
        size_t room = BLOCK_SIZE - scan->block.length;
        size_t n = length < room ? length : room;
        strbuf_add(&scan->block, bytes, n);
        if (!strbuf_ok(&scan->block))
            return err_nomem(err);
        bytes += n;
        length -= n;
        if (scan->block.length < BLOCK_SIZE)
            break;
        int r = scan_block(scan, searchable(scan), err);
        if (r < 0)
            return r;
    }
    return 0;
}

int scan_end(struct scan *scan, struct err *err)
{
    return scan->block.length > scan->searched ? scan_block(scan, scan->block.length, err) : 0;
}

bool scan_was_aborted(const struct scan *scan)
{
    return scan->any_aborted;
}

bool scan_gave_up(const struct scan *scan, unsigned pattern)
{
    return scan->efforts[pattern].aborted > 0 || scan->efforts[pattern].is_spent;
}
