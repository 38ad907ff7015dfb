/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where rules come from: the files are found, their documents are parsed, and then the rules are
 * loaded from them one after another.
 *
 * Parsing the YAML of many files is most of the work, and the files know nothing of each other: a
 * second thread, where one is wanted, parses half of them. What is wrong is told of the first file
 * that something is wrong with, as if there were one thread.
 */
#include "analyzer/rules/rule_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/background.h"
#include "common/version.h"

#define RULE_FILE_MAX (1024 * 1024)

/* Folders of rules inside folders of rules: area, vendor, ... */
#define FOLDER_DEPTH 4

/* Fewer files are parsed sooner than a thread has begun. */
#define THREAD_FROM 32

struct rule_file {
    size_t pack;
    const char *name;
    const struct embedded_file *embedded; /* NULL: it is a file of the user's */
    const struct doc_node *root;          /* once it is parsed */
};

struct loading {
    struct rule_set *set;
    VEC(struct rule_file) files; /* in the order in which the rules are added */
    size_t embedded;             /* how many of them, the first ones, are */
};

static void loading_release(struct loading *loading)
{
    vec_free(&loading->files);
}

/* ------ Finding them */

static int add_pack(struct rule_set *set, const char *name, struct err *err)
{
    struct rule_pack *pack = vec_push(&set->packs);
    if (!pack)
        return err_nomem(err);
    pack->name = arena_strdup(set->arena, name);
    pack->version = XENHEALTH_VERSION;
    return pack->name ? 0 : err_nomem(err);
}

