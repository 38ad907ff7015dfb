/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * inventory.xml in two pieces, cut where the first byte says, and the dates in it.
 */
#include <stdint.h>

#include "analyzer/report/clock.h"
#include "analyzer/report/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void summary(void *context, const char *hostname, const char *date, const char *uptime)
{
    *(size_t *)context += strlen(hostname) + strlen(uptime) + (clock_from_date(date) != 0) +
                          (clock_from_iso(date) != 0) + (clock_from_folder(date) != 0);
}

static void entry(void *context, const char *capability, const char *filename)
{
    *(size_t *)context += strlen(capability) + strlen(filename);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t seen = 0;
    const struct inventory_listener listener = {summary, entry, &seen};
    struct inventory_parser *parser;
    if (size < 1 || size > (1 << 20) || inventory_parser_new(&listener, &parser, NULL) < 0)
        return 0;
    size_t cut = (size_t)data[0] * (size - 1) / 255;
    const char *text = (const char *)data + 1;
    if (inventory_parser_feed(parser, text, cut, NULL) == 0 &&
        inventory_parser_feed(parser, text + cut, size - 1 - cut, NULL) == 0)
        inventory_parser_finish(parser, NULL);
    inventory_parser_free(parser);
    return 0;
}
