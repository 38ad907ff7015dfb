/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One XML file of a plugin as a flat list of its elements, in document order. Only for the parts of
 * the plugin reader.
 *
 * A DOCTYPE is harmless and accepted, entity declarations are refused (so does the original's
 * parser), and size, depth, number of elements and amount of text are limited.
 */
#pragma once

#include "common/arena.h"
#include "common/err.h"

#define PLUGIN_XML_BYTES (256 * 1024) /* of one file; real ones have some 4 KB */

struct plugin_element {
    const char *name;
    int line;
    const char *const *attributes; /* name, value, ..., NULL */
    const char *text;              /* its own, without that of elements inside it; never NULL */
};

struct plugin_document {
    const struct plugin_element *elements; /* the first is the root */
    size_t count;
};

/* `name` is what errors call the file. ERR_PARSE, ERR_LIMIT with the place; ERR_NOMEM. */
int plugin_xml_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
                     struct plugin_document *ret, struct err *err);

/* NULL when there is none. */
const char *plugin_attribute(const struct plugin_element *element, const char *name);
