/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Goes down the pattern component by component. The path so far stands in one buffer that grows
 * and shrinks; the names of a folder that match are gathered and sorted, so that the same host
 * gives the same plan.
 */
#include "collector/sources/expand_glob.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/io.h"
#include "common/vec.h"

typedef VEC(char *) name_list;

struct glob_walk {
    const char *root;
    size_t most;
    bool cut;
    void (*found)(void *context, const char *path);
    void *context;
    char path[PATH_MAX];
};

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool full_path(const struct glob_walk *walk, char *ret, size_t size)
{
    return snprintf(ret, size, "%s%s", walk->root, walk->path) < (int)size;
}

static void read_matches(struct glob_walk *walk, const char *pattern, name_list *names)
{
    char full[PATH_MAX];
    if (!full_path(walk, full, sizeof full))
        return;
    CLEANUP_DIR DIR *stream = opendir(full[0] ? full : "/");
    struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fnmatch(pattern, entry->d_name, FNM_PERIOD) != 0)
            continue;
        if (names->count == walk->most) {
            walk->cut = true;
            break;
        }
        char **name = vec_push(names);
        if (!name)
            break;
        if (!(*name = strdup(entry->d_name)))
            names->count--;
    }
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, by_name);
}

static void go(struct glob_walk *walk, const char *rest);

/* Goes on with one more component on the path, and takes it off again. */
static void enter(struct glob_walk *walk, const char *name, size_t length, const char *rest)
{
    size_t used = strlen(walk->path);
    if (used + 1 + length >= sizeof walk->path) {
        walk->cut = true;
        return;
    }
    walk->path[used] = '/';
    memcpy(walk->path + used + 1, name, length);
    walk->path[used + 1 + length] = '\0';
    go(walk, rest);
    walk->path[used] = '\0';
}

static void go(struct glob_walk *walk, const char *rest)
{
    char full[PATH_MAX], pattern[NAME_MAX + 1];
    struct stat status;
    rest += strspn(rest, "/");
    size_t length = strcspn(rest, "/");
    if (length == 0) {
        if (full_path(walk, full, sizeof full) && lstat(full, &status) == 0)
            walk->found(walk->context, walk->path);
        return;
    }
    if (length > NAME_MAX)
        return;
    memcpy(pattern, rest, length);
    pattern[length] = '\0';
    if (!strpbrk(pattern, "*?[")) {
        enter(walk, rest, length, rest + length);
        return;
    }
    name_list names = {0};
    read_matches(walk, pattern, &names);
    for (size_t i = 0; i < names.count; i++) {
        enter(walk, names.items[i], strlen(names.items[i]), rest + length);
        free(names.items[i]);
    }
    vec_free(&names);
}

bool expand_glob_each(const char *root, const char *pattern, size_t most,
                      void (*found)(void *context, const char *path), void *context)
{
    struct glob_walk walk = {.root = root, .most = most, .found = found, .context = context};
    go(&walk, pattern);
    return !walk.cut;
}
