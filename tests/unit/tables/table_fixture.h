/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A table from a text, and the rows of a file as one text, for tests of this folder.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "analyzer/tables/extract.h"
#include "common/strbuf.h"

/* Loads tables from texts as if they were files t0.yaml, t1.yaml ... of one place; `yaml` ends with
 * NULL. */
static inline int load_texts(const char *const *yaml, const char *const *paths,
                             struct table_set **ret, struct err *err)
{
    static const char *const names[] = {"t0.yaml", "t1.yaml", "t2.yaml", "t3.yaml"};
    struct embedded_file files[5] = {{0}};
    for (size_t i = 0; yaml[i] && i < 4; i++)
        files[i] = (struct embedded_file){names[i], yaml[i], yaml[i] + strlen(yaml[i])};
    return table_set_load(files, paths, ret, err);
}

static inline struct table_set *load_text(const char *yaml)
{
    const char *const list[] = {yaml, NULL};
    struct err err = ERR_INIT;
    char text[1024];
    struct table_set *set = NULL;
    if (load_texts(list, NULL, &set, &err) < 0)
        fail_msg("%s", err_message(&err, text, sizeof text));
    return set;
}

/* One row: "2: a|b|NULL". */
static inline int print_row(void *context, const struct table *table, int64_t line,
                            const struct cell *cells, struct err *err)
{
    (void)err;
    struct strbuf *out = context;
    strbuf_addf(out, "%lld: ", (long long)line);
    for (size_t i = 0; i < table->column_count; i++) {
        strbuf_adds(out, i ? "|" : "");
        if (cells[i].text)
            strbuf_add(out, cells[i].text, cells[i].length);
        else
            strbuf_adds(out, "NULL");
    }
    strbuf_addc(out, '\n');
    return 0;
}

/*
 * The rows of a file fed in pieces: the first ends at `split`, the others have `piece` bytes.
 * "timed out" and "malformed" follow on lines of their own.
 */
static inline void extract_pieces(const struct table *table, const char *path, const char *bytes,
                                  size_t length, size_t split, size_t piece, struct strbuf *out)
{
    struct err err = ERR_INIT;
    struct extraction *extraction;
    bool timed_out, malformed;
    assert_int_equal(extraction_begin(table, path, print_row, out, &extraction, &err), 0);
    assert_int_equal(extraction_feed(extraction, bytes, split, &err), 0);
    for (size_t at = split; at < length; at += piece) {
        size_t left = length - at;
        assert_int_equal(extraction_feed(extraction, bytes + at, left < piece ? left : piece, &err),
                         0);
    }
    assert_int_equal(extraction_end(extraction, &timed_out, &malformed, &err), 0);
    strbuf_adds(out, timed_out ? "timed out\n" : "");
    strbuf_adds(out, malformed ? "malformed\n" : "");
    extraction_free(extraction);
}
