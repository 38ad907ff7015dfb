/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The side of the expansion that touches the file system. It talks to its parent in tokens that end
 * with a NUL: `B<number>` a request begins, `H<size> <path>` a hit, `C` cut at the limit, `E` the
 * request is done.
 *
 * Trees do not descend into linked folders twice and take each file once, so loops end; other
 * mounts than the one the tree starts on are left alone.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <regex.h>
#include <sys/stat.h>

#include "collector/sources/devices.h"
#include "collector/sources/expand.h"
#include "collector/sources/expand_glob.h"
#include "collector/sources/running.h"
#include "common/io.h"
#include "common/vec.h"

#define MAX_HITS      20000 /* one request; keeps the plan below some 10 MB */
#define MAX_DEPTH     64    /* folders below the root of a tree */
#define MAX_ROTATIONS 500

typedef VEC(char *) name_list;

struct found {
    char *path;
    int64_t size, modified;
};

struct worker {
    const char *root; /* "" for the running system */
    const struct expand_request *request;
    FILE *out;
    size_t hits;
    bool cut;
    regex_t match, exclude;
    dev_t device;
    VEC(struct found) files;
    VEC(ino_t) seen;
};

/* There is more than is reported; the plan says so. */
static void report_cut(struct worker *w)
{
    if (!w->cut)
        fprintf(w->out, "C%c", 0);
    w->cut = true;
}

static void report(struct worker *w, const char *path, int64_t size)
{
    if (w->hits == MAX_HITS)
        report_cut(w);
    if (w->hits++ < MAX_HITS)
        fprintf(w->out, "H%" PRId64 " %s%c", size, path, 0);
}

static void full_path(const struct worker *w, const char *path, char *ret, size_t size)
{
    snprintf(ret, size, "%s%s", w->root, path);
}

/* Looks through links; below another root an absolute target means one below that root. */
static bool look(const struct worker *w, const char *path, struct stat *ret)
{
    char full[PATH_MAX], target[PATH_MAX];
    full_path(w, path, full, sizeof full);
    ssize_t length = *w->root ? readlink(full, target, sizeof target - 1) : -1;
    if (length > 0 && target[0] == '/') {
        target[length] = '\0';
        full_path(w, target, full, sizeof full);
    }
    return stat(full, ret) == 0;
}

static void keep(struct worker *w, const char *path, const struct stat *status)
{
    if (w->files.count > MAX_HITS) {
        report_cut(w);
        return;
    }
    struct found *file = vec_push(&w->files);
    if (!file)
        return;
    file->path = strdup(path);
    file->size = status->st_size;
    file->modified = status->st_mtime;
    if (!file->path)
        w->files.count--;
}

static int by_age(const void *left, const void *right)
{
    const struct found *a = left, *b = right;
    return a->modified != b->modified ? (a->modified < b->modified) - (a->modified > b->modified)
                                      : strcmp(a->path, b->path);
}

static void report_kept(struct worker *w)
{
    for (size_t i = 0; i < w->files.count; i++) {
        report(w, w->files.items[i].path, w->files.items[i].size);
        free(w->files.items[i].path);
    }
    vec_free(&w->files);
}

/* What a pattern matches: files, or for EXPAND_PATHS whatever is there. */
static void keep_match(void *context, const char *path)
{
    struct worker *w = context;
    struct stat status;
    bool folders = w->request->kind == EXPAND_PATHS;
    if (look(w, path, &status) && (folders || !S_ISDIR(status.st_mode)))
        keep(w, path, &status);
}

static void expand_glob(struct worker *w)
{
    const char *subject = w->request->subject;
    struct stat status;
    bool folders = w->request->kind == EXPAND_PATHS;
    if (!folders && !strpbrk(subject, "*?[")) {
        report(w, subject, look(w, subject, &status) ? status.st_size : -1);
        return;
    }
    if (!expand_glob_each(w->root, subject, MAX_HITS, keep_match, w))
        report_cut(w);
    if (w->request->newest_first && w->files.count)
        qsort(w->files.items, w->files.count, sizeof *w->files.items, by_age);
    report_kept(w);
}

/* "kern.log" has rotations ".2", ".2.gz", "-20251102", "-20251102.gz"; the number or date tells the
 * age. */
