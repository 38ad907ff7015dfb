/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where a value ends.
 */
#pragma once

#include "collector/redact/detect.h"

enum value_style {
    VALUE_PLAIN,   /* to the end of the line, or of the string it stands in */
    VALUE_LITERAL, /* behind a quoted key: a number or word ends at a comma or bracket */
    VALUE_QUERY,   /* of a URL: to the next & */
    VALUE_SESSION, /* letters, digits, and what references are made of */
    VALUE_ELEMENT, /* text of an XML element */
    VALUE_ITEM,    /* to the next ; or ] */
};

/*
 * value->from is behind the separator; it is moved behind blanks and an opening quote, and
 * value->to is set. `key` is where the key begins. False when no value follows.
 */
bool value_find_end(const struct passage *line, const char *key, enum value_style style,
                    struct finding *value);

/* The end of an unquoted value that began at `from`: the string it stands in, or the line. */
const char *value_plain_end(const struct passage *line, const char *key, const char *from);
