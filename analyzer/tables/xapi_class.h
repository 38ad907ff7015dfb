/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a table of mode `xapi-db` says about a class of XAPI's database: which attribute is which
 * column, and which attributes are sets and maps. The YAML keys, below the table's name:
 *
 *   class: VM               the name of the class; `manifest` for the pairs (key, value) at the
 * file's beginning sets: [VBDs, ...]       columns that become JSON arrays maps: [platform, ...]
 * columns that become JSON objects maps_of_sets: [...]     columns that become JSON objects of
 * arrays skip: [...]             attributes that are not taken: large and of no use here
 *
 * A column is filled from the attribute of its name (or its `from`). Runs of underscores count as
 * one: releases and classes differ in `name__label` and `name_label`, and several columns may be
 * filled from one attribute. The column `extra`, where a table has one, gets what no column takes,
 * and sets and maps that are broken.
 */
#pragma once

#include "analyzer/tables/mode.h"
#include "analyzer/tables/xapi_value.h"

#define XAPI_SKIP ((size_t)-1)

struct xapi_field {
    const char *folded; /* attribute's name, runs of underscores as one */
    size_t column;      /* XAPI_SKIP: none */
};

struct xapi_class {
    const char *name;
    enum xapi_kind *kinds;     /* one a column */
    struct xapi_field *fields; /* sorted by name */
    size_t field_count;
    size_t extra; /* index of the column, or column_count */
};

#define XAPI_MANIFEST "manifest"

extern const char *const xapi_class_keys[];

/* The mode's load(): *ret_options is a struct xapi_class. */
int xapi_class_load(struct table_loader *loader, const struct table *table,
                    const struct doc_node *node, void **ret_options, struct err *err);

/* The columns that an attribute fills: *ret_count elements from the one returned. */
const struct xapi_field *xapi_class_find(const struct xapi_class *class, const char *attribute,
                                         size_t *ret_count);
