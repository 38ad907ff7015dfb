/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Writes JSON, indented, into a buffer. It keeps track of commas and depth; the caller opens and
 * closes.
 *
 * A library that builds a tree first would need the whole document twice and refuses texts that are
 * not UTF-8. Here every text comes out as valid UTF-8, and characters that could harm a terminal or
 * a page that embeds the document are written as \uXXXX: any JSON reader gives them back.
 */
#pragma once

#include <stdint.h>

#include "common/strbuf.h"

#define JSON_WRITER_DEPTH 16 /* our documents need six */

struct json_writer {
    struct strbuf *out;
    unsigned depth;
    bool has_items[JSON_WRITER_DEPTH]; /* at each depth: a comma is due before the next item */
};

/* `key` is NULL inside a list, and for the document itself. */
void jsonw_object(struct json_writer *writer, const char *key);
void jsonw_list(struct json_writer *writer, const char *key);
void jsonw_end_object(struct json_writer *writer);
void jsonw_end_list(struct json_writer *writer);
void jsonw_string(struct json_writer *writer, const char *key, const char *text);
void jsonw_string_or_null(struct json_writer *writer, const char *key, const char *text);
void jsonw_integer(struct json_writer *writer, const char *key, int64_t value);
void jsonw_boolean(struct json_writer *writer, const char *key, bool value);
