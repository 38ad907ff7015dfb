/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * `xen-analyze tables`: what a query can ask, lists included. Built-in tables are read from the
 * database itself, the others from their declarations, which know more.
 */
#include "analyzer/cli/commands.h"
#include "analyzer/cli/page.h"
#include "analyzer/cli/parts.h"
#include "common/escape.h"
#include "common/suggest.h"

/* Columns of a sample query: enough to see what it is about. */
#define SAMPLE_COLUMNS 4

/* Names of columns line up up to this width; a longer one has a line of its own. */
#define NAME_WIDTH 24

#define CODE_INDENT 8 /* of page_code() */

#define QUERY_LIMIT_MS 1000

/* Tables that come from no file. */
static const struct {
    const char *name, *description;
} built_in[] = {
    {"hosts",
     "The reports themselves: one row a host; 'taken' and 'booted' (the last start) are seconds "
     "since 1970 on the host's clock"},
    {"facts", "What is known about each host, as `applies` of rules asks it: one row a host"},
    {"lists",
     "The lists, data that ages and comes with the program: one row a list; 'date' is when it was "
     "last compared with its sources"},
};

/* What is not said elsewhere of their columns. */
static const struct {
    const char *name, *description;
} built_in_columns[] = {
    {"host", "name of the host that the report is of"},
    {"source", "path of the report"},
    {"taken", "seconds since 1970; NULL when not known"},
    {"uptime", "what uptime(1) printed; NULL when the report does not tell"},
    {"booted", "seconds since 1970; NULL when not known"},
    {"name", "name of the list, which is a table, too"},
    {"date", "seconds since 1970"},
    {"description", "what the list holds"},
};

static const char *const type_names[] = {
    [COLUMN_TEXT] = "text",   [COLUMN_INTEGER] = "integer", [COLUMN_REAL] = "real",
    [COLUMN_BYTES] = "bytes", [COLUMN_VERSION] = "version",
};

static void add_files(struct strbuf *out, const struct table *table)
{
    const struct table *source = table->leader;
    for (size_t i = 0; i < source->file_count; i++)
        strbuf_addf(out, "%s%s", i ? ", " : "", source->files[i].text);
}

static void list_table(struct page *page, const char *name, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf first = STRBUF_INIT;
    strbuf_addf(&first, "%-*s ", NAME_WIDTH, name);
    textw_cut(&page->writer, STYLE_NONE, first.data, text);
}

static void list_tables(const struct parts *parts, struct page *page)
{
    page->writer.width = page_width(); /* a pipe gets whole lines */
    for (size_t i = 0; i < ARRAY_SIZE(built_in); i++)
        list_table(page, built_in[i].name, built_in[i].description);
    for (size_t i = 0; i < table_set_count(parts->tables); i++) {
        const struct table *table = table_set_at(parts->tables, i);
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        strbuf_adds(&text, table->description);
        if (table->leader == table) {
            strbuf_adds(&text, *table->description ? " (" : "(");
            add_files(&text, table);
            strbuf_adds(&text, ")");
        }
        list_table(page, table->name, text.data);
    }
    for (size_t i = 0; i < list_set_count(parts->lists); i++) {
        const struct list *list = list_set_at(parts->lists, i);
        CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
        strbuf_addf(&text, "%s (a list of %s)", list->description, list->date);
        list_table(page, list->name, text.data);
    }
}

/* To be pasted into a shell; `rules` (NULL-ended) brings the table if it is not built in, or is
 * NULL. */
static void show_sample(struct page *page, const char *const *rules, const char *table,
                        const char *columns)
{
    CLEANUP(strbuf_release) struct strbuf query = STRBUF_INIT;
    strbuf_adds(&query, "xen-analyze");
    for (; rules && *rules; rules++) {
        strbuf_adds(&query, " --rules ");
        escape_shell(&query, *rules);
    }
    /* SQL does not mind more lines; a pipe gets one. */
    size_t length = query.length + strlen(columns) + strlen(table) +
                    sizeof " --query 'SELECT  FROM  LIMIT 10' REPORT";
    bool is_long = page_width() > 0 && length + CODE_INDENT > (size_t)page_width();
    strbuf_addf(&query,
                is_long ? " --query '\n    SELECT %s\n    FROM %s LIMIT 10' REPORT"
                        : " --query 'SELECT %s FROM %s LIMIT 10' REPORT",
                columns, table);
    page_heading(page, "SAMPLE QUERY");
    page_code(page, query.data);
}

