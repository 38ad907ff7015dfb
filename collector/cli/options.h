/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The command line: the original's options with its texts and rules, and ours.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "collector/bundle/bundle.h"
#include "collector/run/progress.h"
#include "common/err.h"

enum options_action {
    ACTION_COLLECT,
    ACTION_HELP,
    ACTION_VERSION,
    ACTION_CAPABILITIES,
    ACTION_LIST,
    ACTION_ESTIMATE
};

enum options_questions {
    QUESTIONS_AUTO, /* capabilities on a terminal, else items */
    QUESTIONS_CAPABILITIES,
    QUESTIONS_ITEMS
};

struct options {
    enum options_action action;
    const struct bundle_format *format;
    bool silent, yes_to_all, unlimited, debug, clean_tapdisk_logs;
    enum progress_wish progress;
    enum options_questions questions;
    const char *entries; /* value of the last --entries that --all did not override, or NULL */
    bool all;
    int outfd; /* -1: a file */
    const char *outdir, *root, *catalog, *plugins;
    int jobs;
    int64_t time_limit; /* seconds; -1: not given */
    enum compression compression;
    bool pool;
    const char *pool_server, *pool_credentials, *cacert; /* NULL: not given */
    int64_t pool_host_limit;                             /* seconds */
    const char *obfuscate; /* key file; NULL: names and addresses stay */
};

/*
 * ERR_USAGE with the text that goes after "xen-bugtool: " or stands alone; *ret_show_usage says
 * that the usage text follows. argv is permuted (GNU style); strings are borrowed from it.
 */
int options_parse(int argc, char **argv, struct options *ret, bool *ret_show_usage,
                  struct err *err);

void options_print_usage(FILE *out);
