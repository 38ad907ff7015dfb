/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Looking for all log patterns of all rules at once.
 *
 * A log is searched once for all patterns that are about it, however many rules ask, and in linear
 * time whatever it holds (Hyperscan). Hyperscan says where a pattern may have matched; whether it
 * did, on that one line, and what its groups are, is then PCRE2's word. So look-around and
 * back-references work too: Hyperscan searches for an approximation (its prefilter mode), and only
 * patterns it refuses altogether are run by PCRE2 over every line (matcher_is_slow(), which lint
 * warns about).
 *
 * Which patterns are about a log is its *audience*. Rules name few sets of files, so there are few
 * audiences, and each has its own compiled database: a search for twenty patterns is several times
 * faster than one for thousands.
 *
 * The matcher is immutable after matcher_compile(); scans are independent of each other.
 */
#pragma once

#include "analyzer/regex/regex.h"
#include "analyzer/report/path_pattern.h"

/* What a rule looks for in its log files. Everything is borrowed and must outlive the matcher. */
struct log_pattern {
    const struct path_pattern *files;
    size_t file_count;
    const struct regex *match;
    const struct regex *unless; /* NULL: no exception */
};

#define CONTEXT_LINES 5

/* A line that a pattern matched. Texts are borrowed until the call returns. */
struct line_hit {
    unsigned pattern; /* as numbered by matcher_add() */
    int64_t line;     /* 1-based */
    int64_t offset;   /* of the line's first byte, in the decompressed file */
    const char *text; /* the line without its end */
    size_t length;
    int64_t count; /* 1, or N for rsyslog's "message repeated N times: [...]" */
    const struct regex_scratch *groups; /* for regex_named() with the pattern's `match` */
    /* What is at hand around the line: at least CONTEXT_LINES lines on each side, where the log has
     * them and they are not very long. Both NULL: nothing. */
    const char *around, *around_end;
};
typedef int (*hit_sink)(void *context, const struct line_hit *hit, struct err *err);

struct matcher;

int matcher_new(struct matcher **ret, struct err *err);
void *matcher_free(struct matcher *matcher);

/* Adds a pattern; its number counts from 0. */
int matcher_add(struct matcher *matcher, const struct log_pattern *pattern, unsigned *ret_number,
                struct err *err);

/*
 * After the last pattern; nobody else may use their regexes meanwhile. `cache` is a folder of
 * compiled patterns (pattern_cache.h) that is used and filled, or NULL.
 */
int matcher_compile(struct matcher *matcher, const char *cache, struct err *err);

/* True when Hyperscan does not take the pattern at all; known once the matcher is compiled.
 * `*ret_reason` (may be NULL) is borrowed. */
bool matcher_is_slow(const struct matcher *matcher, unsigned number, const char **ret_reason);

struct audience;

/* Who is about the log at `logical` (rotations included): *ret is NULL when no pattern is. */
int matcher_audience(const struct matcher *matcher, const char *logical, struct audience **ret,
                     struct err *err);
void *audience_release(struct audience *audience);

bool audience_has(const struct audience *audience, unsigned pattern);

struct scan;

/* Starts scanning a log for its audience, which is borrowed. */
int scan_begin(const struct matcher *matcher, const struct audience *audience, hit_sink sink,
               void *context, struct scan **ret, struct err *err);

/* Bytes of the log in pieces of any size. Errors are the sink's, ERR_NOMEM. */
int scan_feed(struct scan *scan, const char *bytes, size_t length, struct err *err);

/* The last line may have no end. */
int scan_end(struct scan *scan, struct err *err);

/* Whether a pattern ran into its limits (regex.h, effort.h): hits of it may be missing. */
bool scan_was_aborted(const struct scan *scan);
bool scan_gave_up(const struct scan *scan, unsigned pattern);

void *scan_free(struct scan *scan);
