/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xen-analyze: what a server status report shows to be wrong.
 */
#include "analyzer/cli/commands.h"
#include "common/version.h"

static int help(struct options *options, struct err *err)
{
    (void)options;
    (void)err;
    fputs(options_help, stdout);
    return 0;
}

static int version(struct options *options, struct err *err)
{
    (void)options;
    (void)err;
    puts("xen-analyze " XENHEALTH_VERSION);
    return 0;
}

static int (*const commands[])(struct options *options, struct err *err) = {
    [COMMAND_ANALYZE] = command_analyze, [COMMAND_LIST] = command_rules_list,
    [COMMAND_SHOW] = command_rules_show, [COMMAND_LINT] = command_rules_lint,
    [COMMAND_TEST] = command_rules_test, [COMMAND_HELP] = help,
    [COMMAND_VERSION] = version,
};

int main(int argc, char **argv)
{
    struct options options;
    struct err err = ERR_INIT;
    char message[1024];
    int status = options_parse(argc, argv, &options, &err);
    if (status == 0)
        status = commands[options.command](&options, &err);
    options_release(&options);
    if (status < 0)
        say_error(err_message(&err, message, sizeof message));
    return status < 0 ? EXIT_USAGE : status;
}
