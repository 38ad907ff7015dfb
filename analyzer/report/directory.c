/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A directory as a REPORT: an unpacked report, a folder of reports, or a few files in their places.
 *
 * No symbolic link is followed and only regular files are opened, so that a report unpacked from a
 * hostile archive cannot lead outside, and nothing blocks. Files come before folders: that way a
 * host's top folder is known before its stranger subfolders are met.
 */
#include "analyzer/report/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/report/file_stream.h"
#include "common/io.h"

struct child {
    char *name;
    bool is_folder;
};

struct children {
    VEC(struct child) list;
};

static void children_release(struct children *children)
{
    for (size_t i = 0; i < children->list.count; i++)
        free(children->list.items[i].name);
    vec_free(&children->list);
}

static int files_first(const void *a, const void *b)
{
    const struct child *x = a, *y = b;
    if (x->is_folder != y->is_folder)
        return x->is_folder - y->is_folder;
    return strcmp(x->name, y->name);
}

/* Sorted names of the regular files and folders. Only ERR_NOMEM is an error, the rest goes to
 * `failure`. */
static int list_children(struct walk *walk, int fd, struct children *children,
                         struct failure *failure, struct err *err)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    CLEANUP_DIR DIR *directory = own >= 0 ? fdopendir(own) : NULL;
    if (!directory) {
        failure_set(failure, PROBLEM_DAMAGED, "the folder cannot be read: %s", strerror(errno));
        io_close(&own);
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (walk_count_entry(walk, failure) < 0)
            break;
        if (fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
            !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
            continue;
        struct child *child = vec_push(&children->list);
        if (!child || !(child->name = strdup(entry->d_name)))
            return err_nomem(err);
        child->is_folder = S_ISDIR(status.st_mode);
    }
    if (children->list.count > 0)
        qsort(children->list.items, children->list.count, sizeof *children->list.items,
              files_first);
    return 0;
}

static int visit_file(struct walk *walk, int dirfd, const char *name, const char *path,
                      struct err *err)
{
    static const struct place place = {.nesting = 0, .prefix = ""};
    struct stat status;
    CLEANUP_FD int fd =
        openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status) < 0) {
        set_problem(walk->set, PROBLEM_DAMAGED, -1, path, "it cannot be opened: %s",
                    strerror(errno));
        return 0;
    }
    if (!S_ISREG(status.st_mode))
        return 0; /* it was replaced since it was listed */

    CLEANUP(file_stream_release) struct file_stream stream = {.fd = -1};
    int rc = file_stream_init(&stream, fd, status.st_size, &walk->set->budget, err);
    if (rc < 0)
        return rc;
    const struct range range = {.fd = fd, .length = RANGE_TO_END};
    struct found_file file = {
        .name = path,
        .stream = &stream.stream,
        .range = &range,
        .fd = fd,
        .size = status.st_size,
        .modified = status.st_mtim.tv_sec,
    };
    return walk_file(walk, &place, &file, err);
}

static int visit_folder(struct walk *walk, int fd, const char *path, int depth, struct err *err)
{
    CLEANUP(children_release) struct children children = {0};
    struct failure failure = {0};

    int rc = list_children(walk, fd, &children, &failure, err);
    if (rc < 0)
        return rc;
    if (failure.failed && failure_claim_report(&failure))
        set_problem(walk->set, failure.kind, -1, path, "%s", failure.text);

    for (size_t i = 0; i < children.list.count && !walk->is_full; i++) {
        const struct child *child = &children.list.items[i];
        CLEANUP_FREE char *below = NULL;
        if (asprintf(&below, "%s%s%s", path, path[0] ? "/" : "", child->name) < 0)
            return err_nomem(err);
        if (!child->is_folder) {
            rc = visit_file(walk, fd, child->name, below, err);
        } else if (depth == walk->set->budget.limits.path_depth) {
            set_problem(walk->set, PROBLEM_REFUSED, -1, below,
                        "the folder is left out: folders are nested more than %d deep", depth);
        } else {
            CLEANUP_FD int inner =
                openat(fd, child->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
            if (inner < 0)
                set_problem(walk->set, PROBLEM_DAMAGED, -1, below,
                            "the folder cannot be opened: %s", strerror(errno));
            else
                rc = visit_folder(walk, inner, below, depth + 1, err);
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

int walk_directory(struct walk *walk, int fd, struct err *err)
{
    return visit_folder(walk, fd, "", 1, err);
}
