/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Classes of XAPI's database as the tables' YAML declares them.
 */
#include "analyzer/tables/xapi_class.h"

/* Longest name of an attribute that is looked at; XAPI's longest has 40 characters. */
#define NAME_MAX_LENGTH 128

const char *const xapi_class_keys[] = {"class", "sets", "maps", "maps_of_sets", "skip", NULL};

static void fold(const char *name, char folded[NAME_MAX_LENGTH])
{
    size_t length = 0;
    for (; *name && length + 1 < NAME_MAX_LENGTH; name++)
        if (*name != '_' || length == 0 || folded[length - 1] != '_')
            folded[length++] = *name;
    folded[length] = '\0';
}

static int compare_fields(const void *a, const void *b)
{
    const struct xapi_field *left = a, *right = b;
    int order = strcmp(left->folded, right->folded);
    return order ? order : (left->column > right->column) - (left->column < right->column);
}

const struct xapi_field *xapi_class_find(const struct xapi_class *class, const char *attribute,
                                         size_t *ret_count)
{
    char folded[NAME_MAX_LENGTH];
    fold(attribute, folded);
    /* The first field that is not smaller. */
    size_t low = 0, high = class->field_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(class->fields[middle].folded, folded) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < class->field_count && strcmp(class->fields[end].folded, folded) == 0)
        end++;
    *ret_count = end - low;
    return class->fields + low;
}

static size_t column_named(const struct table *table, const char *name)
{
    size_t i = 0;
    while (i < table->column_count && strcmp(table->columns[i].name, name) != 0)
        i++;
    return i;
}

static int mark_columns(struct table_loader *loader, const struct table *table,
                        struct xapi_class *class, const struct doc_node *node, enum xapi_kind kind,
                        struct err *err)
{
    if (!node)
        return 0;
    const char *const *names;
    size_t count;
    int r = doc_strings(node, loader_arena(loader), &names, &count, err);
    for (size_t i = 0; r == 0 && i < count; i++) {
        size_t column = column_named(table, names[i]);
        if (column == table->column_count)
            return doc_fail(node, err, "table '%s' has no column '%s'", table->name, names[i]);
        if (table->columns[column].type != COLUMN_TEXT)
            return doc_fail(node, err, "column '%s' holds JSON, so its type must be text",
                            names[i]);
        class->kinds[column] = kind;
    }
    return r;
}

static int add_field(struct table_loader *loader, struct xapi_class *class, const char *attribute,
                     size_t column, struct err *err)
{
    char folded[NAME_MAX_LENGTH];
    fold(attribute, folded);
    struct xapi_field *field = &class->fields[class->field_count++];
    field->folded = arena_strdup(loader_arena(loader), folded);
    field->column = column;
    return field->folded ? 0 : err_nomem(err);
}

static int index_fields(struct table_loader *loader, const struct table *table,
                        const struct doc_node *skip, struct xapi_class *class, struct err *err)
{
    const char *const *skipped = NULL;
    size_t skip_count = 0;
    int r = skip ? doc_strings(skip, loader_arena(loader), &skipped, &skip_count, err) : 0;
    if (r < 0)
        return r;
    class->extra = column_named(table, "extra");
    class->fields =
        arena_array(loader_arena(loader), table->column_count + skip_count, sizeof *class->fields);
    if (!class->fields)
        return err_nomem(err);
    for (size_t i = 0; r == 0 && i < skip_count; i++)
        r = add_field(loader, class, skipped[i], XAPI_SKIP, err);
    for (size_t i = 0; r == 0 && i < table->column_count; i++)
        if (i != class->extra)
            r = add_field(loader, class, table->sources[i].from, i, err);
    qsort(class->fields, class->field_count, sizeof *class->fields, compare_fields);
    return r;
}

int xapi_class_load(struct table_loader *loader, const struct table *table,
                    const struct doc_node *node, void **ret_options, struct err *err)
{
    struct arena *arena = loader_arena(loader);
    struct xapi_class *class = arena_alloc(arena, sizeof *class);
    if (!class)
        return err_nomem(err);
    class->kinds = arena_array(arena, table->column_count, sizeof *class->kinds);
    if (!class->kinds)
        return err_nomem(err);
    const struct doc_node *name = doc_get(node, "class");
    if (!name)
        return doc_fail(node, err,
                        "'class' is missing: the class of XAPI's objects, for example VM");
    int r = doc_string(name, &class->name, err);
    if (r == 0)
        r = mark_columns(loader, table, class, doc_get(node, "sets"), XAPI_SET, err);
    if (r == 0)
        r = mark_columns(loader, table, class, doc_get(node, "maps"), XAPI_MAP, err);
    if (r == 0)
        r = mark_columns(loader, table, class, doc_get(node, "maps_of_sets"), XAPI_MAP_OF_SETS,
                         err);
    if (r == 0)
        r = index_fields(loader, table, doc_get(node, "skip"), class, err);
    if (r == 0)
        *ret_options = class;
    return r;
}
