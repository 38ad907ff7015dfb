/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The command line of xen-analyze, parsed into a value. Everything is borrowed from argv.
 */
#pragma once

#include <stdbool.h>

#include "analyzer/verdict/verdict.h"
#include "common/err.h"
#include "common/vec.h"

enum command {
    COMMAND_ANALYZE,
    COMMAND_LIST,
    COMMAND_SHOW,
    COMMAND_LINT,
    COMMAND_TEST,
    COMMAND_TABLES,
    COMMAND_EXPLAIN,
    COMMAND_HELP,
    COMMAND_VERSION
};

typedef VEC(const char *) string_list; /* a NULL stands behind the last item */

/* One --format with its --output. */
struct output {
    const char *format; /* "text" by default */
    const char *path;   /* NULL: standard output */
    bool is_placed;     /* it has had its --output */
};

#define FAIL_ON_NEVER SEVERITY_COUNT

struct options {
    enum command command;
    string_list operands;       /* REPORTs, rule ids or paths */
    VEC(struct output) outputs; /* at least one */
    string_list rules;          /* --rules */
    string_list suppress;       /* --suppress: files */
    string_list baseline;       /* --baseline: older REPORTs */
    string_list only, skip;     /* ids */
    bool default_rules;
    const char *component, *query, *export;
    const char *explain; /* the rule of COMMAND_EXPLAIN */
    const char *site; /* --site: a file, or NULL */
    int jobs; /* threads that read */
    enum severity min_severity;
    int fail_on; /* a severity, or FAIL_ON_NEVER */
};

/* ERR_USAGE with a sentence; the options are then unusable. */
int options_parse(int argc, char **argv, struct options *ret, struct err *err);

/* Whether the exit status shall be the one of a monitoring plugin: --format nagios, first of all
 * formats. */
bool options_has_nagios(const struct options *options);

void options_release(struct options *options);

extern const char options_help[];
