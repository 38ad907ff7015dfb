/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/sources/read_child.h"

#include <fcntl.h>

#include "collector/sources/source_file.h"
#include "common/io.h"

static int write_out(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)context;
    int r = io_write_all(STDOUT_FILENO, bytes, length);
    return r < 0 ? err_set_errno(err, -r, "cannot hand on what was read") : 0;
}

int read_child(const char *root, int argc, const char *const *argv)
{
    if (argc < 3)
        return READ_CHILD_BASE + OUTCOME_FAILED;
    CLEANUP_FD int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0) {
        fprintf(stderr, "cannot open '%s'\n", root);
        return READ_CHILD_BASE + OUTCOME_FAILED;
    }
    struct file_request request = {
        .root_fd = root_fd, .root = root, .path = argv[1], .limit = strtoll(argv[2], NULL, 10)};
    struct outcome outcome = {0};
    int64_t modified;
    struct err err = ERR_INIT;
    if (source_read_file(&request, write_out, NULL, &outcome, &modified, &err) < 0)
        outcome_set(&outcome, OUTCOME_FAILED, "%s", err.text);
    fputs(outcome.reason, stderr);
    return outcome.status == OUTCOME_OK ? 0 : READ_CHILD_BASE + (int)outcome.status;
}

enum outcome_status read_child_outcome(int exit_status)
{
    int status = exit_status - READ_CHILD_BASE;
    if (exit_status == 0)
        return OUTCOME_OK;
    return status > 0 && status < OUTCOME_COUNT ? (enum outcome_status)status : OUTCOME_FAILED;
}
