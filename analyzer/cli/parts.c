/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/cli/parts.h"

#include "analyzer/database/embedded.h"
#include "analyzer/tables/embedded.h"

/* Defined by embed_files() from rules/. */
extern const struct embedded_file embedded_rules[], embedded_logs[], embedded_formats[],
    embedded_overview[];

/* The built-in tables, and those in the folders `tables` of folders of rules. */
static int load_tables(const char *const *extra, struct table_set **ret, struct err *err)
{
    size_t count = 0, found = 0;
    while (extra && extra[count])
        count++;
    struct strbuf *folders = calloc(count + 1, sizeof *folders);
    const char **paths = calloc(count + 1, sizeof *paths);
    int r = folders && paths ? 0 : err_nomem(err);
    for (size_t i = 0; r == 0 && i < count; i++) {
        folders[i] = (struct strbuf)STRBUF_INIT;
        if (rule_tables_folder(extra[i], &folders[i]))
            paths[found++] = folders[i].data;
        else if (!strbuf_ok(&folders[i]))
            r = err_nomem(err);
    }
    if (r == 0)
        r = table_set_load(embedded_tables, paths, ret, err);
    for (size_t i = 0; folders && i < count; i++)
        strbuf_release(&folders[i]);
    free(folders);
    free(paths);
    return r;
}

int parts_load(struct parts *ret, const char *const *extra, bool built_in, struct err *err)
{
    *ret = (struct parts){0};
    int r = load_tables(extra, &ret->tables, err);
    if (r == 0)
        r = fact_set_load(embedded_facts, &ret->facts, err);
    if (r == 0)
        r = list_set_load(embedded_lists, &ret->lists, err);
    if (r == 0)
        r = log_formats_load(embedded_formats, &ret->formats, err);
    if (r == 0)
        r = rule_set_load(embedded_logs, built_in ? embedded_rules : NULL, extra, &ret->rules, err);
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
        for (size_t f = 0; r == 0 && *table->capability && f < table->file_count; f++)
            r = report_set_teach(reports, table->files[f].text, table->capability, err);
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
