/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/cli/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/render/render.h"
#include "common/suggest.h"

const char options_help[] =
    "Usage: xen-analyze [OPTION]... REPORT...\n"
    "       xen-analyze explain RULE REPORT...\n"
    "       xen-analyze tables [NAME]...\n"
    "       xen-analyze rules list | show ID... | lint [PATH]... | test [PATH]...\n"
    "Say what is known to be wrong with a host, from its server status report.\n"
    "\n"
    "REPORT is an archive that xen-bugtool or XenCenter wrote (zip, tar, tar.gz,\n"
    "tar.bz2, tar.xz, tar.zst), a folder, single logs under their own names (SMlog,\n"
    "kern.log.2.gz), or - for standard input. Several REPORTs are hosts of one pool;\n"
    "single logs of one folder are one host.\n"
    "\n"
    "What is shown, and where\n"
    " --format FORMAT       text (default), json, html, markdown, junit, sarif,\n"
    "                       prometheus or nagios; may be repeated with --output\n"
    " --output FILE         write the FORMAT before it to FILE; - is standard output\n"
    " --min-severity LEVEL  leave out findings below info, warning, error or critical\n"
    " --fail-on LEVEL       exit with 1 when a finding is of this severity or above\n"
    "                       (default: error); never: findings do not count\n"
    "\n"
    "Which rules, and what counts\n"
    " --only ID,...         use these rules only\n"
    " --skip ID,...         do not use these rules\n"
    " --component NAME      use the rules of one component only (storage, ha, ...)\n"
    " --rules PATH          use the rules (and tables/, lists/) in this file or\n"
    "                       folder too; repeatable\n"
    " --no-default-rules    do not use the built-in rules\n"
    " --site FILE           thresholds and severities that this site sees differently\n"
    " --suppress FILE       do not count the findings that this file excuses;\n"
    "                       repeatable\n"
    " --baseline REPORT     say what changed since an older report; repeatable, one\n"
    "                       for each host\n"
    "\n"
    "The report as a database\n"
    " --query SQL           print the rows of a SELECT over the report's tables, with\n"
    "                       --format text, json or csv\n"
    " --export FILE         write all tables into a new SQLite database\n"
    "\n"
    " --jobs N              read with N threads (default: the processors there are,\n"
    "                       at most 8)\n"
    " --version             print the version\n"
    " --help                this help\n"
    "\n"
    "Commands\n"
    " explain RULE REPORT   why a rule found something, found nothing, or is unknown\n"
    " tables [NAME]         what --query can ask, and examples\n"
    " rules list            the rules, one a line\n"
    " rules show ID         what a rule looks for, why, and what to do\n"
    " rules lint, test      for authors of rules: check them, run their tests\n"
    "\n"
    "Exit status: 0 no finding as severe as --fail-on, 1 such findings (or tests that\n"
    "failed), 2 wrong usage, broken rules, or a result that could not be written,\n"
    "3 no report could be read. With --format nagios: 0 ok, 1 warning, 2 critical,\n"
    "3 unknown.\n";

enum {
    OPT_FORMAT = 256,
    OPT_OUTPUT,
    OPT_RULES,
    OPT_NO_DEFAULT,
    OPT_ONLY,
    OPT_SKIP,
    OPT_SITE,
    OPT_SUPPRESS,
    OPT_BASELINE,
    OPT_COMPONENT,
    OPT_MIN_SEVERITY,
    OPT_FAIL_ON,
    OPT_QUERY,
    OPT_EXPORT,
    OPT_JOBS,
    OPT_VERSION,
    OPT_HELP
};

