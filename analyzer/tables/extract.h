/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One file on its way to becoming rows: fed in pieces of any size, in constant memory (json keeps the file, which
 * is limited). A file that ends early or holds rubbish gives the rows that could be read.
 */
#pragma once

#include "analyzer/tables/table.h"

/* Called for each row; `cells` has table->column_count elements and lives until the call returns. */
typedef int (*row_sink)(void *context, const struct table *table, int64_t line,
                        const struct cell *cells, struct err *err);

struct extraction;

/*
 * Starts extracting the file at `logical` path for `table`, one of whose patterns covers it.
 * ERR_NOMEM; ERR_NOTFOUND when no pattern covers the path.
 */
int extraction_begin(const struct table *table, const char *logical, row_sink sink, void *context,
                     struct extraction **ret, struct err *err);

/* Feeds bytes. Errors are the sink's own and ERR_NOMEM. */
int extraction_feed(struct extraction *extraction, const char *bytes, size_t length,
                    struct err *err);

/*
 * Ends the file: the last row goes out. *ret_timed_out tells that it ends in the collector's
 * "** timeout **" mark; *ret_malformed that its content was not what the mode reads (bad JSON, bad XML).
 */
int extraction_end(struct extraction *extraction, bool *ret_timed_out, bool *ret_malformed,
                   struct err *err);

void *extraction_free(struct extraction *extraction);
