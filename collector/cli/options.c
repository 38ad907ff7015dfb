/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * getopt_long() parses; the texts of its errors are those of the original's parser, because scripts
 * and people know them. Options act from left to right: --entries after -a selects entries, -a
 * after --entries selects all.
 */
#include "collector/cli/options.h"

#include <getopt.h>

#include "collector/cli/outdir.h"
#include "collector/obfuscate/obfuscate.h"
#include "common/strbuf.h"
#include "common/units.h"

#define DEFAULT_FORMAT "tar.bz2"
#define POOL_FORMAT    "zip" /* what readers of bundles expect */
#define DEFAULT_JOBS   2 /* a control domain in trouble has little to spare */
#define MAX_JOBS       64
#define DEFAULT_POOL_HOST_LIMIT 300
#define MAX_TIME_LIMIT (7 * 24 * 3600)

enum {
    LONG_ONLY = 256,
    O_HELP,
    O_VERSION,
    O_CAPABILITIES,
    O_OUTPUT,
    O_ENTRIES,
    O_OUTFD,
    O_ROOT,
    O_OUTDIR,
    O_CATALOG,
    O_PLUGINS,
    O_JOBS,
    O_TIME_LIMIT,
    O_COMPRESSION,
    O_POOL,
    O_POOL_SERVER,
    O_POOL_CREDENTIALS,
    O_POOL_HOST_LIMIT,
    O_CACERT,
    O_OBFUSCATE,
    O_LIST,
    O_ESTIMATE,
    O_PROGRESS,
    O_NO_PROGRESS,
    O_QUESTIONS,
    O_CLEAN_TAPDISK_LOGS
};

static const struct option long_options[] = {
    {"help", no_argument, NULL, O_HELP},
    {"version", no_argument, NULL, O_VERSION},
    {"capabilities", no_argument, NULL, O_CAPABILITIES},
    {"output", required_argument, NULL, O_OUTPUT},
    {"silent", no_argument, NULL, 's'},
    {"entries", required_argument, NULL, O_ENTRIES},
    {"yestoall", no_argument, NULL, 'y'},
    {"outfd", required_argument, NULL, O_OUTFD},
    {"all", no_argument, NULL, 'a'},
    {"unlimited", no_argument, NULL, 'u'},
    {"debug", no_argument, NULL, 'd'},
    {"root", required_argument, NULL, O_ROOT},
    {"outdir", required_argument, NULL, O_OUTDIR},
    {"catalog", required_argument, NULL, O_CATALOG},
    {"plugins", required_argument, NULL, O_PLUGINS},
    {"jobs", required_argument, NULL, O_JOBS},
    {"time-limit", required_argument, NULL, O_TIME_LIMIT},
    {"pool", no_argument, NULL, O_POOL},
    {"pool-server", required_argument, NULL, O_POOL_SERVER},
    {"pool-credentials", required_argument, NULL, O_POOL_CREDENTIALS},
    {"pool-host-limit", required_argument, NULL, O_POOL_HOST_LIMIT},
    {"cacert", required_argument, NULL, O_CACERT},
    {"compression", required_argument, NULL, O_COMPRESSION},
    {"obfuscate", optional_argument, NULL, O_OBFUSCATE},
    {"list", no_argument, NULL, O_LIST},
    {"estimate", no_argument, NULL, O_ESTIMATE},
    {"progress", no_argument, NULL, O_PROGRESS},
    {"no-progress", no_argument, NULL, O_NO_PROGRESS},
    {"questions", required_argument, NULL, O_QUESTIONS},
    {"clean-tapdisk-logs", no_argument, NULL, O_CLEAN_TAPDISK_LOGS},
    /* Unique abbreviations of the original that our names would make ambiguous. */
    {"c", no_argument, NULL, O_CAPABILITIES},
    {"ca", no_argument, NULL, O_CAPABILITIES},
    {"e", required_argument, NULL, O_ENTRIES},
    {NULL, 0, NULL, 0},
};