static const struct option long_options[] = {
    {"format", required_argument, NULL, OPT_FORMAT},
    {"output", required_argument, NULL, OPT_OUTPUT},
    {"rules", required_argument, NULL, OPT_RULES},
    {"no-default-rules", no_argument, NULL, OPT_NO_DEFAULT},
    {"only", required_argument, NULL, OPT_ONLY},
    {"skip", required_argument, NULL, OPT_SKIP},
    {"site", required_argument, NULL, OPT_SITE},
    {"baseline", required_argument, NULL, OPT_BASELINE},
    {"suppress", required_argument, NULL, OPT_SUPPRESS},
    {"component", required_argument, NULL, OPT_COMPONENT},
    {"min-severity", required_argument, NULL, OPT_MIN_SEVERITY},
    {"fail-on", required_argument, NULL, OPT_FAIL_ON},
    {"query", required_argument, NULL, OPT_QUERY},
    {"export", required_argument, NULL, OPT_EXPORT},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static int choose(const char *option, const char *word, const char *const *names, const char *extra,
                  int *ret, struct err *err)
{
    char known[200] = "";
    int count = 0;
    for (; names[count]; count++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", names[count]);
        if (strcmp(word, names[count]) == 0) {
            *ret = count;
            return 0;
        }
    }
    if (extra && strcmp(word, extra) == 0) {
        *ret = count;
        return 0;
    }
    return err_set(err, ERR_USAGE, "%s '%s' is not known; use one of: %s%s%s", option, word, known,
                   extra ? ", " : "", extra ? extra : "");
}

/* Rows of a query can be a table, findings cannot. */
static const char query_only_format[] = "csv";

/* Outcomes of tests, not findings. */
static const char *const test_formats[] = {"text", "tap", "junit", NULL};

/* A --format begins a new pair; an --output completes the last one. */
static int add_format(struct options *options, const char *format, struct err *err)
{
    int ignored, r = 0;
    if (strcmp(format, "tap") != 0) /* whether it fits the command is known when all is read */
        r = choose("--format", format, render_names(), query_only_format, &ignored, err);
    struct output *output = r < 0 ? NULL : vec_push(&options->outputs);
    if (r == 0 && !output)
        return err_nomem(err);
    if (output)
        output->format = format;
    return r;
}

static int add_output(struct options *options, const char *path, struct err *err)
{
    struct output *last =
        options->outputs.count ? &options->outputs.items[options->outputs.count - 1] : NULL;
    if (last && last->is_placed)
        return err_set(err, ERR_USAGE,
                       "--output '%s' needs a --format of its own in front; the one before it "
                       "goes to '%s'",
                       path, last->path ? last->path : "-");
    if (!last) {
        int r = add_format(options, "text", err);
        if (r < 0)
            return r;
        last = &options->outputs.items[options->outputs.count - 1];
    }
    last->path = strcmp(path, "-") == 0 ? NULL : path;
    last->is_placed = true;
    return 0;
}

/* Pages for people, which have one form. */
static bool prints_text_only(enum command command)
{
    return command == COMMAND_LIST || command == COMMAND_SHOW || command == COMMAND_LINT ||
           command == COMMAND_TABLES || command == COMMAND_EXPLAIN;
}

/* The formats that the command has. */
static int check_formats(const struct options *options, struct err *err)
{
    int ignored, r = 0;
    const struct output *first = &options->outputs.items[0];
    if (prints_text_only(options->command) &&
        (options->outputs.count > 1 || first->is_placed || strcmp(first->format, "text") != 0))
        return err_set(err, ERR_USAGE,
                       "--format and --output are for the analysis of reports, --query and `rules "
                       "test`; other commands print text to standard output");
    for (size_t i = 0; r == 0 && i < options->outputs.count; i++) {
        const char *format = options->outputs.items[i].format;
        if (options->command == COMMAND_TEST)
            r = choose("--format", format, test_formats, NULL, &ignored, err);
        else if (strcmp(format, "tap") == 0)
            r = err_set(err, ERR_USAGE, "--format tap is for `xen-analyze rules test`");
    }
    if (r == 0 && options->command == COMMAND_TEST && options->outputs.count > 1)
        r = err_set(err, ERR_USAGE, "rules test has one --format");
    return r;
}

static int check_standard_input(const struct options *options, struct err *err)
{
    size_t count = 0;
    for (size_t i = 0; i < options->operands.count; i++)
        count += strcmp(options->operands.items[i], "-") == 0;
    for (size_t i = 0; i < options->baseline.count; i++)
        count += strcmp(options->baseline.items[i], "-") == 0;
    return count > 1
               ? err_set(err, ERR_USAGE,
                         "standard input (-) can be one REPORT only; name files for the others")
               : 0;
}

static int check_files(const struct options *options, struct err *err)
{
    for (size_t i = 0; i < options->outputs.count; i++) {
        const char *path = options->outputs.items[i].path;
        for (size_t j = 0; path && j <= i; j++) {
            const char *other = j < i ? options->outputs.items[j].path : options->export;
            struct stat status;
            if (other && strcmp(path, other) == 0 &&
                (stat(path, &status) < 0 || S_ISREG(status.st_mode)))
                return err_set(err, ERR_USAGE,
                               "'%s' is named for two outputs; each needs a file of its own", path);
        }
    }
    return 0;
}

static int check_outputs(const struct options *options, struct err *err)
{
    size_t to_stdout = 0;
    for (size_t i = 0; i < options->outputs.count; i++) {
        to_stdout += !options->outputs.items[i].path;
        if (!options->query && strcmp(options->outputs.items[i].format, query_only_format) == 0)
            return err_set(err, ERR_USAGE,
                           "--format csv prints the rows of a --query; findings "
                           "have json");
    }
    return to_stdout > 1 ? err_set(err, ERR_USAGE,
                                   "only one --format can go to standard output; give the others "
                                   "an --output")
                         : 0;
}

static int push(string_list *list, const char *text, struct err *err)
{
    const char **slot = vec_push(list);
    if (!slot)
        return err_nomem(err);
    *slot = text;
    return 0;
}

/* Splits "a,b" into the list; the pieces live in argv. Nothing would mean all rules. */
static int split(string_list *list, char *text, struct err *err)
{
    size_t before = list->count;
    int r = 0;
    for (char *comma; r == 0 && text; text = comma ? comma + 1 : NULL) {
        comma = strchr(text, ',');
        if (comma)
            *comma = '\0';
        if (*text)
            r = push(list, text, err);
    }
    if (r == 0 && list->count == before)
        r = err_set(
            err, ERR_USAGE,
            "--only and --skip need the id of a rule (`xen-analyze rules list` shows them)");
    return r;
}

/* A NULL behind the last item, which does not count. */
static int terminate(string_list *list, struct err *err)
{
    int r = push(list, NULL, err);
    if (r == 0)
        list->count--;
    return r;
}

/* Threads beyond this wait for each other and for the disk. */
#define JOBS_DEFAULT_MAX 8
#define JOBS_MAX         64

static int default_jobs(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1 ? 1 : processors > JOBS_DEFAULT_MAX ? JOBS_DEFAULT_MAX : (int)processors;
}

static int take_jobs(struct options *options, const char *word, struct err *err)
{
    char *end;
    long jobs = strtol(word, &end, 10);
    if (end == word || *end || jobs < 1 || jobs > JOBS_MAX)
        return err_set(err, ERR_USAGE, "--jobs takes a number from 1 to %d, not '%.40s'", JOBS_MAX,
                       word);
    options->jobs = (int)jobs;
    return 0;
}

static int take_option(struct options *options, int option, char *argument, struct err *err)
{
    int chosen, r;
    switch (option) {
    case OPT_FORMAT:
        return add_format(options, argument, err);
    case OPT_OUTPUT:
        return add_output(options, argument, err);
    case OPT_RULES:
        return push(&options->rules, argument, err);
    case OPT_NO_DEFAULT:
        options->default_rules = false;
        return 0;
    case OPT_ONLY:
        return split(&options->only, argument, err);
    case OPT_SKIP:
        return split(&options->skip, argument, err);
    case OPT_SITE:
        options->site = argument;
        return 0;
    case OPT_BASELINE:
        return push(&options->baseline, argument, err);
    case OPT_SUPPRESS:
        return push(&options->suppress, argument, err);
    case OPT_COMPONENT:
        options->component = argument;
        return 0;
    case OPT_MIN_SEVERITY:
        r = choose("--min-severity", argument, severity_names, NULL, &chosen, err);
        if (r == 0)
            options->min_severity = (enum severity)chosen;
        return r;
    case OPT_FAIL_ON:
        return choose("--fail-on", argument, severity_names, "never", &options->fail_on, err);
    case OPT_QUERY:
        options->query = argument;
        return 0;
    case OPT_EXPORT:
        options->export = argument;
        return 0;
    case OPT_JOBS:
        return take_jobs(options, argument, err);
    case OPT_VERSION:
        options->command = COMMAND_VERSION;
        return 0;
    default:
        options->command = COMMAND_HELP;
        return 0;
    }
}

/* The first words are not operands. */
static void drop_operands(struct options *options, size_t count)
{
    options->operands.count -= count;
    memmove(options->operands.items, options->operands.items + count,
            (options->operands.count + 1) * sizeof *options->operands.items);
}

/* `rules VERB ...` instead of REPORTs. */
static int take_verb(struct options *options, struct err *err)
{
    static const struct {
        const char *name;
        enum command command;
    } verbs[] = {{"list", COMMAND_LIST},
                 {"show", COMMAND_SHOW},
                 {"lint", COMMAND_LINT},
                 {"test", COMMAND_TEST}};
    if (options->operands.count < 2)
        return err_set(err, ERR_USAGE, "rules needs a command: list, show, lint or test");
    const char *verb = options->operands.items[1];
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(verb, verbs[i].name) == 0) {
            options->command = verbs[i].command;
            drop_operands(options, 2);
            return 0;
        }
    return err_set(err, ERR_USAGE, "'rules %s' is not known; use rules list, show, lint or test",
                   verb);
}

