/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the elements of a plugin mean. A mistake in one element costs only that element: it becomes
 * an item with a defect.
 *
 * The text of <directory> and <command> is taken as it stands, blanks and all, as the original
 * does. Limits of plugins are often far too small (16 KB for what takes 100 KB), and the original
 * counted all files of a capability together, so that a plugin in a capability of logs made logs
 * disappear. Here each element has a budget of its own, with a floor.
 */
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>

#include "collector/catalog/plugin.h"
#include "collector/catalog/plugin_xml.h"
#include "collector/catalog/python_regex.h"
#include "common/vec.h"

#define LEAST_BUDGET (8 * 1024 * 1024) /* of one element, whatever its capability allows */
#define MAX_ITEMS    2000              /* of one file */
#define PLUGIN_RANK  60                /* behind what we know the worth of */

struct reader {
    struct arena *arena;
    const char *name; /* of the file */
    const struct capability *capability;
    VEC(struct catalog_item) items;
    struct err *err;
};

static struct catalog_item *add(struct reader *reader, const struct plugin_element *element,
                                enum item_kind kind)
{
    static const char *const no_filters[] = {NULL};
    if (reader->items.count == MAX_ITEMS) {
        err_set_at(reader->err, ERR_LIMIT, reader->name, element->line, 0, "more than %d items",
                   MAX_ITEMS);
        return NULL;
    }
    struct catalog_item *item = vec_push(&reader->items);
    if (!item) {
        err_nomem(reader->err);
        return NULL;
    }
    *item = (struct catalog_item){.kind = kind,
                                  .file = reader->name,
                                  .line = element->line,
                                  .filters = no_filters,
                                  .newest_first = kind != ITEM_COMMAND,
                                  .limit = -1,
                                  .time_ms = -1,
                                  .rank = PLUGIN_RANK,
                                  .least_budget = LEAST_BUDGET,
                                  .foreign = true};
    return item;
}

