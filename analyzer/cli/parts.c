/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/cli/parts.h"

#include "analyzer/database/embedded.h"
#include "analyzer/tables/embedded.h"

/* Defined by embed_files() from rules/. */
extern const struct embedded_file embedded_rules[], embedded_logs[], embedded_formats[],
    embedded_overview[];

/* The folders `name` inside folders of rules. */
struct folders {
    struct strbuf *texts;
    const char **paths; /* those that there are; NULL-ended */
    size_t count;
};

static void folders_release(struct folders *folders)
{
    for (size_t i = 0; folders->texts && i < folders->count; i++)
        strbuf_release(&folders->texts[i]);
    free(folders->texts);
    free(folders->paths);
}

static int find_folders(const char *const *extra, const char *name, struct folders *ret,
                        struct err *err)
{
    size_t found = 0;
    *ret = (struct folders){0};
    while (extra && extra[ret->count])
        ret->count++;
    ret->texts = calloc(ret->count + 1, sizeof *ret->texts);
    ret->paths = calloc(ret->count + 1, sizeof *ret->paths);
    if (!ret->texts || !ret->paths)
        return err_nomem(err);
    for (size_t i = 0; i < ret->count; i++)
        ret->texts[i] = (struct strbuf)STRBUF_INIT;
    for (size_t i = 0; i < ret->count; i++) {
        if (rule_data_folder(extra[i], name, &ret->texts[i]))
            ret->paths[found++] = ret->texts[i].data;
        else if (!strbuf_ok(&ret->texts[i]))
            return err_nomem(err);
    }
    return 0;
}

static int load_tables(const char *const *extra, struct table_set **ret, struct err *err)
{
    CLEANUP(folders_release) struct folders folders;
    int r = find_folders(extra, RULE_TABLES_FOLDER, &folders, err);
    return r < 0 ? r : table_set_load(embedded_tables, folders.paths, ret, err);
}

static int load_lists(const char *const *extra, struct list_set **ret, struct err *err)
{
    CLEANUP(folders_release) struct folders folders;
    int r = find_folders(extra, RULE_LISTS_FOLDER, &folders, err);
    return r < 0 ? r : list_set_load(embedded_lists, folders.paths, ret, err);
}

int parts_load(struct parts *ret, const char *const *extra, bool built_in, int jobs,
               struct err *err)
{
    *ret = (struct parts){0};
    int r = load_tables(extra, &ret->tables, err);
    if (r == 0)
        r = fact_set_load(embedded_facts, &ret->facts, err);
    if (r == 0)
        r = load_lists(extra, &ret->lists, err);
    if (r == 0)
        r = log_formats_load(embedded_formats, &ret->formats, err);
    if (r == 0)
        r = rule_set_load(embedded_logs, built_in ? embedded_rules : NULL, extra, jobs > 1,
                          &ret->rules, err);
    if (r == 0)
        r = timeline_plan_load(ret->rules, &embedded_overview[0], &ret->overview.timeline, err);
    if (r == 0)
        r = inventory_plan_load(&embedded_overview[1], &ret->inventory, err);
    ret->overview.inventory = ret->inventory;
    if (r < 0)
        parts_release(ret);
    return r;
}

int parts_teach(const struct parts *parts, struct report_set *reports, struct err *err)
{
    int r = rule_set_teach(parts->rules, reports, err);
    for (size_t i = 0; r == 0 && i < table_set_count(parts->tables); i++) {
        const struct table *table = table_set_at(parts->tables, i);
        for (size_t f = 0; r == 0 && f < table->file_count; f++)
            r = *table->capability
                    ? report_set_teach(reports, table->files[f].text, table->capability, err)
                    : report_set_know(reports, &table->files[f], err);
    }
    return r;
}

void parts_release(struct parts *parts)
{
    parts->inventory = inventory_plan_free(parts->inventory);
    parts->rules = rule_set_free(parts->rules);
    parts->formats = log_formats_free(parts->formats);
    parts->lists = list_set_free(parts->lists);
    parts->facts = fact_set_free(parts->facts);
    parts->tables = table_set_free(parts->tables);
}
