/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reading one member: from its bytes to the visitor, on whatever thread is free.
 */
#pragma once

#include "analyzer/report/capture.h"
#include "analyzer/report/member_name.h"
#include "analyzer/report/walk.h"

/*
 * Shows a member to the visitor (and to the capture, if it is one of the files in which a report
 * speaks of itself), decompressed. `path` is below the host's root. The member may still be read
 * when this returns; whatever is wrong with it becomes a problem in its place. Errors are those of
 * the visitor, of this or an earlier member, and ERR_NOMEM.
 */
int member_read(struct walk *walk, struct host_state *host, const char *path,
                const struct found_file *file, struct err *err);

/* Pumps a stream to the capture alone. */
int member_capture(struct walk *walk, struct stream *stream, struct capture *capture,
                   int64_t *ret_bytes, struct err *err);