/* "explan" is no report that has gone. */
static int check_mistyped(const char *word, struct err *err)
{
    static const char *const commands[] = {"rules", "tables", "explain", NULL};
    const char *meant = access(word, F_OK) < 0 ? suggest_nearest(word, commands) : NULL;
    return meant
               ? err_set(err, ERR_USAGE,
                         "there is no command and no report '%s'; did you mean '%s'?", word, meant)
               : 0;
}

/* A word in front of the operands; a REPORT of such a name is called "./rules". */
static int take_command(struct options *options, struct err *err)
{
    const char *word = options->operands.items[0];
    if (strcmp(word, "rules") == 0)
        return take_verb(options, err);
    if (strcmp(word, "tables") == 0) {
        options->command = COMMAND_TABLES;
        drop_operands(options, 1);
    } else if (strcmp(word, "explain") == 0) {
        options->command = COMMAND_EXPLAIN;
        drop_operands(options, 1);
        if (options->operands.count < 2)
            return err_set(err, ERR_USAGE,
                           "explain needs a rule and a report: "
                           "`xen-analyze explain RULE REPORT...`");
        options->explain = options->operands.items[0];
        drop_operands(options, 1);
    }
    return options->command == COMMAND_ANALYZE ? check_mistyped(word, err) : 0;
}

