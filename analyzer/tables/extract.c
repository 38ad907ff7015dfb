/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The part of extraction that is the same for all modes: lines are split and bounded, the
 * collector's mark of a timeout is taken out, cells are converted on their way to the sink.
 *
 * The mark stands on a line of its own at the end of the file, so it is only known to be one when
 * the file ends: a line that looks like it is held back until then, and handed on when another line
 * follows.
 */
#include "analyzer/tables/extract.h"

#include <ctype.h>

#include "analyzer/tables/convert.h"
#include "analyzer/tables/mode.h"
#include "common/strbuf.h"

#define TIMEOUT_MARK "** timeout **"
#define TAIL_SIZE    64 /* enough for the mark and the blanks behind it */

/* What modes see of the extraction. */
struct row_writer {
    const struct table *table;
    row_sink sink;
    void *context;
    bool (*wanted)(void *context, const struct table *table);
    struct regex_scratch *scratch;
    char *logical; /* captures point into it */
    struct path_capture captures[PATH_PATTERN_CAPTURES];
    struct cell *cells; /* of the widest member, also in `numbers` */
    char (*numbers)[CONVERT_NUMBER_MAX];
    int64_t rows;
    bool gave_up; /* a regex reached its limits */
};

struct extraction {
    struct row_writer writer;
    void *state;
    struct strbuf partial; /* a line that has begun */
    int64_t line;
    bool mark_held;
    int64_t mark_line;
    char tail[TAIL_SIZE]; /* the latest bytes, for modes without lines */
    size_t tail_length;
};

void *extraction_free(struct extraction *extraction)
{
    if (!extraction)
        return NULL;
    struct row_writer *writer = &extraction->writer;
    if (extraction->state)
        writer->table->mode->free(extraction->state);
    regex_scratch_free(writer->scratch);
    strbuf_release(&extraction->partial);
    free(writer->logical);
    free(writer->cells);
    free(writer->numbers);
    free(extraction);
    return NULL;
}

DEFINE_CLEANUP(extraction_cleanup, struct extraction *, extraction_free)

static bool find_pattern(struct row_writer *writer)
{
    for (size_t i = 0; i < writer->table->file_count; i++)
        if (path_pattern_match(&writer->table->files[i], writer->logical, writer->captures))
            return true;
    return false;
}

int extraction_begin(const struct table *table, const char *logical, row_sink sink, void *context,
                     struct extraction **ret, struct err *err)
{
    CLEANUP(extraction_cleanup) struct extraction *extraction = calloc(1, sizeof *extraction);
    if (!extraction)
        return err_nomem(err);
    size_t widest = table->column_count;
    for (size_t i = 0; i < table->member_count; i++)
        if (table->members[i]->column_count > widest)
            widest = table->members[i]->column_count;
    struct row_writer *writer = &extraction->writer;
    *writer = (struct row_writer){
        .table = table,
        .sink = sink,
        .context = context,
        .scratch = regex_scratch_new(),
        .logical = strdup(logical),
        .cells = calloc(widest, sizeof *writer->cells),
        .numbers = calloc(widest, sizeof *writer->numbers),
    };
    extraction->partial = (struct strbuf)STRBUF_INIT_MAX(EXTRACT_LINE_MAX);
    if (!writer->scratch || !writer->logical || !writer->cells || !writer->numbers)
        return err_nomem(err);
    if (!find_pattern(writer))
        return err_set(err, ERR_NOTFOUND, "'%s' is none of the files of table '%s' (%s%s)", logical,
                       table->name, table->files[0].text, table->file_count > 1 ? ", ..." : "");
    int r = table->mode->begin(table, writer, &extraction->state, err);
    if (r < 0)
        return r;
    *ret = TAKE(extraction);
    return 0;
}

void extraction_choose(struct extraction *extraction,
                       bool (*wanted)(void *context, const struct table *table))
{
    extraction->writer.wanted = wanted;
}

bool rows_wanted(const struct row_writer *writer, const struct table *table)
{
    return !writer->wanted || writer->wanted(writer->context, table);
}

const struct regex_scratch *rows_scratch(const struct row_writer *writer)
{
    return writer->scratch;
}

bool rows_match(struct row_writer *writer, const struct regex *regex, const char *text,
                size_t length, size_t offset)
{
    enum regex_result result = regex_match(regex, writer->scratch, text, length, offset);
    writer->gave_up = writer->gave_up || result == REGEX_ABORTED;
    return result == REGEX_MATCH;
}

/* Takes the part of the raw value that the column's `match` wants. False: it does not match. */
static bool take_part(struct row_writer *writer, const struct regex *match, struct cell *cell,
                      bool *minus)
{
    if (!rows_match(writer, match, cell->text, cell->length, 0))
        return false;
    const char *text;
    size_t length;
    int value = regex_name_find(match, "value"), sign = regex_name_find(match, "minus");
    *minus = sign >= 0 && regex_named(match, writer->scratch, (size_t)sign, &text, &length);
    bool found = value >= 0 ? regex_named(match, writer->scratch, (size_t)value, &text, &length)
                            : regex_group(match, writer->scratch, 0, &text, &length);
    if (found)
        *cell = (struct cell){.text = text, .length = length};
    return found;
}