static void show_column(struct page *page, const char *name, const char *type, const char *text)
{
    char label[80];
    if (!*text) {
        page_item(page, "", "%-*s %s", NAME_WIDTH, name, type);
        return;
    }
    if (strlen(name) > NAME_WIDTH) {
        page_item(page, "", "%s", name);
        name = "";
    }
    snprintf(label, sizeof label, "%-*s %-8s ", NAME_WIDTH, name, type);
    page_item(page, label, "%s", text);
}

static void show_common_columns(struct page *page)
{
    page_heading(page, "COLUMNS");
    show_column(page, "host", "text", "name of the host whose report has the row");
    show_column(page, "path", "text", "file of the report");
    show_column(page, "line", "integer", "line in the file, 0 where the file as a whole is meant");
}

static void show_table(struct page *page, const struct table *table, const char *const *rules)
{
    CLEANUP(strbuf_release) struct strbuf files = STRBUF_INIT, sample = STRBUF_INIT;
    const struct doc_node *family =
        doc_get(table->root, "family") ? doc_get(table->root, "description") : NULL;
    add_files(&files, table);
    page_heading(page, "NAME");
    page_item(page, "", "%s", table->name);
    page_heading(page, "HOLDS");
    page_prose(page, *table->description ? table->description : "(not described)");
    if (family)
        page_prose(page, family->text);
    page_heading(page, "FILES");
    page_item(page, "", "%s", files.data);
    if (*table->leader->capability)
        page_item(page, "", "collected by the capability '%s'", table->leader->capability);
    if (table->empty_if_absent)
        page_item(
            page, "",
            "Where a report proves that it has no such file, the table is empty, not unknown.");
    show_common_columns(page);
    strbuf_adds(&sample, "host");
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        show_column(page, column->name, type_names[column->type],
                    table_column_description(table, column));
        if (i < SAMPLE_COLUMNS)
            strbuf_addf(&sample, ", %s", column->name);
    }
    show_sample(page, table->built_in ? NULL : rules, table->name, sample.data);
}

/* Of a list a site wants to know how to add to it. */
static void show_list(struct page *page, const struct list *list, const char *const *rules)
{
    CLEANUP(strbuf_release) struct strbuf sample = STRBUF_INIT;
    size_t rows = 0;
    page_heading(page, "NAME");
    page_item(page, "", "%s", list->name);
    page_heading(page, "HOLDS");
    page_prose(page, list->description);
    page_item(page, "",
              "A list: it is the same for every report. It was compared with its sources on %s.",
              list->date);
    page_heading(page, "COLUMNS");
    for (size_t i = 0; i < list->column_count; i++) {
        show_column(page, list->columns[i], type_names[list->types[i]], list->descriptions[i]);
        if (i < SAMPLE_COLUMNS)
            strbuf_addf(&sample, "%s%s", i ? ", " : "", list->columns[i]);
    }
    page_heading(page, "ROWS");
    for (size_t i = 0; i < list->parts.count; i++) {
        const struct list_rows *part = &list->parts.items[i];
        page_item(page, "", "%zu %s%s", part->rows->count, part->built_in ? "built in, " : "from ",
                  part->rows->file);
        rows += part->rows->count;
    }
    page_item(page, "",
              "%zu in all; a file in the folder 'lists' of a folder given with --rules adds more.",
              rows);
    show_sample(page, list->parts.items[0].built_in ? NULL : rules, list->name, sample.data);
}

static const struct list *find_list(const struct parts *parts, const char *name)
{
    for (size_t i = 0; i < list_set_count(parts->lists); i++)
        if (strcmp(list_set_at(parts->lists, i)->name, name) == 0)
            return list_set_at(parts->lists, i);
    return NULL;
}

