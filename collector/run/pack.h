/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A tar inside the archive. Names of systemd units hold backslashes, which the people who unpack
 * reports on Windows cannot have as file names; so these files travel in an archive of their own,
 * as in the original.
 */
#pragma once

#include "collector/bundle/stage.h"

struct pack;

/* `name` is the member it becomes (borrowed); the archive grows in a stage made with `options`. */
int pack_new(const struct stage_options *options, const char *name, struct pack **ret,
             struct err *err);
void *pack_free(struct pack *pack);
const char *pack_name(const struct pack *pack);

/* Bytes of the tar so far. */
int64_t pack_size(const struct pack *pack);

/* Adds a finished plain stage under a name. */
int pack_add(struct pack *pack, const char *name, int64_t modified, struct stage *stage,
             struct err *err);

/* Ends the tar; the finished stage stays the pack's. */
int pack_finish(struct pack *pack, struct stage **ret, struct err *err);
