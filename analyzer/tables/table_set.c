/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The tables of a run: those the program carries, and those of files the user names, which may
 * replace them.
 *
 * Two tables of one name are a mistake when they come from one place (the program, one path) and an
 * override when they come from two. A family member that is replaced leaves its family.
 */
#include "analyzer/tables/table.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>

#include "analyzer/tables/load.h"
#include "common/doc_packed.h"
#include "common/io.h"

#define ARENA_CEILING (256UL * 1024 * 1024) /* ours take about 3 MB */
#define FILE_SIZE_MAX (1024 * 1024)         /* of a YAML file, as in common/doc.c */
#define FILES_MAX     10000                 /* of a folder; it is not one of tables then */

struct entry {
    struct table *table;
    int origin; /* which place it came from */
};

struct table_set {
    struct table_loader loader;
    VEC(struct entry) tables;
};

void *table_set_free(struct table_set *set)
{
    if (!set)
        return NULL;
    for (size_t i = 0; i < set->loader.regexes.count; i++)
        regex_free(set->loader.regexes.items[i]);
    vec_free(&set->loader.regexes);
    vec_free(&set->tables);
    arena_free(set->loader.arena);
    free(set);
    return NULL;
}

DEFINE_CLEANUP(set_cleanup, struct table_set *, table_set_free)

static struct entry *find(const struct table_set *set, const char *name)
{
    for (size_t i = 0; i < set->tables.count; i++)
        if (strcasecmp(set->tables.items[i].table->name, name) == 0)
            return &set->tables.items[i];
    return NULL;
}

static struct entry *entry_of(const struct table_set *set, const struct table *table)
{
    for (size_t i = 0; i < set->tables.count; i++)
        if (set->tables.items[i].table == table)
            return &set->tables.items[i];
    return NULL;
}

/* The rest of its family goes on without the table, under a new leader if need be. */
static int leave_family(struct table_set *set, const struct table *table, struct err *err)
{
    const struct table *leader = table->leader;
    size_t count = leader->member_count;
    if (count == 1)
        return 0;
    const struct table **rest = arena_array(set->loader.arena, count, sizeof(const struct table *));
    if (!rest)
        return err_nomem(err);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (leader->members[i] != table)
            rest[kept++] = leader->members[i];
    for (size_t i = 0; i < kept; i++) {
        struct entry *entry = entry_of(set, rest[i]);
        if (!entry)
            return err_set(err, ERR_BUG, "table '%s' is lost", rest[i]->name);
        struct table *member = entry->table;
        member->leader = rest[0];
        member->members = i == 0 ? rest : NULL;
        member->member_count = i == 0 ? kept : 0;
    }
    return 0;
}

static int add_table(struct table_set *set, struct table *table, int origin, struct err *err)
{
    struct entry *old = find(set, table->name);
    table->built_in = origin == 0;
    if (old && old->origin == origin)
        return err_set_at(err, ERR_PARSE, table->file, 0, 0,
                          "table '%s' stands in %s already; give it another name", table->name,
                          old->table->file);
    if (old) {
        int r = leave_family(set, old->table, err);
        if (r < 0)
            return r;
        *old = (struct entry){.table = table, .origin = origin};
        return 0;
    }
    struct entry *entry = vec_push(&set->tables);
    if (!entry)
        return err_nomem(err);
    *entry = (struct entry){.table = table, .origin = origin};
    return 0;
}

static int load_document(struct table_set *set, const struct embedded_file *document, int origin,
                         struct err *err)
{
    const struct doc_node *root;
    struct table **tables;
    size_t count;
    int r = doc_parse_embedded(set->loader.arena, document->name, document, &root, err);
    if (r == 0)
        r = load_tables(&set->loader, root, &tables, &count, err);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = add_table(set, tables[i], origin, err);
    return r;
}

static int load_file(struct table_set *set, int directory, const char *name, const char *shown,
                     int origin, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    int r = io_read_file(directory, name, FILE_SIZE_MAX, &bytes, err);
    struct embedded_file document = {shown, bytes.data, bytes.data + bytes.length};
    return r < 0 ? r : load_document(set, &document, origin, err);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of the names, so that a run does not depend on the file system. */
static int load_folder(struct table_set *set, const char *path, int origin, struct err *err)
{
    CLEANUP_DIR DIR *directory = opendir(path);
    if (!directory)
        return err_set_errno(err, errno, "cannot open the folder of tables '%s'", path);
    const char **names = arena_array(set->loader.arena, FILES_MAX, sizeof *names);
    if (!names)
        return err_nomem(err);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!doc_is_file_name(entry->d_name))
            continue;
        if (count == FILES_MAX)
            return err_set(err, ERR_LIMIT, "'%s' holds more than %d YAML files", path, FILES_MAX);
        names[count] = arena_strdup(set->loader.arena, entry->d_name);
        if (!names[count++])
            return err_nomem(err);
    }
    qsort(names, count, sizeof *names, compare_names);
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;
        strbuf_addf(&shown, "%s/%s", path, names[i]);
        r = load_file(set, dirfd(directory), names[i], shown.data, origin, err);
    }
    return r;
}

int table_set_load(const struct embedded_file *embedded, const char *const *paths,
                   struct table_set **ret, struct err *err)
{
    CLEANUP(set_cleanup) struct table_set *set = calloc(1, sizeof *set);
    if (!set)
        return err_nomem(err);
    set->loader.arena = arena_new(ARENA_CEILING);
    if (!set->loader.arena)
        return err_nomem(err);
    int r = 0;
    for (; r == 0 && embedded && embedded->name; embedded++)
        r = load_document(set, embedded, 0, err);
    for (int origin = 1; r == 0 && paths && *paths; paths++, origin++) {
        struct stat status;
        if (stat(*paths, &status) < 0)
            r = err_set_errno(err, errno, "cannot read tables from '%s'", *paths);
        else if (S_ISDIR(status.st_mode))
            r = load_folder(set, *paths, origin, err);
        else
            r = load_file(set, AT_FDCWD, *paths, *paths, origin, err);
    }
    if (r < 0)
        return r;
    *ret = TAKE(set);
    return 0;
}

void table_set_speed_up(const struct table_set *set)
{
    for (size_t i = 0; i < set->loader.regexes.count; i++)
        regex_speed_up(set->loader.regexes.items[i]);
}

size_t table_set_count(const struct table_set *set)
{
    return set->tables.count;
}

const struct table *table_set_at(const struct table_set *set, size_t index)
{
    return set->tables.items[index].table;
}

bool table_covers(const struct table *table, const char *logical)
{
    for (size_t i = 0; i < table->leader->file_count; i++)
        if (path_pattern_match(&table->leader->files[i], logical, NULL))
            return true;
    return false;
}

const struct table *table_set_find(const struct table_set *set, const char *name)
{
    const struct entry *entry = find(set, name);
    return entry ? entry->table : NULL;
}
