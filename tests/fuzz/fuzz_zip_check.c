/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The list of files of a zip, from a stranger: judged without a crash, and what it refuses or calls
 * damaged has a reason.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/report/zip_check.h"
#include "common/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report_limits limits = report_default_limits;
    limits.entries = 2000;
    struct zip_check zip;
    CLEANUP_FD int fd = memfd_create("zip", MFD_CLOEXEC);
    if (fd < 0 || io_write_all(fd, data, size) < 0 ||
        zip_check(fd, (int64_t)size, &limits, &zip, NULL) < 0)
        return 0;
    if ((zip.state != ZIP_GOOD && !zip.text[0]) || zip.suffix < 0 || zip.unlisted < 0)
        __builtin_trap();
    for (size_t i = 0; i < zip.contradicted_count; i++)
        if (!zip_check_contradicts(&zip, zip.contradicted[i]))
            __builtin_trap();
    zip_check_release(&zip);
    return 0;
}
