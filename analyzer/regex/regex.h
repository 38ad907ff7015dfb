/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Regular expressions (PCRE2) for patterns and texts that strangers wrote: every pattern and every
 * match has limits.
 *
 * Texts are bytes, not UTF-8: logs hold anything, and a pattern's non-ASCII characters match their
 * own bytes. A group's name may stand more than once in a pattern (in alternatives): the one that
 * took part counts. A compiled regex is immutable and may be matched by any number of threads, each
 * with its own scratch.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/doc.h"
#include "common/err.h"

#define REGEX_PATTERN_MAX    4096          /* bytes; nobody can read longer ones either */
#define REGEX_GROUPS_MAX     64            /* groups of a pattern, the whole match included */
#define REGEX_NESTING_MAX    32            /* parentheses; more only attack the compiler's stack */
#define REGEX_MATCH_LIMIT    100000        /* backtracking steps; honest patterns need hundreds */
#define REGEX_DEPTH_LIMIT    10000         /* nested backtracking points (interpreter) */
#define REGEX_HEAP_LIMIT_KIB (16 * 1024)   /* memory of one match (interpreter) */
#define REGEX_JIT_STACK_MAX  (1024 * 1024) /* bytes of stack for compiled patterns */

struct regex;
struct regex_scratch;

/* ERR_PARSE without a place: the text tells the position in the pattern. ERR_NOMEM. */
int regex_compile(const char *pattern, size_t length, struct regex **ret, struct err *err);

/* The same for a scalar of a YAML file: ERR_PARSE at file:line:column. */
int regex_compile_node(const struct doc_node *node, struct regex **ret, struct err *err);

void *regex_free(struct regex *regex); /* returns NULL */

/*
 * Makes machine code of it, for one that is matched against many texts: that takes longer than
 * compiling it, and is several times faster to match. While nobody else uses the regex; a second
 * call does nothing.
 */
void regex_speed_up(const struct regex *regex);

const char *regex_pattern(const struct regex *regex); /* as written */

/* The distinct names of groups, in the order of their first group. */
size_t regex_name_count(const struct regex *regex);
const char *regex_name_at(const struct regex *regex, size_t index);

/* Index of a name, or -1. */
int regex_name_find(const struct regex *regex, const char *name);

/* Number of groups without the whole match. */
size_t regex_group_count(const struct regex *regex);

/*
 * Working memory of one thread, for any number of regexes, one match at a time. NULL: out of
 * memory.
 */
struct regex_scratch *regex_scratch_new(void) MUST_USE;
void *regex_scratch_free(struct regex_scratch *scratch); /* returns NULL */

enum regex_result {
    REGEX_NO_MATCH,
    REGEX_MATCH,
    REGEX_ABORTED, /* a limit was reached: whether it matches is not known */
};

/*
 * Looks for the first match at or after `offset`. The groups stay in the scratch until its next
 * match.
 */
enum regex_result regex_match(const struct regex *regex, struct regex_scratch *scratch,
                              const char *text, size_t length, size_t offset);

/*
 * After REGEX_MATCH: a group by number (0 is the whole match) or by index of its name. The text
 * points into what was matched. False when the group took no part; the outputs are then untouched.
 */
bool regex_group(const struct regex *regex, const struct regex_scratch *scratch, size_t number,
                 const char **ret, size_t *ret_length);
bool regex_named(const struct regex *regex, const struct regex_scratch *scratch, size_t name_index,
                 const char **ret, size_t *ret_length);

DEFINE_CLEANUP(regex_cleanup, struct regex *, regex_free)
DEFINE_CLEANUP(regex_scratch_cleanup, struct regex_scratch *, regex_scratch_free)