void options_print_usage(FILE *out)
{
    fputs("Usage: xenserver-status-report [OPTION]...\n"
          "Capture information to help diagnose bugs.\n"
          "\n"
          " --capabilities      output capabilities informations\n"
          " --output            specify output format (tar, tar.bz2, tar.gz, tar.zst or zip)\n"
          " -s, --silent        silent mode\n"
          " --entries=<list>    specify which capabilities (separated by commas)\n"
          " -y, --yestoall      confirm every file automatically\n"
          " --outfd=<file>      specify output file\n"
          " -a, --all           enable all capabilities\n"
          " -u, --unlimited     do not limit file size and execution time\n"
          " -d, --debug         enable debug output\n"
          " --outdir=<dir>      write the archive there (default " DEFAULT_OUTDIR ")\n"
          " --root=<dir>        collect from a mounted system or a test tree, without root\n"
          " --catalog=<dir>     use the capabilities (*.yaml) of this directory\n"
          " --plugins=<dir>     use the plugins of this directory\n"
          " --jobs=<n>          collect this many entries at once (default 2)\n"
          " --time-limit=<s>    finish within this many seconds, best entries first\n"
          " --pool              collect from all hosts of the pool into one zip\n"
          " --pool-server=<h>   ask this host's XAPI who is in the pool (default: local)\n"
          " --pool-credentials=<file>\n"
          "                     username= and password= for it; the file must be private\n"
          " --pool-host-limit=<s> give up a host after this many seconds (default 300)\n"
          " --cacert=<file>     trust these certificates instead of the pool's own\n"
          " --compression=<how> fast, balanced (the default) or best: smaller, slower\n"
          " --obfuscate[=<key>] replace names and addresses by pseudonyms; the key file is made\n"
          "                     when it is not there (default " OBFUSCATE_DEFAULT_KEY ")\n"
          " --clean-tapdisk-logs\n"
          "                     delete the logs of tapdisk that the finished archive has whole\n"
          " --list              list what would be collected\n"
          " --estimate          the same with sizes and times, and totals\n"
          " --questions=<which> ask for capabilities (on a terminal) or for items (elsewhere)\n"
          " --progress          show how far it is, also without a terminal or with -s\n"
          " --no-progress       do not show it on a terminal either\n"
          " --version           output the version\n"
          " --help              this help\n",
          out);
}

static int find_format(const char *value, struct options *options, struct err *err)
{
    options->format = bundle_format_find(value);
    return options->format ? 0 : err_set(err, ERR_USAGE, "Invalid output format '%s'", value);
}

static int take_outfd(const char *value, struct options *options, struct err *err)
{
    int64_t number;
    if (!units_integer(value, &number))
        return err_set(err, ERR_USAGE,
                       "Option '--outfd' needs the number of an open file descriptor, "
                       "not '%s'",
                       value);
    if (number < 0 || number > INT32_MAX)
        return err_set(err, ERR_USAGE, "Invalid output file descriptor: %s", value);
    options->outfd = (int)number;
    return 0;
}

static int take_jobs(const char *value, struct options *options, struct err *err)
{
    int64_t number;
    if (!units_integer(value, &number) || number < 1 || number > MAX_JOBS)
        return err_set(err, ERR_USAGE, "Option '--jobs' needs a number from 1 to %d, not '%s'",
                       MAX_JOBS, value);
    options->jobs = (int)number;
    return 0;
}

static int take_time_limit(const char *value, struct options *options, struct err *err)
{
    if (units_seconds(value, &options->time_limit) && options->time_limit >= 1 &&
        options->time_limit <= MAX_TIME_LIMIT)
        return 0;
    return err_set(err, ERR_USAGE,
                   "Option '--time-limit' needs a time such as 90, 10m or 1h, not '%s'", value);
}

static int take_questions(const char *value, struct options *options, struct err *err)
{
    bool items = strcmp(value, "items") == 0;
    if (!items && strcmp(value, "capabilities") != 0)
        return err_set(err, ERR_USAGE,
                       "Option '--questions' needs 'capabilities' or 'items', not '%s'", value);
    options->questions = items ? QUESTIONS_ITEMS : QUESTIONS_CAPABILITIES;
    return 0;
}

