/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which paths may block for ever when they are touched. The answer comes from the kernel's mount
 * table, whose reading touches none of the file systems in it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct mounts;

/* Parses the text of /proc/self/mountinfo. */
int mounts_parse(const char *text, struct mounts **ret, struct err *err);

/* The mounts of this process; when the table cannot be read, one that calls every path risky. */
int mounts_load(struct mounts **ret, struct err *err);

void *mounts_free(struct mounts *mounts);

/* Type of the file system that holds an absolute path without links in it (longest prefix, last
 * mount wins). */
const char *mounts_type(const struct mounts *mounts, const char *path);

/* All but local disks and memory: read by a child that can be killed or abandoned. */
bool mounts_is_risky(const struct mounts *mounts, const char *path);
