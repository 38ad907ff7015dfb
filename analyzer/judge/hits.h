/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the scan found, by pattern and host, in bounded memory.
 *
 * Every hit counts, but only the first and the last HITS_KEPT of a pattern on a host are stored; a
 * histogram by minute remembers when the others were. The kernel's lines lie in several logs
 * (kern.log, messages, dmesg): a line with the kernel's own time stamp counts once per host,
 * wherever it stands.
 */
#pragma once

#include "analyzer/match/matcher.h"
#include "analyzer/match/timestamp.h"
#include "common/vec.h"

#define HITS_KEPT    200  /* each, first and last: more than anybody reads as proof */
#define HIT_TEXT_MAX 2048 /* bytes of a line that are kept as evidence: those around the match */
#define CONTEXT_LINE_MAX 300 /* bytes of a line around a hit: it is there for orientation */
#define HITS_MEMORY_MAX                                                                            \
    (96 * 1024 * 1024) /* over all patterns; beyond it hits are only counted                       \
                        */

/* One stored hit. `groups` has one text a name of the pattern's regex, NULL where a group took no
 * part. */
struct hit {
    unsigned host;
    const char *path;
    int64_t line, offset;
    struct stamp stamp;
    double uptime; /* the kernel's own seconds, or -1 */
    int64_t time;  /* after hits_date(); TIME_UNKNOWN without a stamp */
    int64_t count;
    const char *text; /* the line, or the excerpt of it that holds the match (excerpt.h) */
    size_t match, match_length; /* the match in `text` */
    const char **groups;
    const char *before, *after; /* lines around it, joined by '\n'; "" unless they are wanted */
    size_t size;          /* of this block of memory */
    uint64_t kernel_line; /* hash of a line with the kernel's own time stamp, or 0 */
};

struct hit_list {
    struct hit *
        *items; /* in the order they were found: the oldest log first is the reader's matter */
    size_t count;
    int64_t events; /* all, stored or not */
    bool complete;  /* every hit is stored */
};

struct hits;

int hits_new(size_t pattern_count, struct hits **ret, struct err *err);
void *hits_free(struct hits *hits);

/* From now on hits_add() keeps the lines around hits, for people who read the proof. */
void hits_want_context(struct hits *hits);

/*
 * A hit of `match` (the pattern's regex), outside of the store, with copies of all texts: by any
 * thread. One free() forgets it. NULL without memory.
 */
struct hit *hit_new(const struct regex *match, unsigned host, const char *path,
                    const struct line_hit *line, const struct stamp *stamp,
                    bool with_context) MUST_USE;

/* Stores a hit of a pattern, or forgets it. */
int hits_put(struct hits *hits, unsigned pattern, struct hit *hit, struct err *err);

/* Stores a hit of `match` (the pattern's regex). `path` is copied. */
int hits_add(struct hits *hits, const struct regex *match, unsigned host, const char *path,
             const struct line_hit *line, const struct stamp *stamp, struct err *err);

/* Once the clocks of the hosts are known: turns stamps into times and sorts each list by time. */
void hits_date(struct hits *hits, const struct host_clock *clocks, size_t host_count);

/* The hits of a pattern on a host, valid until hits_free(). A host without hits has an empty list.
 */
struct hit_list hits_list(const struct hits *hits, unsigned pattern, unsigned host);

/* The stored hit of a pattern at a line, or NULL. */
const struct hit *hits_find(const struct hits *hits, unsigned pattern, unsigned host,
                            const char *path, int64_t line);

/* The largest number of events within any `seconds` (0: at all) on one host. */
int64_t hits_densest(const struct hits *hits, unsigned pattern, unsigned host, int64_t seconds);

/*
 * Of a choice of stored hits, those that lie in a window of `seconds` (0: the whole report) with at
 * least `at_least` events: moved to the front, in their order. Returns their number.
 */
size_t hits_bursts(struct hit **items, size_t count, int64_t seconds, int64_t at_least);
