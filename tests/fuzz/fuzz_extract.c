/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A file of a report from a stranger: the first byte picks a table of ours, the second the size of
 * the pieces, the rest is the file.
 */
#include <stdint.h>

#include "analyzer/tables/embedded.h"
#include "analyzer/tables/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte of a row, so that the sanitizers see cells that point nowhere. */
static int touch(void *context, const struct table *table, int64_t line, const struct cell *cells,
                 struct err *err)
{
    (void)line;
    (void)err;
    for (size_t i = 0; i < table->column_count; i++)
        for (size_t k = 0; cells[i].text && k < cells[i].length; k++)
            *(volatile unsigned *)context += (unsigned char)cells[i].text[k];
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct table_set *set;
    struct extraction *extraction;
    unsigned sum = 0;
    bool timed_out, malformed;
    if (size < 2 || (!set && table_set_load(embedded_tables, NULL, &set, NULL) < 0))
        return 0;
    const struct table *table = table_set_at(set, data[0] % table_set_count(set))->leader;
    const struct doc_node *test = table->tests->items[0];
    const char *path = doc_get(test, "files")->keys[0]->text; /* one that its patterns cover */
    if (extraction_begin(table, path, touch, &sum, &extraction, NULL) < 0)
        return 0;
    size_t piece = data[1] ? data[1] : size;
    for (size_t at = 2; at < size; at += piece)
        extraction_feed(extraction, (const char *)data + at, size - at < piece ? size - at : piece,
                        NULL);
    extraction_end(extraction, &timed_out, &malformed, NULL);
    extraction_free(extraction);
    return 0;
}