static int PRINTF_LIKE(3, 4)
    add_defect(struct reader *reader, const struct plugin_element *element, const char *format, ...)
{
    struct catalog_item *item = add(reader, element, ITEM_FILE);
    if (!item)
        return ERR_LIMIT;
    char reason[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    item->file = arena_printf(reader->arena, "%s:%d", reader->name, element->line);
    item->defect = arena_strdup(reader->arena, reason);
    return item->file && item->defect ? 0 : err_nomem(reader->err);
}

static bool is_true(const char *text)
{
    return text && (strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0);
}

static const char *const *one_string(struct arena *arena, const char *text)
{
    const char **list = arena_array(arena, 2, sizeof *list);
    if (list)
        list[0] = text;
    return list;
}

/* Calls `take` for each word of the element's text. */
static int each_word(struct reader *reader, const struct plugin_element *element,
                     int (*take)(struct reader *, const struct plugin_element *, const char *))
{
    int r = 0;
    for (const char *p = element->text; r == 0;) {
        while (isspace((unsigned char)*p))
            p++;
        size_t length = 0;
        while (p[length] && !isspace((unsigned char)p[length]))
            length++;
        if (length == 0)
            break;
        char *word = arena_memdup(reader->arena, p, length);
        if (!word)
            return err_nomem(reader->err);
        if (word[0] != '/')
            r = add_defect(reader, element, "'%s' is no absolute path", word);
        else if (length >= PATH_MAX)
            r = add_defect(reader, element, "'%.60s...' is longer than a path can be", word);
        else
            r = take(reader, element, word);
        p += length;
    }
    return r;
}

/* An item for each glob, so that each has its own budget. */
static int take_file(struct reader *reader, const struct plugin_element *element, const char *path)
{
    struct catalog_item *item = add(reader, element, ITEM_FILE);
    if (!item)
        return ERR_LIMIT;
    item->paths = one_string(reader->arena, path);
    return item->paths ? 0 : err_nomem(reader->err);
}

static int take_listing(struct reader *reader, const struct plugin_element *element,
                        const char *path)
{
    struct catalog_item *item = add(reader, element, ITEM_COMMAND);
    const char **argv = item ? arena_array(reader->arena, 4, sizeof *argv) : NULL;
    if (!item)
        return ERR_LIMIT;
    if (!argv)
        return err_nomem(reader->err);
    argv[0] = "ls";
    argv[1] = is_true(plugin_attribute(element, "recursive")) ? "-lR" : "-l";
    argv[2] = "{path}";
    item->argv = argv;
    item->each_glob = path;
    return 0;
}

static int take_files(struct reader *reader, const struct plugin_element *element)
{
    return each_word(reader, element, take_file);
}

static int take_list(struct reader *reader, const struct plugin_element *element)
{
    return each_word(reader, element, take_listing);
}

static int take_directory(struct reader *reader, const struct plugin_element *element)
{
    const char *pattern = plugin_attribute(element, "pattern"), *kept = NULL;
    if (element->text[0] != '/')
        return add_defect(
            reader, element,
            "the folder '%s' does not begin with a slash; blanks are part of its name",
            element->text);
    if (strlen(element->text) >= PATH_MAX)
        return add_defect(reader, element, "'%.60s...' is longer than a path can be",
                          element->text);
    if (pattern) {
        struct strbuf posix = STRBUF_INIT;
        struct err why = ERR_INIT;
        int r = python_regex_to_posix(pattern, &posix, &why);
        kept = r == 0 ? arena_strdup(reader->arena, posix.data) : NULL;
        strbuf_release(&posix);
        if (r < 0)
            return add_defect(reader, element, "%s", why.text);
        if (!kept)
            return err_nomem(reader->err);
    }
    struct catalog_item *item = add(reader, element, ITEM_TREE);
    if (!item)
        return ERR_LIMIT;
    if (is_true(plugin_attribute(element, "negate")))
        item->exclude = kept;
    else
        item->match = kept;
    item->paths = one_string(reader->arena, element->text);
    return item->paths ? 0 : err_nomem(reader->err);
}

/* The commands of one plugin run one after the other, as its author saw them do. */
static int take_command(struct reader *reader, const struct plugin_element *element)
{
    const char *label = plugin_attribute(element, "label");
    if (element->text[strspn(element->text, " \t\r\n")] == '\0')
        return 0;
    struct catalog_item *item = add(reader, element, ITEM_COMMAND);
    const char **argv = item ? arena_array(reader->arena, 4, sizeof *argv) : NULL;
    if (!item)
        return ERR_LIMIT;
    item->lane = arena_printf(reader->arena, "plugin %s", reader->capability->key);
    if (!argv || !item->lane)
        return err_nomem(reader->err);
    argv[0] = "/bin/sh";
    argv[1] = "-c";
    argv[2] = element->text;
    item->argv = argv;
    item->label = label && *label ? label : element->text;
    return 0;
}

static const struct {
    const char *name;
    int (*take)(struct reader *, const struct plugin_element *);
} kinds[] = {
    {"files", take_files},
    {"list", take_list},
    {"directory", take_directory},
    {"command", take_command},
};

static int read_items(struct reader *reader, const struct plugin_document *document)
{
    int r = 0;
    for (size_t i = 1; r == 0 && i < document->count; i++)
        for (size_t k = 0; r == 0 && k < ARRAY_SIZE(kinds); k++)
            if (strcmp(document->elements[i].name, kinds[k].name) == 0)
                r = kinds[k].take(reader, &document->elements[i]);
    return r;
}

int plugin_append(struct arena *arena, struct capability *capability,
                  const struct catalog_item *items, size_t count, struct err *err)
{
    struct catalog_item *all = arena_array(arena, capability->item_count + count + 1, sizeof *all);
    if (!all)
        return err_nomem(err);
    if (capability->item_count)
        memcpy(all, capability->items, capability->item_count * sizeof *all);
    if (count)
        memcpy(all + capability->item_count, items, count * sizeof *all);
    capability->items = all;
    capability->item_count += count;
    return 0;
}

int plugin_parse_items(struct arena *arena, const char *name, const char *bytes, size_t length,
                       struct capability *capability, struct err *err)
{
    struct plugin_document document;
    int r = plugin_xml_parse(arena, name, bytes, length, &document, err);
    if (r < 0)
        return r;
    const struct plugin_element *root = &document.elements[0];
    if (strcmp(root->name, "collect") != 0)
        return err_set_at(err, ERR_PARSE, name, root->line, 0,
                          "the root element is <%.60s>; a list of what to take is <collect>",
                          root->name);
    struct reader reader = {.arena = arena, .name = name, .capability = capability, .err = err};
    r = read_items(&reader, &document);
    if (r == 0)
        r = plugin_append(arena, capability, reader.items.items, reader.items.count, err);
    vec_free(&reader.items);
    return r;
}