static int add_file(struct loading *loading, const char *name, const struct embedded_file *embedded,
                    struct err *err)
{
    struct rule_file *file = vec_push(&loading->files);
    if (!file)
        return err_nomem(err);
    file->pack = loading->set->packs.count - 1;
    file->name = arena_strdup(loading->set->arena, name);
    file->embedded = embedded;
    return file->name ? 0 : err_nomem(err);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int add_path(struct loading *loading, const char *path, int depth, struct err *err);

bool rule_data_folder(const char *path, const char *name, struct strbuf *ret)
{
    struct stat status;
    strbuf_addf(ret, "%s/%s", path, name);
    return strbuf_ok(ret) && stat(ret->data, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool holds_data(const char *path)
{
    CLEANUP(strbuf_release) struct strbuf tables = STRBUF_INIT, lists = STRBUF_INIT;
    return rule_data_folder(path, RULE_TABLES_FOLDER, &tables) ||
           rule_data_folder(path, RULE_LISTS_FOLDER, &lists);
}

static bool is_data(const char *name)
{
    return strcmp(name, RULE_TABLES_FOLDER) == 0 || strcmp(name, RULE_LISTS_FOLDER) == 0;
}

static int add_folder(struct loading *loading, const char *path, int depth, struct err *err)
{
    if (depth == FOLDER_DEPTH)
        return err_set(err, ERR_LIMIT, "'%s': folders of rules are nested too deeply", path);
    struct dirent **entries;
    int count = scandir(path, &entries, not_hidden, alphasort);
    if (count < 0)
        return err_set_errno(err, errno, "cannot read rules folder '%s'", path);
    int r = 0;
    for (int i = 0; i < count; i++) {
        CLEANUP(strbuf_release) struct strbuf child = STRBUF_INIT;
        struct stat status;
        strbuf_addf(&child, "%s/%s", path, entries[i]->d_name);
        bool is_rules = depth > 0 || !is_data(entries[i]->d_name);
        /* A link that leads nowhere is a rule that somebody misses. */
        bool is_meant = doc_is_file_name(entries[i]->d_name) ||
                        (stat(child.data, &status) == 0 && S_ISDIR(status.st_mode));
        if (r == 0 && !strbuf_ok(&child))
            r = err_nomem(err);
        if (r == 0 && is_rules && is_meant)
            r = add_path(loading, child.data, depth + 1, err);
        free(entries[i]);
    }
    free(entries);
    return r;
}

static int add_path(struct loading *loading, const char *path, int depth, struct err *err)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return err_set_errno(err, errno, "cannot read rules '%s'", path);
    return S_ISDIR(status.st_mode) ? add_folder(loading, path, depth, err)
                                   : add_file(loading, path, NULL, err);
}

static int find_files(struct loading *loading, const struct embedded_file *embedded,
                      const char *const *paths, struct err *err)
{
    int r = embedded ? add_pack(loading->set, "xenhealth", err) : 0;
    for (; r == 0 && embedded && embedded->name; embedded++, loading->embedded++) {
        CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
        strbuf_addf(&name, "rules/%s", embedded->name);
        r = add_file(loading, name.data, embedded, err);
    }
    for (; r == 0 && paths && *paths; paths++) {
        size_t before = loading->files.count;
        r = add_pack(loading->set, *paths, err);
        if (r == 0)
            r = add_path(loading, *paths, 0, err);
        if (r == 0 && loading->files.count == before && !holds_data(*paths))
            r = err_set(err, ERR_NOTFOUND,
                        "'%s' holds no rule (*.yaml) and no folder '" RULE_TABLES_FOLDER
                        "' or '" RULE_LISTS_FOLDER "'",
                        *paths);
    }
    return r;
}

/* ------ Parsing them */

/* What one thread does: the files [from, to). */
struct share {
    struct loading *loading;
    struct arena *arena;
    size_t from, to; /* behind the last one that is parsed */
};

static int parse_file(struct arena *arena, struct rule_file *file, struct err *err)
{
    if (file->embedded)
        return doc_parse_embedded(arena, file->name, file->embedded, &file->root, err);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    int r = io_read_file(AT_FDCWD, file->name, RULE_FILE_MAX, &bytes, err);
    return r < 0 ? r : doc_parse(arena, file->name, bytes.data, bytes.length, &file->root, err);
}

static int parse_share(void *context, struct err *err)
{
    struct share *share = context;
    for (size_t i = share->from; i < share->to; i++) {
        int r = parse_file(share->arena, &share->loading->files.items[i], err);
        if (r < 0) {
            share->to = i;
            return r;
        }
    }
    return 0;
}

static int add_rules(const struct share *share, int parsed, const struct err *failure,
                     struct err *err)
{
    int r = 0;
    for (size_t i = share->from; r == 0 && i < share->to; i++) {
        const struct rule_file *file = &share->loading->files.items[i];
        r = rule_set_add(share->loading->set, file->pack, file->root, err);
    }
    return r < 0 ? r : err_pass(err, parsed, failure);
}

static int load_files(struct loading *loading, bool threads, struct err *err)
{
    struct rule_set *set = loading->set;
    size_t count = loading->files.count, half = loading->embedded + (count - loading->embedded) / 2;
    struct share first = {loading, set->arena, 0, half};
    struct share second = {loading, set->other_arena, half, count};
    struct background background;
    struct err first_failure = ERR_INIT, second_failure = ERR_INIT;
    bool apart = threads && count - half >= THREAD_FROM;
    background_begin(&background, apart, parse_share, &second);
    int first_parsed = parse_share(&first, &first_failure);
    int second_parsed = background_end(&background, &second_failure);
    int r = add_rules(&first, first_parsed, &first_failure, err);
    return r < 0 ? r : add_rules(&second, second_parsed, &second_failure, err);
}

int rule_files_load(struct rule_set *set, const struct embedded_file *embedded,
                    const char *const *paths, bool threads, struct err *err)
{
    CLEANUP(loading_release) struct loading loading = {.set = set};
    struct err failure = ERR_INIT;
    int found = find_files(&loading, embedded, paths, &failure);
    int r = load_files(&loading, threads, err);
    return r < 0 ? r : err_pass(err, found, &failure);
}