static int take_pool_host_limit(const char *value, struct options *options, struct err *err)
{
    if (units_seconds(value, &options->pool_host_limit) && options->pool_host_limit >= 1 &&
        options->pool_host_limit <= MAX_TIME_LIMIT)
        return 0;
    return err_set(err, ERR_USAGE,
                   "Option '--pool-host-limit' needs a time such as 90, 10m or 1h, not '%s'",
                   value);
}

static int take_option(int option, struct options *options, struct err *err)
{
    switch (option) {
    case O_HELP:
        options->action = ACTION_HELP;
        return 0;
    case O_VERSION:
        options->action = ACTION_VERSION;
        return 0;
    case O_CAPABILITIES:
        options->action = ACTION_CAPABILITIES;
        return 0;
    case O_OBFUSCATE:
        options->obfuscate = optarg && *optarg ? optarg : OBFUSCATE_DEFAULT_KEY;
        return 0;
    case O_LIST:
        options->action = ACTION_LIST;
        return 0;
    case O_ESTIMATE:
        options->action = ACTION_ESTIMATE;
        return 0;
    case O_QUESTIONS:
        return take_questions(optarg, options, err);
    case O_CLEAN_TAPDISK_LOGS:
        options->clean_tapdisk_logs = true;
        return 0;
    case O_PROGRESS:
    case O_NO_PROGRESS:
        options->progress = option == O_PROGRESS ? PROGRESS_ON : PROGRESS_OFF;
        return 0;
    case O_OUTPUT:
        return find_format(optarg, options, err);
    case O_ENTRIES:
        if (*optarg) { /* an empty list means the defaults, as ever */
            options->entries = optarg;
            options->all = false;
        }
        return 0;
    case O_OUTFD:
        return take_outfd(optarg, options, err);
    case O_ROOT:
        options->root = optarg;
        return 0;
    case O_OUTDIR:
        options->outdir = optarg;
        return 0;
    case O_CATALOG:
        options->catalog = optarg;
        return 0;
    case O_PLUGINS:
        options->plugins = optarg;
        return 0;
    case O_POOL:
        options->pool = true;
        return 0;
    case O_POOL_SERVER:
        options->pool_server = optarg;
        return 0;
    case O_POOL_CREDENTIALS:
        options->pool_credentials = optarg;
        return 0;
    case O_POOL_HOST_LIMIT:
        return take_pool_host_limit(optarg, options, err);
    case O_CACERT:
        options->cacert = optarg;
        return 0;
    case O_JOBS:
        return take_jobs(optarg, options, err);
    case O_COMPRESSION:
        if (compression_find(optarg, &options->compression))
            return 0;
        return err_set(err, ERR_USAGE,
                       "Option '--compression' needs fast, balanced or best, not '%s'", optarg);
    case O_TIME_LIMIT:
        return take_time_limit(optarg, options, err);
    case 's':
        options->silent = true;
        return 0;
    case 'y':
        options->yes_to_all = true;
        return 0;
    case 'a':
        options->all = true;
        options->entries = NULL;
        return 0;
    case 'u':
        options->unlimited = true;
        return 0;
    default:
        options->debug = true;
        return 0;
    }
}

/* What was wrong, in the words of the original's parser. `word` is the argument getopt stumbled
 * over. */
