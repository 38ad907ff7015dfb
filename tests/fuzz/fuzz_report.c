/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Any bytes as a REPORT, under a small budget: the reader must end, and end every member it began.
 */
#include <assert.h>
#include <stdint.h>
#include <sys/mman.h>

#include "analyzer/report/report.h"
#include "common/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int open_members;

static void *begin(void *context, const struct member *member)
{
    assert(member->path[0] != '/' && member->path[0] != '\0' && !strstr(member->path, "/../"));
    open_members++;
    return context;
}

static int show(void *state, const char *bytes, size_t length, struct err *err)
{
    (void)state;
    (void)err;
    assert(length > 0 && bytes[length - 1] == bytes[length - 1]);
    return 0;
}

static int end(void *state, bool complete, struct err *err)
{
    (void)state;
    (void)complete;
    (void)err;
    open_members--;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report_limits limits = report_default_limits;
    limits.total_bytes = 8 << 20;
    limits.entries = 2000;
    const struct report_visitor visitor = {begin, show, end, &open_members};
    struct report_set *set;
    char path[32];
    CLEANUP_FD int fd = memfd_create("report", MFD_CLOEXEC);
    if (fd < 0 || size > (1 << 20) || io_write_all(fd, data, size) < 0 ||
        report_set_new(&limits, &set, NULL) < 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    report_set_read(set, path, &visitor, NULL);
    assert(open_members == 0 && report_set_finish(set, NULL) == 0);
    report_set_free(set);
    return 0;
}
