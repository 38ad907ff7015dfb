/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * YAML documents as a tree in which every node knows its place.
 *
 * The catalog, the tables and the rules are written by people, so the reader is strict and its
 * errors say file, line, column, what is wrong and what would be right. Anchors, aliases, tags,
 * merge keys and duplicate keys are refused, and size, depth and number of nodes are limited: a
 * document from a stranger costs little.
 *
 * A tree lives in the arena it was parsed into; nodes and texts are borrowed from it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"

enum doc_kind { DOC_SCALAR, DOC_LIST, DOC_MAP };

struct doc_node {
    enum doc_kind kind;
    const char *file; /* the name given to doc_parse() */
    int line, column; /* 1-based */

    const char *text; /* scalar: its bytes, NUL-terminated; length counts them */
    size_t length;
    bool plain; /* scalar without quotes or block style: true/false/null/numbers may be meant */

    size_t count;            /* list and map: number of items */
    struct doc_node **items; /* list: the items; map: the values */
    struct doc_node **keys;  /* map: the keys, scalars, in the order of the file */
};

/* Whether a file of a folder is a document: "*.yaml", and not hidden. */
bool doc_is_file_name(const char *name);

/*
 * Parses one document. `name` is what errors call the file.
 * ERR_PARSE with the place, ERR_LIMIT, ERR_NOMEM.
 */
int doc_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
              const struct doc_node **ret_root, struct err *err);

/* The value of a key, or NULL when `map` is no map or has no such key. */
const struct doc_node *doc_get(const struct doc_node *map, const char *key);

/* Records ERR_PARSE at the node. */
int doc_fail(const struct doc_node *node, struct err *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The node must be a map that has only these keys (NULL ends the list); a near miss is named in the
 * error. */
int doc_check_keys(const struct doc_node *map, const char *const *allowed, struct err *err);

/*
 * Typed reads. Each fails with a text that names the type it wants. Outputs are untouched on
 * failure. doc_string refuses an empty text; doc_strings takes one scalar or a list and ends the
 * array with NULL.
 */
int doc_string(const struct doc_node *node, const char **ret, struct err *err);
int doc_strings(const struct doc_node *node, struct arena *arena, const char *const **ret,
                size_t *ret_count, struct err *err);
int doc_bool(const struct doc_node *node, bool *ret, struct err *err);
int doc_integer(const struct doc_node *node, int64_t *ret, struct err *err);
int doc_bytes(const struct doc_node *node, int64_t *ret, struct err *err); /* units_bytes, or -1 */
int doc_seconds(const struct doc_node *node, int64_t *ret,
                struct err *err); /* units_seconds, or -1 */

/* One of the names (NULL ends the list); its index goes to *ret. */
int doc_choice(const struct doc_node *node, const char *const *names, int *ret, struct err *err);