static int check_operands(struct options *options, struct err *err)
{
    if (options->command == COMMAND_SHOW && options->operands.count == 0)
        return err_set(err, ERR_USAGE, "rules show needs a rule's id (`xen-analyze rules list`)");
    if (options->command == COMMAND_ANALYZE && !options->default_rules &&
        options->rules.count == 0 && !options->query && !options->export)
        return err_set(err, ERR_USAGE,
                       "--no-default-rules leaves no rule to ask; name others with --rules");
    if (options->command == COMMAND_ANALYZE && options->operands.count == 0)
        return err_set(err, ERR_USAGE, "no report is named (`xen-analyze --help` shows the usage)");
    return 0;
}

int options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
    struct options *options = ret;
    *options =
        (struct options){.default_rules = true, .fail_on = SEVERITY_ERROR, .jobs = default_jobs()};
    opterr = 0;
    int r = 0, option;
    while (r == 0 && (option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (option == '?')
            r = err_set(err, ERR_USAGE, "option '%s' is not known (`xen-analyze --help` shows all)",
                        optopt && optopt < 256 ? (char[]){'-', (char)optopt, '\0'}
                                               : argv[optind - 1]);
        else if (option == ':')
            r = err_set(err, ERR_USAGE, "option '%s' needs a value", argv[optind - 1]);
        else
            r = take_option(options, option, optarg, err);
    }
    for (; r == 0 && optind < argc; optind++)
        r = push(&options->operands, argv[optind], err);
    if (r == 0 && options->outputs.count == 0)
        r = add_format(options, "text", err);
    if (r == 0 && (r = terminate(&options->operands, err)) == 0 &&
        (r = terminate(&options->rules, err)) == 0 &&
        (r = terminate(&options->suppress, err)) == 0 &&
        (r = terminate(&options->baseline, err)) == 0 && (r = terminate(&options->only, err)) == 0)
        r = terminate(&options->skip, err);
    if (r == 0 && options->command == COMMAND_ANALYZE && options->operands.count)
        r = take_command(options, err);
    if (r == 0)
        r = check_formats(options, err);
    if (r == 0)
        r = check_outputs(options, err);
    if (r == 0)
        r = check_files(options, err);
    if (r == 0)
        r = check_standard_input(options, err);
    return r < 0 ? r : check_operands(options, err);
}

bool options_has_nagios(const struct options *options)
{
    return options->outputs.count > 0 && !options->query &&
           strcmp(options->outputs.items[0].format, "nagios") == 0;
}

void options_release(struct options *options)
{
    vec_free(&options->operands);
    vec_free(&options->outputs);
    vec_free(&options->rules);
    vec_free(&options->suppress);
    vec_free(&options->baseline);
    vec_free(&options->only);
    vec_free(&options->skip);
}