static int explain(const char *word, bool needs_argument, struct err *err)
{
    if (strncmp(word, "--", 2) != 0)
        return needs_argument ? err_set(err, ERR_USAGE, "option -%c requires argument", optopt)
                              : err_set(err, ERR_USAGE, "option -%c not recognized", optopt);
    size_t length = strcspn(word, "=");
    if (needs_argument)
        return err_set(err, ERR_USAGE, "option %.*s requires argument", (int)length, word);
    int like = 0;
    for (const struct option *o = long_options; o->name; o++) {
        if (strncmp(o->name, word + 2, length - 2) != 0)
            continue;
        if (strlen(o->name) == length - 2 && o->has_arg == no_argument && word[length])
            return err_set(err, ERR_USAGE, "option --%s must not have an argument", o->name);
        like++;
    }
    if (like == 1 && word[length])
        return err_set(err, ERR_USAGE, "option %.*s must not have an argument", (int)length, word);
    return like > 1 ? err_set(err, ERR_USAGE, "option %.*s not a unique prefix", (int)length, word)
                    : err_set(err, ERR_USAGE, "option %.*s not recognized", (int)length, word);
}

/* "Invalid additional arguments: ['xen-bugtool', 'x']": the list as Python shows it. */
static int refuse_operands(int argc, char **argv, struct err *err)
{
    struct strbuf list = STRBUF_INIT;
    strbuf_addf(&list, "'%s'", argv[0]);
    for (int i = optind; i < argc; i++)
        strbuf_addf(&list, ", '%s'", argv[i]);
    int r = err_set(err, ERR_USAGE, "Invalid additional arguments: [%s]", list.data);
    strbuf_release(&list);
    return r;
}

static int check_pool(const struct options *options, struct err *err)
{
    bool details = options->pool_server || options->pool_credentials || options->cacert;
    if (!options->pool)
        return details ? err_set(err, ERR_USAGE,
                                 "Options '--pool-server', '--pool-credentials' and '--cacert' "
                                 "need '--pool'")
                       : 0;
    if (options->action != ACTION_COLLECT)
        return err_set(err, ERR_USAGE,
                       "Option '--pool' cannot be used with --capabilities, --list or --estimate");
    if (!options->pool_server != !options->pool_credentials)
        return err_set(err, ERR_USAGE,
                       "Options '--pool-server' and '--pool-credentials' need each other");
    if (options->clean_tapdisk_logs)
        return err_set(err, ERR_USAGE, "Option '--clean-tapdisk-logs' does not go with '--pool'");
    return 0;
}

static int check(const struct options *options, struct err *err)
{
    if (options->pool && options->obfuscate)
        return err_set(err, ERR_USAGE,
                       "Option '--obfuscate' does not go with '--pool': take a report of each host "
                       "with '--obfuscate' and the same key file instead");
    int r = check_pool(options, err);
    if (r < 0)
        return r;
    if (options->action == ACTION_COLLECT && options->outfd >= 0 &&
        strcmp(options->format->name, "tar") != 0)
        return err_set(err, ERR_USAGE, "Option '--outfd' only valid with '--output=tar'");
    return 0;
}

int options_parse(int argc, char **argv, struct options *ret, bool *ret_show_usage, struct err *err)
{
    struct options options = {.pool_host_limit = DEFAULT_POOL_HOST_LIMIT,
                              .outfd = -1,
                              .outdir = DEFAULT_OUTDIR,
                              .root = "/",
                              .jobs = DEFAULT_JOBS,
                              .time_limit = -1};
    *ret_show_usage = false;
    opterr = 0;
    optind = 0; /* start afresh, also in a second call */
    int r = 0, option, word = 1;
    while (r == 0 && options.action != ACTION_HELP && options.action != ACTION_VERSION) {
        word = optind > 0 ? optind : 1;
        option = getopt_long(argc, argv, ":asuyd", long_options, NULL);
        if (option < 0)
            break;
        if (option == '?' || option == ':') {
            *ret_show_usage = true;
            r = explain(argv[optind > word ? optind - 1 : word], option == ':', err);
        } else {
            r = take_option(option, &options, err);
        }
    }
    if (!options.format)
        options.format = bundle_format_find(options.pool ? POOL_FORMAT : DEFAULT_FORMAT);
    if (r == 0 && options.action == ACTION_COLLECT && optind < argc)
        r = refuse_operands(argc, argv, err);
    if (r == 0)
        r = check(&options, err);
    if (r == 0)
        *ret = options;
    return r;
}
