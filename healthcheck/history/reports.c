/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Names sort by time, so the oldest report is the first name; only the newest may have a name that
 * a wrong clock made, which is why it is told apart.
 */
#include "healthcheck/history/reports.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/io.h"
#include "common/vec.h"

#define MAX_REPORTS 10000 /* that are looked at in one run */

struct report {
    char *name;
    int64_t bytes;
};

struct reports {
    int fd;
    VEC(struct report) list; /* oldest first */
};

static void reports_release(struct reports *reports)
{
    for (size_t i = 0; i < reports->list.count; i++)
        free(reports->list.items[i].name);
    vec_free(&reports->list);
    io_close(&reports->fd);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct report *)a)->name, ((const struct report *)b)->name);
}

static int add(struct reports *reports, const char *name)
{
    struct stat status;
    if (name[0] == '.' || fstatat(reports->fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(status.st_mode))
        return 0;
    struct report *report = vec_push(&reports->list);
    if (!report)
        return -1;
    report->bytes = (int64_t)status.st_blocks * 512;
    report->name = strdup(name);
    return report->name ? 0 : -1;
}

static int look(const struct store *store, struct reports *ret, struct err *err)
{
    *ret = (struct reports){
        .fd = openat(store_fd(store), "reports", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    int copy = ret->fd < 0 ? -1 : fcntl(ret->fd, F_DUPFD_CLOEXEC, 0);
    CLEANUP_DIR DIR *folder = copy < 0 ? NULL : fdopendir(copy);
    if (!folder) {
        int r = err_set_errno(err, errno, "cannot read '%s/reports'", store_path(store));
        io_close(&copy);
        return r;
    }
    for (struct dirent *entry = readdir(folder); entry && ret->list.count < MAX_REPORTS;
         entry = readdir(folder))
        if (add(ret, entry->d_name) < 0)
            return err_nomem(err);
    if (ret->list.count)
        qsort(ret->list.items, ret->list.count, sizeof *ret->list.items, by_name);
    return 0;
}

static int64_t free_bytes(int fd)
{
    struct statvfs status;
    return fstatvfs(fd, &status) < 0 ? INT64_MAX
                                     : (int64_t)status.f_bavail * (int64_t)status.f_frsize;
}

static void sum_up(const struct reports *reports, size_t from, struct reports_usage *ret)
{
    *ret = (struct reports_usage){.count = (int)(reports->list.count - from), .dropped = (int)from};
    for (size_t i = from; i < reports->list.count; i++)
        ret->bytes += reports->list.items[i].bytes;
}

static void move_last(struct reports *reports, const char *name)
{
    struct report *items = reports->list.items;
    size_t count = reports->list.count, i = 0;
    while (i < count && strcmp(items[i].name, name) != 0)
        i++;
    if (i == count)
        return;
    struct report found = items[i];
    memmove(items + i, items + i + 1, (count - i - 1) * sizeof *items);
    items[count - 1] = found;
}

int reports_prune(const struct store *store, const struct reports_limits *limits, int64_t free_now,
                  const char *newest, struct reports_usage *ret, struct err *err)
{
    CLEANUP(reports_release) struct reports reports;
    int r = look(store, &reports, err);
    if (r < 0)
        return r;
    if (newest)
        move_last(&reports, newest);
    int64_t left = free_now < 0 ? free_bytes(reports.fd) : free_now;
    struct reports_usage usage;
    size_t from = 0;
    for (sum_up(&reports, 0, &usage);
         from < reports.list.count &&
         (usage.count > limits->count || usage.bytes > limits->bytes || left < limits->free_bytes);
         sum_up(&reports, from, &usage)) {
        const struct report *oldest = &reports.list.items[from++];
        if (unlinkat(reports.fd, oldest->name, 0) < 0 && errno != ENOENT)
            return err_set_errno(err, errno, "cannot remove the old report '%s/reports/%s'",
                                 store_path(store), oldest->name);
        left += oldest->bytes;
    }
    *ret = usage;
    return 0;
}

int reports_usage(const struct store *store, struct reports_usage *ret, struct err *err)
{
    CLEANUP(reports_release) struct reports reports;
    int r = look(store, &reports, err);
    if (r == 0)
        sum_up(&reports, 0, ret);
    return r;
}

bool reports_has(const struct store *store, const char *name)
{
    CLEANUP_FD int fd = openat(store_fd(store), "reports", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return *name && fd >= 0 && faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
