/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What reports say about themselves, read on the way: inventory.xml, manifest.json,
 * xen-bugtool.log, and a pool bundle's list of hosts.
 */
#pragma once

#include "analyzer/report/set.h"

struct capture;

/* NULL when the member (path below the host's root) is none of these, or memory is out. */
struct capture *capture_begin(struct report_set *set, struct host_state *host, const char *path);

/* The list of hosts of a bundle. NULL when memory is out. */
struct capture *capture_begin_bundle_list(struct report_set *set);

void capture_data(struct capture *capture, const char *bytes, size_t length);

/* Frees the capture without a conclusion. NULL is fine. */
void capture_discard(struct capture *capture);

/* Draws the conclusions and frees the capture. NULL is fine. */
void capture_end(struct capture *capture, bool is_complete);