static bool is_rotation(const char *rest, long long *ret_age)
{
    bool dated = rest[0] == '-';
    if (!dated && rest[0] != '.')
        return false;
    size_t digits = strspn(rest + 1, "0123456789");
    if (digits == 0 || digits > 14 || (dated && digits < 8))
        return false;
    static const char *const endings[] = {"", ".gz", ".xz", ".bz2", ".zst"};
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
        if (strcmp(rest + 1 + digits, endings[i]) == 0) {
            *ret_age = strtoll(rest + 1, NULL, 10) * (dated ? -1 : 1);
            return true;
        }
    return false;
}

static void expand_log(struct worker *w)
{
    const char *subject = w->request->subject;
    const char *base = strrchr(subject, '/') + 1;
    struct stat status;
    report(w, subject, look(w, subject, &status) ? status.st_size : -1);
    char folder[PATH_MAX], path[PATH_MAX];
    snprintf(folder, sizeof folder, "%s%.*s", w->root, (int)(base - subject), subject);
    CLEANUP_DIR DIR *stream = opendir(folder);
    struct dirent *entry;
    while (stream && (entry = readdir(stream)) && w->files.count < MAX_ROTATIONS) {
        long long age;
        size_t length = strlen(base);
        if (strncmp(entry->d_name, base, length) != 0 || !is_rotation(entry->d_name + length, &age))
            continue;
        snprintf(path, sizeof path, "%.*s%s", (int)(base - subject), subject, entry->d_name);
        if (!look(w, path, &status))
            continue;
        status.st_mtime = -age; /* what by_age() compares */
        keep(w, path, &status);
    }
    if (w->files.count)
        qsort(w->files.items, w->files.count, sizeof *w->files.items, by_age);
    report_kept(w);
}

/* Remembers the inode; the list is kept sorted. */
static bool first_time(struct worker *w, ino_t inode)
{
    size_t low = 0, high = w->seen.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->seen.items[middle] == inode)
            return false;
        if (w->seen.items[middle] < inode)
            low = middle + 1;
        else
            high = middle;
    }
    ino_t *room = w->seen.count > MAX_HITS ? NULL : vec_push(&w->seen);
    if (!room) {
        report_cut(w);
        return false;
    }
    memmove(w->seen.items + low + 1, w->seen.items + low,
            (w->seen.count - 1 - low) * sizeof *w->seen.items);
    w->seen.items[low] = inode;
    return true;
}

static bool wanted(struct worker *w, const char *path)
{
    regmatch_t hit;
    if (w->request->match && (regexec(&w->match, path, 1, &hit, 0) != 0 || hit.rm_so != 0))
        return false;
    return !(w->request->exclude && regexec(&w->exclude, path, 1, &hit, 0) == 0 && hit.rm_so == 0);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/*
 * Names of a folder, sorted; no more than could be reported, so that a folder of millions costs
 * little. Files that are not wanted take nobody's place.
 */
static void read_names(struct worker *w, const char *folder, const char *full, name_list *names)
{
    char path[PATH_MAX + NAME_MAX];
    CLEANUP_DIR DIR *stream = opendir(full);
    struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_type == DT_REG && !wanted(w, path))
            continue;
        if (names->count > MAX_HITS) {
            report_cut(w);
            break;
        }
        char **name = vec_push(names);
        if (name && !(*name = strdup(entry->d_name)))
            names->count--;
    }
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, by_name);
}

/* A tree that is wanted by age is reported when it is known. */
static void report_found(struct worker *w, const char *path, const struct stat *status)
{
    if (w->request->newest_first)
        keep(w, path, status);
    else
        report(w, path, status->st_size);
}

/* A folder into which somebody else could put things. */
static bool is_foreign(const char *full)
{
    struct stat status;
    return stat(full, &status) == 0 &&
           ((status.st_uid != 0 && status.st_uid != geteuid()) || (status.st_mode & S_IWOTH));
}

static bool is_link(const struct worker *w, const char *path)
{
    char full[PATH_MAX];
    struct stat status;
    full_path(w, path, full, sizeof full);
    return lstat(full, &status) == 0 && S_ISLNK(status.st_mode);
}

