/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * When a host's logs were written: samples of the time stamps of some logs, so that the timeline
 * can tell "nothing happened" from "nobody wrote".
 *
 * A probe belongs to one log and one thread; adding it to the presence is safe from any thread.
 */
#pragma once

#include "analyzer/match/timestamp.h"
#include "analyzer/report/path_pattern.h"
#include "analyzer/verdict/overview.h"
#include "common/arena.h"

struct presence;
struct presence_probe;

/* Everything is borrowed. */
int presence_new(const struct path_pattern *files, size_t file_count,
                 const struct log_formats *formats, struct presence **ret, struct err *err);
void *presence_free(struct presence *presence);

/* *ret is NULL when the log at `logical` is none that tells (or `presence` is NULL). */
int presence_begin(struct presence *presence, const char *logical, unsigned host,
                   struct presence_probe **ret, struct err *err);

/* Bytes of the log in pieces of any size. */
int presence_feed(struct presence_probe *probe, const char *bytes, size_t length, struct err *err);

/* Adds what the probe saw, and frees it. NULL is none. */
int presence_end(struct presence_probe *probe, struct err *err);
void *presence_probe_free(struct presence_probe *probe);

/*
 * When all is read: spans by host, then time. `taken` has the moment of each host's report; two
 * samples more than `gap_s` apart have nothing between them.
 */
int presence_spans(struct presence *presence, const struct host_clock *clocks, size_t host_count,
                   int64_t gap_s, struct arena *arena, struct log_span **ret, size_t *ret_count,
                   struct err *err);
