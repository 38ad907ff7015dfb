/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Form (source: the original's output as of Python 3.7 and the Administrator's Guide): tab-indented
 * empty elements, attributes in alphabetical order, hyphens in the names, and one blank line at the
 * end. Integers only.
 */
#include "collector/catalog/capability_xml.h"

#include <inttypes.h>

void capability_xml_write(const struct catalog *catalog, struct strbuf *out)
{
    strbuf_adds(out, "<?xml version=\"1.0\" ?>\n<system-status-capabilities>\n");
    for (size_t i = 0; i < catalog->count; i++) {
        const struct capability *c = &catalog->capabilities[i];
        if (c->hidden)
            continue;
        strbuf_addf(out,
                    "\t<capability content-type=\"%s\" default-checked=\"%s\" key=\"%s\""
                    " max-size=\"%" PRId64 "\" max-time=\"%" PRId64 "\" min-size=\"%" PRId64
                    "\" min-time=\"%" PRId64 "\" pii=\"%s\"/>\n",
                    c->mime, c->checked ? "yes" : "no", c->key, c->max_size, c->max_time,
                    c->min_size, c->min_time, c->pii);
    }
    strbuf_adds(out, "</system-status-capabilities>\n\n");
}
