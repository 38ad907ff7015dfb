/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xen-analyze: what a server status report shows to be wrong.
 */
#include "analyzer/cli/commands.h"
#include "analyzer/render/render.h"
#include "common/io.h"

static int help(struct options *options, struct err *err)
{
    (void)options;
    (void)err;
    fputs(options_help, stdout);
    return 0;
}

static int (*const commands[])(struct options *options, struct err *err) = {
    [COMMAND_ANALYZE] = command_analyze,
    [COMMAND_LIST] = command_rules_list,
    [COMMAND_SHOW] = command_rules_show,
    [COMMAND_LINT] = command_rules_lint,
    [COMMAND_TEST] = command_rules_test,
    [COMMAND_TABLES] = command_tables,
    [COMMAND_EXPLAIN] = command_explain,
    [COMMAND_HELP] = help,
    [COMMAND_VERSION] = command_version,
};

/* A monitoring server reads the first line and the status, also when there is no verdict. */
static int tell_monitoring(const struct options *options, int status, const char *reason)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    if (status == EXIT_NOTHING_JUDGED)
        return EXIT_NO_REPORT; /* 3 is "unknown" there, and its line is written */
    if (!options_has_nagios(options) || (status >= 0 && status != EXIT_NO_REPORT))
        return status;
    render_nagios_unknown(reason, &line);
    fputs(line.data, stdout);
    return EXIT_NO_REPORT;
}

int main(int argc, char **argv)
{
    struct options options;
    struct err err = ERR_INIT;
    char message[1024] = "no report could be read";
    io_hold_standard();
    int status = options_parse(argc, argv, &options, &err);
    if (status == 0)
        status = commands[options.command](&options, &err);
    if (status < 0)
        say_error(err_message(&err, message, sizeof message));
    status = tell_monitoring(&options, status, message);
    options_release(&options);
    return status < 0 ? EXIT_USAGE : status;
}