static void fill_cell(struct row_writer *writer, const struct table *table, size_t column,
                      const struct cell *raw)
{
    const struct column_source *source = &table->sources[column];
    struct cell cell = *raw;
    bool minus = false;
    if (source->capture >= 0) {
        const struct path_capture *capture = &writer->captures[source->capture];
        cell = (struct cell){.text = capture->start, .length = capture->length};
    }
    bool raw_is_there = cell.text;
    if (cell.text && source->match && !take_part(writer, source->match, &cell, &minus))
        cell = (struct cell){0};
    if (cell.length > EXTRACT_CELL_MAX)
        cell.length = EXTRACT_CELL_MAX;

    struct cell *ret = &writer->cells[column];
    if (source->flag && source->match && !raw_is_there)
        *ret = (struct cell){0};
    else if (source->flag)
        *ret = (struct cell){.text = cell.text ? "1" : "0", .length = 1};
    else if (cell.text)
        convert_value(table->columns[column].type, cell.text, cell.length, minus,
                      writer->numbers[column], ret);
    else
        *ret = (struct cell){0};
}

int rows_emit(struct row_writer *writer, const struct table *table, int64_t line,
              const struct cell *cells, struct err *err)
{
    if (writer->rows >= EXTRACT_ROWS_MAX)
        return 0;
    writer->rows++;
    for (size_t i = 0; i < table->column_count; i++)
        fill_cell(writer, table, i, &cells[i]);
    return writer->sink(writer->context, table, line, writer->cells, err);
}

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isspace((unsigned char)text[i]))
            return false;
    return true;
}

static bool is_mark(const char *text, size_t length)
{
    size_t mark = strlen(TIMEOUT_MARK);
    return length >= mark && memcmp(text, TIMEOUT_MARK, mark) == 0 &&
           is_blank(text + mark, length - mark);
}

static int pass_line(struct extraction *extraction, const char *line, size_t length,
                     struct err *err)
{
    const struct mode *mode = extraction->writer.table->mode;
    extraction->line++;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    if (is_mark(line, length)) {
        extraction->mark_held = true;
        extraction->mark_line = extraction->line;
        return 0;
    }
    if (extraction->mark_held && !is_blank(line, length)) {
        extraction->mark_held = false;
        int r = mode->feed(extraction->state, TIMEOUT_MARK, strlen(TIMEOUT_MARK),
                           extraction->mark_line, err);
        if (r < 0)
            return r;
    }
    return mode->feed(extraction->state, line, length, extraction->line, err);
}

/* Adds to the line that has begun, up to the longest there may be; the rest is not kept. */
static int keep_partial(struct extraction *extraction, const char *bytes, size_t length,
                        struct err *err)
{
    size_t room = EXTRACT_LINE_MAX - extraction->partial.length;
    strbuf_add(&extraction->partial, bytes, length < room ? length : room);
    return strbuf_ok(&extraction->partial) ? 0 : err_nomem(err);
}

static int feed_lines(struct extraction *extraction, const char *bytes, size_t length,
                      struct err *err)
{
    const char *end = bytes + length;
    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t part = (size_t)((newline ? newline : end) - bytes);
        int r;
        if (newline && extraction->partial.length == 0 && part <= EXTRACT_LINE_MAX) {
            r = pass_line(extraction, bytes, part, err);
        } else {
            r = keep_partial(extraction, bytes, part, err);
            if (r == 0 && newline) {
                r = pass_line(extraction, extraction->partial.data, extraction->partial.length,
                              err);
                strbuf_clear(&extraction->partial);
            }
        }
        if (r < 0)
            return r;
        bytes += part + (newline ? 1 : 0);
    }
    return 0;
}

static void keep_tail(struct extraction *extraction, const char *bytes, size_t length)
{
    if (length >= TAIL_SIZE) {
        memcpy(extraction->tail, bytes + length - TAIL_SIZE, TAIL_SIZE);
        extraction->tail_length = TAIL_SIZE;
        return;
    }
    size_t keep =
        TAIL_SIZE - length < extraction->tail_length ? TAIL_SIZE - length : extraction->tail_length;
    memmove(extraction->tail, extraction->tail + extraction->tail_length - keep, keep);
    memcpy(extraction->tail + keep, bytes, length);
    extraction->tail_length = keep + length;
}

static bool tail_is_mark(const struct extraction *extraction)
{
    const char *tail = extraction->tail;
    size_t end = extraction->tail_length;
    while (end > 0 && isspace((unsigned char)tail[end - 1]))
        end--;
    size_t start = end;
    while (start > 0 && tail[start - 1] != '\n')
        start--;
    return is_mark(tail + start, end - start);
}

int extraction_feed(struct extraction *extraction, const char *bytes, size_t length,
                    struct err *err)
{
    if (length == 0)
        return 0;
    if (extraction->writer.table->mode->by_line)
        return feed_lines(extraction, bytes, length, err);
    keep_tail(extraction, bytes, length);
    return extraction->writer.table->mode->feed(extraction->state, bytes, length, 0, err);
}

int extraction_end(struct extraction *extraction, bool *ret_timed_out, bool *ret_malformed,
                   struct err *err)
{
    const struct mode *mode = extraction->writer.table->mode;
    bool malformed = false;
    int r = 0;
    if (extraction->partial.length > 0)
        r = pass_line(extraction, extraction->partial.data, extraction->partial.length, err);
    if (r == 0)
        r = mode->finish(extraction->state, &malformed, err);
    if (r < 0)
        return r;
    *ret_timed_out = mode->by_line ? extraction->mark_held : tail_is_mark(extraction);
    *ret_malformed = malformed || extraction->writer.gave_up;
    return 0;
}
