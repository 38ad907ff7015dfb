/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What xen-analyze does. Each command returns the program's exit status; a negative error means
 * status 2 and is printed by the caller.
 */
#pragma once

#include "analyzer/cli/options.h"
#include "analyzer/database/database.h"
#include "common/strbuf.h"

enum exit_status {
    EXIT_CLEAN = 0, /* nothing at or above --fail-on */
    EXIT_FINDINGS = 1,
    EXIT_USAGE = 2, /* or broken rules */
    EXIT_NO_REPORT = 3,
    EXIT_NOTHING_JUDGED = 4, /* monitoring plugins have 3 for this, too: see main() */
};

int command_analyze(struct options *options, struct err *err);
int command_version(struct options *options, struct err *err);
int command_explain(struct options *options, struct err *err);
int command_tables(struct options *options, struct err *err);
int command_rules_list(struct options *options, struct err *err);
int command_rules_show(struct options *options, struct err *err);
int command_rules_lint(struct options *options, struct err *err);
int command_rules_test(struct options *options, struct err *err);

/* Prints a message on standard error as one line that no foreign text in it can break. */
void say_error(const char *message);

/* Says which libraries are known to have holes that a report can reach. */
void libraries_warn(void);

/* The rows of options->query, in the format of its first output. */
int format_query(const struct options *options, struct database *database, struct strbuf *out,
                 struct err *err);

/* Runs the statement of --query within its limits: time, and ERR_LIMIT for too many rows. */
int query_rows(const char *sql, struct database *database, result_sink sink, void *context,
               struct err *err);

/* query_csv.c: the rows as comma-separated values that no spreadsheet takes for formulas. */
int query_csv(const char *sql, struct database *database, struct strbuf *out, struct err *err);