static void walk(struct worker *w, const char *folder, int depth);

/*
 * A link that somebody else could have made is not followed: it may lead to a mount that hangs, or
 * to the root of everything. That it is there is recorded, as of FIFOs, by the attempt to open it.
 */
static void visit(struct worker *w, const char *path, bool foreign, int depth)
{
    struct stat status;
    if (foreign && is_link(w, path)) {
        if (wanted(w, path))
            report(w, path, -1);
    } else if (!look(w, path, &status)) {
        return;
    } else if (S_ISDIR(status.st_mode)) {
        if (status.st_dev == w->device && first_time(w, status.st_ino))
            walk(w, path, depth + 1);
    } else if (wanted(w, path) && (status.st_dev != w->device || first_time(w, status.st_ino))) {
        report_found(w, path, &status);
    }
}

static void walk(struct worker *w, const char *folder, int depth)
{
    char full[PATH_MAX], path[PATH_MAX];
    name_list names = {0};
    full_path(w, folder, full, sizeof full);
    bool foreign = is_foreign(full);
    if (depth == MAX_DEPTH)
        report_cut(w);
    else if (w->hits <= MAX_HITS)
        read_names(w, folder, full, &names);
    for (size_t i = 0; i < names.count; i++) {
        if (snprintf(path, sizeof path, "%s/%s", folder, names.items[i]) < (int)sizeof path)
            visit(w, path, foreign, depth);
        else
            report_cut(w);
        free(names.items[i]);
    }
    vec_free(&names);
}

static void expand_tree(struct worker *w)
{
    const struct expand_request *request = w->request;
    char root[PATH_MAX];
    snprintf(root, sizeof root, "%s", request->subject);
    size_t length = strlen(root);
    while (length > 1 && root[length - 1] == '/')
        root[--length] = '\0';
    struct stat status;
    if (!look(w, root, &status))
        return;
    if (request->match && regcomp(&w->match, request->match, REG_EXTENDED) != 0)
        return;
    if (request->exclude && regcomp(&w->exclude, request->exclude, REG_EXTENDED) != 0)
        return;
    w->device = status.st_dev;
    first_time(w, status.st_ino);
    walk(w, root, 0);
    if (w->files.count)
        qsort(w->files.items, w->files.count, sizeof *w->files.items, by_age);
    report_kept(w);
    if (request->match)
        regfree(&w->match);
    if (request->exclude)
        regfree(&w->exclude);
    vec_free(&w->seen);
}

static void report_device(void *context, const char *name)
{
    report(context, name, -1);
}

static void expand_one(struct worker *w)
{
    struct stat status;
    const char *subject = w->request->subject;
    switch (w->request->kind) {
    case EXPAND_GLOB:
    case EXPAND_PATHS:
        expand_glob(w);
        break;
    case EXPAND_LOG:
        expand_log(w);
        break;
    case EXPAND_TREE:
        expand_tree(w);
        break;
    case EXPAND_DEVICES:
        device_list(*w->root ? w->root : "/", subject, report_device, w);
        break;
    case EXPAND_EXISTS:
        if (look(w, subject, &status))
            report(w, subject, -1);
        break;
    case EXPAND_RUNNING:
        if (is_running(subject))
            report(w, subject, -1);
        break;
    }
}

int expand_child(const struct expansion *expansion, int argc, const char *const *argv)
{
    if (argc < 3)
        return 2;
    size_t first = (size_t)strtoul(argv[1], NULL, 10), count = (size_t)strtoul(argv[2], NULL, 10);
    FILE *out = fdopen(STDOUT_FILENO, "w");
    if (!out || first > expansion->count || count > expansion->count - first)
        return 2;
    for (size_t i = first; i < first + count; i++) {
        struct worker w = {.root = strcmp(expansion->root, "/") == 0 ? "" : expansion->root,
                           .request = &expansion->requests[i],
                           .out = out};
        fprintf(out, "B%zu%c", i, 0);
        fflush(out); /* so that the parent knows what got stuck */
        expand_one(&w);
        fprintf(out, "E%c", 0);
    }
    return fclose(out) == 0 ? 0 : 1;
}
