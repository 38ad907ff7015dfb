/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which paths may block for ever when they are touched. The answer comes from the kernel's mount
 * table, whose reading touches none of the file systems in it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct mount;
struct mounts;

/* Parses the text of /proc/self/mountinfo. */
int mounts_parse(const char *text, struct mounts **ret, struct err *err);

/* The mounts of this process; when the table cannot be read, one that calls every path risky. */
int mounts_load(struct mounts **ret, struct err *err);

void *mounts_free(struct mounts *mounts);

/* Type of the file system that holds an absolute path without links in it (longest prefix, last
 * mount wins). */
const char *mounts_type(const struct mounts *mounts, const char *path);

/* The mount that holds such a path; NULL when the table has none. Lives as long as the table. */
const struct mount *mounts_find(const struct mounts *mounts, const char *path);

/* All but local disks and memory, and disks that hang: read by a child that can be killed or
 * abandoned. */
bool mount_is_risky(const struct mount *mount);
bool mounts_is_risky(const struct mounts *mounts, const char *path);

/* A read on a mount hangs: from now on it is risky, for all threads. NULL is fine. */
void mounts_note_hang(struct mounts *mounts, const struct mount *mount);
