/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One file on its way to becoming rows: fed in pieces of any size, in constant memory (json keeps
 * the file, which is limited). A file that ends early or holds rubbish gives the rows that could be
 * read.
 */
#pragma once

#include "analyzer/tables/table.h"

/* Called for each row; `cells` has table->column_count elements and lives until the call returns.
 */
typedef int (*row_sink)(void *context, const struct table *table, int64_t line,
                        const struct cell *cells, struct err *err);

/* Limits: a file from a stranger costs little. */
#define EXTRACT_LINE_MAX (64 * 1024)       /* bytes of a line; no output has longer ones we read */
#define EXTRACT_ROWS_MAX (2 * 1000 * 1000) /* rows of one file: a pool has about 10^5 objects */
#define EXTRACT_CELL_MAX (1024 * 1024)     /* bytes of one value; longer ones are cut */
#define EXTRACT_JSON_MAX (16L * 1024 * 1024) /* bytes of a JSON file, which is kept whole */

struct extraction;

/*
 * Starts extracting the file at `logical` path for `table`, a leader, one of whose patterns covers
 * it. ERR_NOMEM; ERR_NOTFOUND when no pattern covers the path.
 */
int extraction_begin(const struct table *table, const char *logical, row_sink sink, void *context,
                     struct extraction **ret, struct err *err);

/*
 * For a family (table->member_count > 1): rows of members for which `wanted` says false are not
 * built. Call it before the first feed. Without it all are wanted. `context` is the sink's.
 */
void extraction_choose(struct extraction *extraction,
                       bool (*wanted)(void *context, const struct table *table));

/* Feeds bytes. Errors are the sink's own and ERR_NOMEM. */
int extraction_feed(struct extraction *extraction, const char *bytes, size_t length,
                    struct err *err);

/*
 * Ends the file: the last row goes out. *ret_timed_out tells that it ends in the collector's
 * "** timeout **" mark; *ret_malformed that its content was not what the mode reads (bad JSON, bad
 * XML, a line on which a regex reached its limits).
 */
int extraction_end(struct extraction *extraction, bool *ret_timed_out, bool *ret_malformed,
                   struct err *err);

void *extraction_free(struct extraction *extraction);
