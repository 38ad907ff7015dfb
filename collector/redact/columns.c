/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is a head must be told from a line that just has commas in it: all its cells are names, and
 * what follows has as many cells. Lined up columns have names with capitals: stacks of PAM, which
 * look the same, have none.
 */
#include "collector/redact/columns.h"

#include <ctype.h>
#include <string.h>

#include "collector/redact/secrets.h"

#define MAX_NAME  40
#define MAX_CELLS 64 /* bits of columns.secret */
#define GAP       2  /* blanks between lined up columns */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct finding trimmed(const char *from, const char *to)
{
    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    if (to - from > 1 && *from == '"' && to[-1] == '"')
        from++, to--;
    return (struct finding){from, to};
}

/* Behind the cell that begins at `from`: at its separator or the end. Quotes hide separators. */
static const char *cell_end(const char *from, const char *end, char separator)
{
    bool quoted = false;
    for (; from < end && (quoted || *from != separator); from++)
        quoted ^= *from == '"';
    return from;
}

static bool is_name(struct finding cell, bool blanks)
{
    if (cell.to == cell.from || cell.to - cell.from > MAX_NAME ||
        !isalpha((unsigned char)*cell.from))
        return false;
    for (const char *p = cell.from; p < cell.to; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_-.", *p) && !(blanks && *p == ' '))
            return false;
    return true;
}

static bool is_secret(struct finding cell)
{
    return secret_name(cell.from, (size_t)(cell.to - cell.from));
}

static bool separated(struct columns *columns, const struct passage *line, char separator)
{
    struct columns head = {.separator = separator};
    bool framed = separator == '|';
    const char *from = line->begin;
    for (;; head.count++) {
        const char *to = cell_end(from, line->end, separator);
        struct finding cell = trimmed(from, to);
        bool edge = head.count == 0 || to == line->end;
        if (head.count == MAX_CELLS ||
            (!is_name(cell, framed || separator == '\t') &&
             !(framed && edge && cell.from == cell.to)) ||
            (!framed && separator != '\t' && from < to && is_blank(*from)))
            return false;
        if (is_secret(cell))
            head.secret |= 1ULL << head.count;
        if (to == line->end)
            break;
        from = to + 1;
    }
    head.count++;
    if (head.count < 2 || !head.secret)
        return false;
    *columns = head;
    return true;
}

/* Behind a cell of lined up columns: at the gap or the end. */
static const char *gap_after(const char *from, const char *end)
{
    while (from < end && !(*from == ' ' && (end - from < GAP || from[1] == ' ')))
        from++;
    return from;
}

static bool lined_up(struct columns *columns, const struct passage *line)
{
    struct columns head = {.separator = ' '};
    for (const char *p = line->begin; p < line->end;) {
        if (is_blank(*p)) {
            p++;
            continue;
        }
        const char *to = gap_after(p, line->end);
        struct finding cell = trimmed(p, to);
        if (!is_name(cell, true) || !isupper((unsigned char)*p))
            return false;
        if (head.secret && !head.to)
            head.to = (size_t)(p - line->begin);
        if (!head.secret && is_secret(cell)) {
            head.secret = 1;
            head.from = (size_t)(p - line->begin);
        }
        head.count++;
        p = to;
    }
    if (head.count < 2 || !head.secret)
        return false;
    *columns = head;
    return true;
}

bool columns_begin(struct columns *columns, const struct passage *line)
{
    static const char separators[] = "|\t;,";
    for (const char *s = separators; *s; s++)
        if (memchr(line->begin, *s, (size_t)(line->end - line->begin)))
            return separated(columns, line, *s);
    return memmem(line->begin, (size_t)(line->end - line->begin), "  ", GAP) &&
           lined_up(columns, line);
}

static bool is_border(const struct passage *line)
{
    const char *p = line->begin;
    while (p < line->end && strchr("+-|=: \t\r", *p))
        p++;
    return p == line->end && p > line->begin && memchr(line->begin, '-', (size_t)(p - line->begin));
}

enum row columns_row(const struct columns *columns, const struct passage *line)
{
    size_t length = (size_t)(line->end - line->begin), cells = 1;
    if (is_border(line) || (columns->separator == '|' && length && *line->begin == '+'))
        return ROW_BORDER;
    if (columns->separator == ' ') {
        bool starts = columns->from == 0 ||
                      (length > columns->from && is_blank(line->begin[columns->from - 1]));
        return starts && length > columns->from && !is_blank(line->begin[columns->from]) ? ROW_CELLS
                                                                                         : ROW_OVER;
    }
    const char *p = line->begin;
    for (; (p = cell_end(p, line->end, columns->separator)) < line->end; p++)
        cells++;
    return cells == columns->count ? ROW_CELLS : ROW_OVER;
}

static bool set(struct finding cell, struct finding *ret)
{
    *ret = cell;
    return cell.to > cell.from;
}

bool columns_next(const struct columns *columns, const struct passage *line, const char **from,
                  struct finding *ret)
{
    if (columns->separator == ' ') {
        const char *cell = line->begin + columns->from;
        const char *to = columns->to && (size_t)(line->end - line->begin) > columns->to
                             ? line->begin + columns->to
                             : line->end;
        if (*from > cell)
            return false;
        while (to < line->end && !is_blank(to[-1]) && !is_blank(*to)) /* wider than its head */
            to++;
        *from = to;
        return set(trimmed(cell, to), ret);
    }
    const char *p = line->begin;
    for (unsigned i = 0; i < columns->count && p <= line->end; i++) {
        const char *to = cell_end(p, line->end, columns->separator);
        if (p >= *from && columns->secret >> i & 1 && set(trimmed(p, to), ret)) {
            *from = to;
            return true;
        }
        p = to + 1;
    }
    return false;
}
