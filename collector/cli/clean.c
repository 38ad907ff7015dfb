/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * An entry may belong to a plugin that collects the same file, so entries are found by the globs of
 * the marked items. No link is followed: somebody might have put one there since.
 */
#include "collector/cli/clean.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/io.h"

static bool is_marked(const struct catalog *catalog, const char *path)
{
    for (size_t i = 0; i < catalog->count; i++)
        for (size_t k = 0; k < catalog->capabilities[i].item_count; k++) {
            const struct catalog_item *item = &catalog->capabilities[i].items[k];
            for (const char *const *glob = item->paths; item->clean && *glob; glob++)
                if (fnmatch(*glob, path, FNM_PATHNAME) == 0)
                    return true;
        }
    return false;
}

/* The folder of `path`, below the root, and the name in it; -1 when a link is on the way. */
static int open_parent(int root_fd, const char *path, const char **ret_name)
{
    int folder = openat(root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (folder >= 0) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        char name[NAME_MAX + 1];
        if (!path[length] || length > NAME_MAX)
            break;
        snprintf(name, sizeof name, "%.*s", (int)length, path);
        int next = openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(folder);
        folder = next;
        path += length;
    }
    *ret_name = path;
    return folder;
}

static bool remove_unchanged(int root_fd, const struct plan_entry *entry)
{
    const char *name;
    struct stat status;
    CLEANUP_FD int folder = open_parent(root_fd, entry->path, &name);
    return folder >= 0 && fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(status.st_mode) && status.st_mtime == entry->modified &&
           (entry->redactions > 0 || status.st_size == entry->bytes) &&
           unlinkat(folder, name, 0) == 0;
}

void clean_collected(const struct catalog *catalog, const struct plan *plan, int root_fd,
                     struct cleaned *ret)
{
    *ret = (struct cleaned){0, 0};
    for (size_t i = 0; i < plan->entries.count; i++) {
        const struct plan_entry *entry = &plan->entries.items[i];
        bool file = entry->path && (entry->kind == PLAN_FILE || entry->kind == PLAN_TREE);
        if (!file || !is_marked(catalog, entry->path))
            continue;
        bool whole = entry->archived && (entry->outcome.status == OUTCOME_OK ||
                                         entry->outcome.status == OUTCOME_EMPTY);
        if (whole && remove_unchanged(root_fd, entry))
            ret->removed++;
        else
            ret->kept++;
    }
}
