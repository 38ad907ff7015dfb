/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Judges lines: at each anchor the detectors are asked. What lasts over lines (a private key, a
 * value on the lines below its name, a table) is kept in the search itself.
 *
 * A secret may stand far behind its anchor, as an option does behind the name of its program. What
 * is between the two is searched as well, and so is what comes behind it.
 */
#include <ctype.h>
#include <string.h>

#include "collector/redact/anchors.h"
#include "collector/redact/generic_private.h"
#include "collector/redact/secrets.h"

static bool ends_binary_string(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

static const char *line_end(const struct block *block, const char *from)
{
    const char *end = (size_t)(block->end - from) > OVERLAP ? from + OVERLAP : block->end;
    if (from >= block->binary) {
        while (from < end && !ends_binary_string(*from))
            from++;
        return from;
    }
    const char *newline = memchr(from, '\n', (size_t)(end - from));
    end = newline ? newline : end;
    return block->binary < end ? block->binary : end;
}

static const char *line_begin(const struct block *block, const char *at)
{
    const char *from = (size_t)(at - block->begin) > LOOK_BACK ? at - LOOK_BACK : block->begin;
    const char *p = at;
    bool binary = at >= block->binary;
    while (p > from && p[-1] != '\n' && p[-1] && !(binary && ends_binary_string(p[-1])))
        p--;
    return p;
}

static void put_mask(const struct block *block, const struct finding *finding,
                     struct filter_output *out)
{
    static const char mask[] = REMOVED;
    if (finding->from < block->binary) {
        strbuf_adds(&out->bytes, mask);
    } else {
        for (size_t i = 0; i < (size_t)(finding->to - finding->from); i++)
            strbuf_addc(&out->bytes, mask[i % (sizeof mask - 1)]);
    }
    out->replaced++;
}

static bool is_key_byte(char c)
{
    return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '=';
}

/* "Proc-Type: 4,ENCRYPTED" and the like stand before the key itself; PuTTY's MAC behind it. */
static bool is_key_header(const char *from, const char *to)
{
    static const char mac[] = "Private-MAC";
    bool is_mac = (size_t)(to - from) >= sizeof mac - 1 && memcmp(from, mac, sizeof mac - 1) == 0;
    return to - from < 80 && !is_mac && memmem(from, (size_t)(to - from), ": ", 2) &&
           isupper((unsigned char)*from);
}

/* Whether a line can be one of a private key. In a log its last word counts. */
static bool is_key_line(const struct generic *generic, const char *from, const char *to)
{
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    while (from < to && isspace((unsigned char)*from))
        from++;
    const char *p = to;
    while (p > from && is_key_byte(p[-1]))
        p--;
    return p == from || (generic->key_is_indented ? p < to : is_key_header(from, to));
}

/*
 * One line within a private key. It is dropped, except for the first, whose place takes REMOVED.
 * Returns where to go on; the key is over when key_lines is 0.
 */
static const char *drop_key_line(struct generic *generic, const struct block *block,
                                 const char *from, struct filter_output *out)
{
    static const char marker[] = "-----END ";
    const char *end = line_end(block, from);
    const char *stop = memmem(from, (size_t)(end - from), marker, sizeof marker - 1);
    if (stop || !is_key_line(generic, from, end)) {
        const char *text = from;
        while (stop && text < stop && isspace((unsigned char)*text))
            text++;
        generic->key_lines = 0;
        if (!stop || text == stop || generic->key_is_indented)
            return from;
        end = stop;
    } else {
        generic->key_lines--;
    }
    bool binary = from >= block->binary, goes_on = generic->key_lines || generic->key_marked;
    if (end > from && (binary || !generic->key_marked)) {
        struct finding line = {from, end};
        put_mask(block, &line, out);
        if (!generic->key_lines || end == block->end)
            return end;
        strbuf_addc(&out->bytes, *end);
        out->replaced -= generic->key_marked;
        generic->key_marked = true;
    } else if (binary && end < block->end) {
        strbuf_addc(&out->bytes, *end);
    }
    return end + (goes_on && !stop && end < block->end);
}

static void begin_key(struct generic *generic, const struct passage *line, const char *at,
                      const struct finding *finding, unsigned lines)
{
    const char *p = at;
    while (p > line->begin && (p[-1] == '-' || p[-1] == ' ' || p[-1] == '\t'))
        p--;
    generic->key_lines = lines;
    generic->key_is_indented = p > line->begin;
    generic->key_marked = finding->to > finding->from;
}

/* Whether the line ends with its own end, so that what comes then is the next one. */
static bool is_whole(const struct block *block, const struct passage *line)
{
    return line->end < block->end && line->end < block->binary && *line->end == '\n';
}

/*
 * Whether the line may be the head of a table. That is asked once a line, for all of it must be
 * looked at, and a line may be one anchor after the other.
 */
static bool may_be_head(struct generic *generic, const struct passage *line)
{
    bool asked = generic->judged_line == line->end;
    generic->judged_line = line->end;
    return !asked;
}

static bool detect(struct generic *generic, const struct block *block, const struct passage *line,
                   const char *at, detector look, struct finding *ret)
{
    bool whole = is_whole(block, line), announces = whole && look == detect_assignment;
    if (look(line, at, ret)) {
        if (announces)
            follow_after(&generic->follow, line, ret);
        return true;
    }
    if (announces && may_be_head(generic, line) && columns_begin(&generic->columns, line)) {
        *ret = (struct finding){line->end, line->end};
        return true;
    }
    bool follows = (announces && follow_begin(&generic->follow, line, at)) ||
                   (whole && look == detect_input && follow_here(&generic->follow, line, at)) ||
                   (whole && look == detect_login && follow_answer(&generic->follow, line, at));
    if (!follows)
        return false;
    *ret = (struct finding){line->end, line->end};
    return true;
}

/* Whether one of the anchors at `at` leads to a secret. */
static bool find(struct generic *generic, const struct block *block, const struct passage *line,
                 const char *at, const struct anchor *const *anchors, size_t count,
                 struct finding *ret)
{
    for (size_t i = 0; i < count; i++) {
        unsigned lines;
        if (anchors[i]->detect) {
            if (detect(generic, block, line, at, anchors[i]->detect, ret))
                return true;
        } else if (detect_private_key(line, at, ret, &lines)) {
            if (lines)
                begin_key(generic, line, at, ret, lines);
            return true;
        }
    }
    return false;
}

/* Whether a line goes on behind where line_end() has stopped. */
static bool is_cut(const struct block *block, const char *end)
{
    if (end == block->end || end == block->binary)
        return false;
    return end > block->binary ? !ends_binary_string(*end) : *end != '\n';
}

/*
 * The line around a place. Its ends are only looked for when it is another one than before.
 */
static void locate(const struct block *block, const char *at, struct passage *line)
{
    bool known = line->end && at < line->end;
    if (!known)
        line->begin = line_begin(block, at);
    else if ((size_t)(at - line->begin) > LOOK_BACK)
        line->begin = at - LOOK_BACK;
    if (!known || (is_cut(block, line->end) && (size_t)(line->end - at) < OVERLAP / 2))
        line->end = line_end(block, at);
}

/* Copies [from, the line's end] and returns where the next line begins. */
static const char *put_rest(const struct passage *line, const char *from, struct filter_output *out)
{
    strbuf_add(&out->bytes, from, (size_t)(line->end + 1 - from));
    return line->end + 1;
}

/*
 * A line on which the value of a name above it may stand. Returns where to go on: at its beginning
 * when it is none of the value, behind the secret, or on the next line.
 */
static const char *pass_following(struct generic *generic, const struct block *block,
                                  const char *from, struct filter_output *out)
{
    struct passage line = {.begin = from, .end = line_end(block, from)};
    struct finding found;
    if (from >= block->binary || !follow_line(&generic->follow, &line, &found)) {
        if (from >= block->binary || !is_whole(block, &line))
            generic->follow.kind = FOLLOW_NOTHING;
        return generic->follow.kind ? put_rest(&line, from, out) : from;
    }
    size_t length = (size_t)(found.to - found.from);
    strbuf_add(&out->bytes, from, (size_t)(found.from - from));
    if (secret_value_is_harmless(SECRET_ANY, "", 0, found.from, length))
        strbuf_add(&out->bytes, found.from, length);
    else
        put_mask(block, &found, out);
    if (!is_whole(block, &line))
        generic->follow.kind = FOLLOW_NOTHING;
    return generic->follow.kind ? put_rest(&line, found.to, out) : found.to;
}

/* Fills up the place of a cell, so that what is behind it stays in its column. */
static const char *keep_lined_up(const struct passage *line, const struct finding *cell,
                                 struct strbuf *out)
{
    const char *p = cell->to;
    size_t length = (size_t)(cell->to - cell->from), mask = strlen(REMOVED);
    for (; length > mask; length--)
        strbuf_addc(out, ' ');
    for (; length < mask && line->end - p > 1 && *p == ' ' && p[1] == ' '; length++)
        p++;
    return p;
}

/*
 * A row of a table with a column of secrets. They are removed first; in what is left secrets of
 * other kinds are looked for as in any line.
 */
static const char *pass_row(struct generic *generic, const struct block *block, const char *from,
                            struct filter_output *out)
{
    struct passage line = {.begin = from, .end = line_end(block, from)};
    const struct columns columns = generic->columns;
    bool usable = from < block->binary && is_whole(block, &line);
    enum row row = usable ? columns_row(&columns, &line) : ROW_OVER;
    generic->columns.separator = '\0';
    if (row == ROW_OVER)
        return from;
    struct filter_output rest = {.bytes = STRBUF_INIT};
    struct finding cell;
    const char *copied = from, *at = from;
    while (row == ROW_CELLS && columns_next(&columns, &line, &at, &cell)) {
        if (secret_value_is_harmless(SECRET_ANY, "", 0, cell.from, (size_t)(cell.to - cell.from)))
            continue;
        strbuf_add(&rest.bytes, copied, (size_t)(cell.from - copied));
        put_mask(block, &cell, &rest);
        copied = cell.to;
        if (columns.separator == ' ')
            copied = keep_lined_up(&line, &cell, &rest.bytes);
    }
    put_rest(&line, copied, &rest);
    const char *begin = rest.bytes.data, *end = begin + rest.bytes.length;
    const struct block inner = {begin, begin, end, end, end};
    if (strbuf_ok(&rest.bytes))
        generic_block(generic, &inner, out);
    else
        out->bytes.failed = true; /* no memory: nothing may go out */
    out->replaced += rest.replaced;
    strbuf_release(&rest.bytes);
    if (!generic->key_lines && !generic->follow.kind)
        generic->columns = columns;
    return line.end + 1;
}

static void put_finding(struct generic *generic, const struct block *block,
                        const struct passage *line, const char *copied, struct finding *finding,
                        struct filter_output *out)
{
    strbuf_add(&out->bytes, copied, (size_t)(finding->from - copied));
    if (finding->to > finding->from)
        put_mask(block, finding, out);
    if (generic->key_lines && finding->to < block->end) /* its lines begin behind this one's end */
        strbuf_addc(&out->bytes, *finding->to++);
    else if (generic->follow.kind || generic->columns.separator)
        finding->to = put_rest(line, finding->to, out);
}

/* An anchor's, and the anchors there. */
struct place {
    const char *at;
    const struct anchor *const *anchors;
    size_t count;
};

static bool is_lasting(const struct generic *generic)
{
    return generic->key_lines || generic->follow.kind || generic->columns.separator;
}

static void forget_lasting(struct generic *generic)
{
    generic->key_lines = 0;
    generic->follow.kind = FOLLOW_NOTHING;
    generic->columns.separator = '\0';
}

static const char *put_found(struct generic *generic, const struct block *block,
                             const struct passage *line, const struct place *place,
                             const char *copied, struct finding *finding,
                             struct filter_output *out);

/*
 * Puts out secrets between `at` and a finding. Returns how far it got: behind the last of them, or
 * `copied`. Something may last over the line's end then; it reaches beyond the finding. It calls
 * itself for what is found: not deeper than a detector looks ahead, and each place once.
 */
static const char *put_between(struct generic *generic, const struct block *block,
                               const struct passage *line, const char *at, const char *copied,
                               const struct finding *finding, struct filter_output *out)
{
    const char *p = at < copied ? copied : at + 1;
    while (p < finding->from && (p = anchors_candidate(p, block->end)) && p < finding->from) {
        const struct anchor *anchors[MAX_ANCHORS_AT];
        size_t count = anchors_at(p, block->end, anchors);
        struct finding other;
        if (count > 0 && find(generic, block, line, p, anchors, count, &other) &&
            other.from < finding->from && other.to > other.from) {
            const struct place place = {p, anchors, count};
            copied = p = put_found(generic, block, line, &place, copied, &other, out);
            if (is_lasting(generic))
                return copied;
        } else {
            forget_lasting(generic);
            p++;
        }
    }
    return copied;
}

/* Puts out what was found at a place, with what stands before it. Returns where to go on. */
static const char *put_found(struct generic *generic, const struct block *block,
                             const struct passage *line, const struct place *place,
                             const char *copied, struct finding *finding, struct filter_output *out)
{
    struct passage rest = *line;
    while (!is_lasting(generic)) {
        copied = put_between(generic, block, line, place->at, copied, finding, out);
        if (is_lasting(generic))
            return copied;
        if (finding->from < copied)
            finding->from = copied;
        if (finding->from < finding->to) {
            put_finding(generic, block, line, copied, finding, out);
            copied = finding->to;
        }
        rest.done = copied;
        if (!find(generic, block, &rest, place->at, place->anchors, place->count, finding) ||
            finding->from < copied) {
            forget_lasting(generic);
            return copied;
        }
    }
    put_finding(generic, block, line, copied, finding, out);
    return finding->to;
}

const char *generic_block(struct generic *generic, const struct block *block,
                          struct filter_output *out)
{
    const char *copied = block->from, *p = copied;
    struct passage line = {0};
    generic->judged_line = NULL;
    while (p < block->limit) {
        if (generic->key_lines) {
            copied = p = drop_key_line(generic, block, p, out);
            line.end = NULL;
            continue;
        }
        if (generic->follow.kind) {
            copied = p = pass_following(generic, block, p, out);
            line.end = NULL;
            continue;
        }
        if (generic->columns.separator) {
            copied = p = pass_row(generic, block, p, out);
            line.end = NULL;
            continue;
        }
        const struct anchor *anchors[MAX_ANCHORS_AT];
        p = anchors_candidate(p, block->end);
        if (!p || p >= block->limit)
            break;
        size_t count = anchors_at(p, block->end, anchors);
        struct finding finding;
        if (count > 0)
            locate(block, p, &line);
        if (count > 0 && find(generic, block, &line, p, anchors, count, &finding)) {
            const struct place place = {p, anchors, count};
            copied = p = put_found(generic, block, &line, &place, copied, &finding, out);
        } else {
            p++;
        }
    }
    if (copied < block->limit)
        strbuf_add(&out->bytes, copied, (size_t)(block->limit - copied));
    return copied < block->limit ? block->limit : copied;
}
