/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XenCenter sends names that only it knows (client-logs), so an unknown name is a warning and never
 * an error.
 */
#include "collector/cli/selection.h"

#include "common/io.h"
#include "common/units.h"

#define FULL_VERBOSITY 9

static bool contains(const selection_list *list, const struct capability *capability)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].capability == capability)
            return true;
    return false;
}

static int add(selection_list *list, struct capability *capability, int verbosity, struct err *err)
{
    if (contains(list, capability))
        return 0;
    struct plan_selection *selection = vec_push(list);
    if (!selection)
        return err_nomem(err);
    *selection = (struct plan_selection){capability, verbosity};
    return 0;
}

static int add_named(const struct catalog *catalog, char *word, void (*warn)(const char *name),
                     selection_list *list, struct err *err)
{
    int64_t verbosity = FULL_VERBOSITY;
    char *colon = strchr(word, ':');
    if (colon && !units_integer(colon + 1, &verbosity))
        return err_set(err, ERR_USAGE, "Option '--entries': the verbosity in '%s' is no number",
                       word);
    if (colon)
        *colon = '\0';
    verbosity = verbosity < 1 ? 1 : verbosity > FULL_VERBOSITY ? FULL_VERBOSITY : verbosity;
    struct capability *capability = catalog_find(catalog, word);
    if (capability)
        return add(list, capability, (int)verbosity, err);
    warn(word);
    return 0;
}

static int by_order(const void *left, const void *right)
{
    const struct plan_selection *a = left, *b = right;
    return a->capability < b->capability ? -1 : a->capability > b->capability;
}

int selection_make(const struct catalog *catalog, const struct options *options,
                   void (*warn)(const char *name), selection_list *ret, struct err *err)
{
    int r = 0;
    if (options->entries) {
        CLEANUP_FREE char *copy = strdup(options->entries);
        char *save = NULL;
        if (!copy)
            return err_nomem(err);
        for (char *word = strtok_r(copy, ",", &save); r == 0 && word;
             word = strtok_r(NULL, ",", &save))
            r = add_named(catalog, word, warn, ret, err);
    } else {
        for (size_t i = 0; r == 0 && i < catalog->count; i++)
            if (options->all || catalog->capabilities[i].checked)
                r = add(ret, &catalog->capabilities[i], FULL_VERBOSITY, err);
    }
    /* The catalog's array is sorted, so addresses tell the order. */
    if (r == 0 && ret->count)
        qsort(ret->items, ret->count, sizeof *ret->items, by_order);
    return r;
}
