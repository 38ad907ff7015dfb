/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Landlock: the kernel checks every use of a path, whatever system call it comes by.
 *
 * There is no library for it and the headers of the build may be older than the kernel of the run,
 * so the few numbers of its ABI (linux/landlock.h, security/landlock in the kernel's documentation)
 * stand here. Descriptors that are open already are not touched by it, which is just what we want.
 */
#include "analyzer/sandbox/confine.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/io.h"

/* The same on every architecture. */
#define CALL_CREATE_RULESET 444
#define CALL_ADD_RULE       445
#define CALL_RESTRICT_SELF  446

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH      1

#define ACCESS_READ_FILE (1ull << 2)
#define ACCESS_READ_DIR  (1ull << 3)

/* The rights over files that each version knows; a ruleset may only name what the kernel knows. */
static const uint64_t file_rights[] = {
    [1] = (1ull << 13) - 1,                         /* execute, write, read, remove, make ... */
    [2] = (1ull << 14) - 1,                         /* refer */
    [3] = (1ull << 15) - 1,                         /* truncate */
    [4] = (1ull << 15) - 1, [5] = (1ull << 16) - 1, /* ioctl of devices */
};
#define NETWORK_SINCE  4
#define NETWORK_RIGHTS 3ull /* bind and connect of TCP */
#define SCOPE_SINCE    6
#define SCOPES         3ull /* abstract sockets and signals of others */

struct ruleset_attributes {
    uint64_t files, network, scoped;
};

struct path_beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

int landlock_version(void)
{
    long version = syscall(CALL_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

int confine_paths(const struct sandbox_folders *folders, struct err *err)
{
    int version = landlock_version();
    if (version == 0)
        return 0;
    size_t known =
        (size_t)version < ARRAY_SIZE(file_rights) ? (size_t)version : ARRAY_SIZE(file_rights) - 1;
    struct ruleset_attributes attributes = {
        .files = file_rights[known],
        .network = version >= NETWORK_SINCE ? NETWORK_RIGHTS : 0,
        .scoped = version >= SCOPE_SINCE ? SCOPES : 0,
    };
    /* Fields that an older kernel does not know are 0, and then it takes the longer structure. */
    CLEANUP_FD int ruleset = (int)syscall(CALL_CREATE_RULESET, &attributes, sizeof attributes, 0u);
    if (ruleset < 0)
        return err_set_errno(err, errno, "Landlock refuses a ruleset");
    for (size_t i = 0; i < folders->count; i++) {
        struct path_beneath beneath = {ACCESS_READ_FILE | ACCESS_READ_DIR, folders->fds[i]};
        if (syscall(CALL_ADD_RULE, ruleset, RULE_PATH_BENEATH, &beneath, 0u) < 0)
            return err_set_errno(err, errno, "Landlock refuses a rule");
    }
    if (syscall(CALL_RESTRICT_SELF, ruleset, 0u) < 0)
        return err_set_errno(err, errno, "Landlock refuses to begin");
    return 0;
}