struct described {
    struct page *page;
    const struct fact_set *facts; /* whose columns they are, or NULL */
    struct strbuf sample;
    size_t columns;
};

static const char *describe(const struct described *described, const char *column)
{
    const char *text = described->facts ? fact_description(described->facts, column) : "";
    for (size_t i = 0; !*text && i < ARRAY_SIZE(built_in_columns); i++)
        if (strcmp(built_in_columns[i].name, column) == 0)
            text = built_in_columns[i].description;
    return text;
}

static int on_column(void *context, const struct result_row *row, struct err *err)
{
    struct described *described = context;
    (void)err;
    show_column(described->page, row->values[0], row->values[1],
                describe(described, row->values[0]));
    if (described->columns++ < SAMPLE_COLUMNS)
        strbuf_addf(&described->sample, "%s%s", described->sample.length ? ", " : "",
                    row->values[0]);
    return 0;
}

static int show_built_in(struct page *page, const struct parts *parts, size_t index,
                         struct err *err)
{
    struct database *database = NULL;
    bool is_facts = strcmp(built_in[index].name, "facts") == 0;
    struct described described = {
        .page = page, .facts = is_facts ? parts->facts : NULL, .sample = STRBUF_INIT};
    CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT;
    page_heading(page, "NAME");
    page_item(page, "", "%s", built_in[index].name);
    page_heading(page, "HOLDS");
    page_prose(page, built_in[index].description);
    page_heading(page, "COLUMNS");
    strbuf_addf(&sql, "SELECT name, lower(type) FROM pragma_table_info('%s')",
                built_in[index].name);
    int r = database_open(parts->tables, NULL, &database, err);
    if (r == 0)
        r = lists_fill(parts->lists, database, err);
    if (r == 0)
        r = facts_declare(parts->facts, database, err);
    if (r == 0)
        r = database_query(database, sql.data, QUERY_LIMIT_MS, on_column, &described, err);
    if (r == 0)
        show_sample(page, NULL, built_in[index].name, described.sample.data);
    strbuf_release(&described.sample);
    database_free(database);
    return r;
}

static int no_such_table(const struct parts *parts, const char *name, struct err *err)
{
    VEC(const char *) names = {0};
    size_t tables = ARRAY_SIZE(built_in) + table_set_count(parts->tables);
    size_t count = tables + list_set_count(parts->lists);
    for (size_t i = 0; i <= count; i++) {
        const char **slot = vec_push(&names);
        if (!slot)
            break;
        *slot = i < ARRAY_SIZE(built_in) ? built_in[i].name
                : i < tables ? table_set_at(parts->tables, i - ARRAY_SIZE(built_in))->name
                : i < count  ? list_set_at(parts->lists, i - tables)->name
                             : NULL;
    }
    const char *nearest = names.count == count + 1 ? suggest_nearest(name, names.items) : NULL;
    vec_free(&names);
    if (nearest)
        return err_set(err, ERR_USAGE, "there is no table '%s'; did you mean '%s'?", name, nearest);
    return err_set(err, ERR_USAGE, "there is no table '%s' (`xen-analyze tables` shows them)",
                   name);
}

static int show_named(struct page *page, const struct parts *parts, const char *const *rules,
                      const char *name, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(built_in); i++)
        if (strcmp(built_in[i].name, name) == 0)
            return show_built_in(page, parts, i, err);
    const struct list *list = find_list(parts, name);
    if (list) {
        show_list(page, list, rules);
        return 0;
    }
    const struct table *table = table_set_find(parts->tables, name);
    if (!table)
        return no_such_table(parts, name, err);
    show_table(page, table, rules);
    return 0;
}

int command_tables(struct options *options, struct err *err)
{
    CLEANUP(parts_release) struct parts parts = {0};
    CLEANUP(page_release) struct page page;
    page_begin(&page);
    int r = parts_load(&parts, options->rules.items, true, options->jobs, err);
    if (r == 0 && options->operands.count == 0)
        list_tables(&parts, &page);
    for (size_t i = 0; r == 0 && i < options->operands.count; i++)
        r = show_named(&page, &parts, options->rules.items, options->operands.items[i], err);
    return r < 0 ? r : page_print(&page, err);
}
