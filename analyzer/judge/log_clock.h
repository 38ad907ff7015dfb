/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the times in a host's logs tell about the host's clock and about the logs: a clock that was
 * set back, and logs that end long before the report was taken. Both are problems of the report:
 * with the first, times cannot be compared; with the second, the last hours are not in the logs.
 *
 * A watch belongs to one log and to the thread that reads it. Everything else is called by the
 * thread that reads the report, in the order of its members.
 */
#pragma once

#include "analyzer/database/database.h"
#include "analyzer/match/timestamp.h"
#include "analyzer/report/report.h"
#include "analyzer/rules/rule.h"

/* A step back that is not one: the end of daylight-saving time, and some minutes between two
 * samples. */
#define CLOCK_STEP_S (65 * 60)

struct log_clock;
struct log_watch;

/* Everything is borrowed. */
int log_clock_new(const struct log_times *times, const struct log_formats *formats,
                  struct log_clock **ret, struct err *err);
void *log_clock_free(struct log_clock *clock);

/* *ret is NULL when the log at `logical` tells nothing (or `clock` is NULL). */
int log_watch_begin(const struct log_clock *clock, const char *logical, struct log_watch **ret,
                    struct err *err);
void log_watch_feed(struct log_watch *watch, const char *bytes, size_t length);
void log_watch_end(struct log_watch *watch, bool complete);
void *log_watch_free(struct log_watch *watch);

/* The first step back that the watch saw. False: none. For tests. */
bool log_watch_step(const struct log_watch *watch, struct stamp *ret_before,
                    struct stamp *ret_after);

/* Takes over what an ended watch saw in a member. ERR_NOMEM. */
int log_clock_take(struct log_clock *clock, unsigned host, const char *path,
                   const struct log_watch *watch, struct err *err);

/* Nobody reads the host's log at `logical`: so nobody knows where it ends. ERR_NOMEM. */
int log_clock_skip(struct log_clock *clock, unsigned host, const char *logical, struct err *err);

/* When all is read and the hosts' clocks are known: the problems, at most one of each kind a host.
 */
void log_clock_tell(const struct log_clock *clock, struct report_set *reports,
                    const struct database_host *hosts, size_t host_count);
