/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XAPI's database: any bytes become rows or nothing, and what a set or map becomes is JSON. The
 * first byte chooses the size of the pieces.
 */
#include <jansson.h>
#include <stdint.h>

#include "analyzer/tables/embedded.h"
#include "analyzer/tables/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_row(void *context, const struct table *table, int64_t line,
                     const struct cell *cells, struct err *err)
{
    static const char *const lists[] = {"VBDs", "platform", "other_config", "VCPUs__flags",
                                        "extra"};
    (void)context, (void)line, (void)err;
    for (size_t i = 0; i < table->column_count; i++)
        for (size_t k = 0; cells[i].text && k < ARRAY_SIZE(lists); k++)
            if (strcmp(table->columns[i].name, lists[k]) == 0) {
                json_t *json = json_loadb(cells[i].text, cells[i].length, 0, NULL);
                if (!json)
                    abort();
                json_decref(json);
            }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct table_set *set;
    struct extraction *extraction;
    bool timed_out, malformed;
    if (size == 0 || (!set && table_set_load(embedded_tables, NULL, &set, NULL) < 0))
        return 0;
    if (extraction_begin(table_set_find(set, "xapi_db"), "xapi-db.xml", check_row, NULL,
                         &extraction, NULL) < 0)
        abort();
    size_t piece = data[0] ? (size_t)data[0] * 16 : 1;
    for (size_t at = 1; at < size; at += piece)
        extraction_feed(extraction, (const char *)data + at, size - at < piece ? size - at : piece,
                        NULL);
    extraction_end(extraction, &timed_out, &malformed, NULL);
    extraction_free(extraction);
    return 0;
}
