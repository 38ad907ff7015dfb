/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The order of things matters here: the catalog and the questions of the plan must stand before the
 * spawner is started (its helper works on a copy of this process), the spawner before any thread,
 * and the archive is opened only when the user has answered, so that a run that is given up leaves
 * nothing.
 */
#include "collector/cli/collector.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "collector/catalog/capability_xml.h"
#include "collector/cli/choose.h"
#include "collector/cli/clean.h"
#include "collector/cli/options.h"
#include "collector/cli/conceal.h"
#include "collector/cli/destination.h"
#include "collector/cli/load.h"
#include "collector/cli/pool_session.h"
#include "collector/cli/prompts.h"
#include "collector/cli/report.h"
#include "collector/cli/selection.h"
#include "collector/cli/summary.h"
#include "collector/plan/plan_print.h"
#include "collector/process/descriptors.h"
#include "common/escape.h"
#include "common/io.h"
#include "common/signals.h"
#include "common/units.h"
#include "common/version.h"

#define DEFAULT_TIME_LIMIT 900                /* seconds for a whole run */
#define NO_TIME_LIMIT      (30LL * 24 * 3600) /* --unlimited */
#define EXPAND_SHARE       4                  /* looking for files may take a quarter of the time */
#define STAGE_MEMORY       (256 * 1024) /* of one entry; what is bigger goes to a temporary file */
#define LAST_SECOND        253402300799 /* of the year 9999: what SOURCE_DATE_EPOCH may be */

#define EXIT_NO_ARCHIVE  1
#define EXIT_USAGE       2
#define EXIT_INTERRUPTED 3

static atomic_bool cancelled;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&cancelled, true);
}

/* Everything of one call, freed together. */
struct session {
    int argc;
    char **argv;
    struct options options;
    char root[PATH_MAX];
    int64_t epoch; /* SOURCE_DATE_EPOCH, or -1 */
    int64_t time_limit_ms, deadline_ms;
    FILE *talk; /* NULL: silent */
    struct catalog catalog;
    selection_list selections;
    struct plan_options plan_options;
    struct planner *planner;
    struct function_context functions;
    struct spawner *spawner;
    struct plan plan;
    struct host host;
    struct conceal conceal;
    struct run run; /* this and what it refers to must outlive threads that were left behind */
    struct run_log log;
    struct progress progress;
};

static void warn_unknown(const char *name)
{
    fprintf(stderr, "--entries=%s is not known!\n", name);
}

static void set_environment(void)
{
    const char *old = getenv("PATH");
    struct strbuf path = STRBUF_INIT;
    strbuf_addf(
        &path, "/opt/xensource/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/root/bin%s%s",
        old && *old ? ":" : "", old ? old : "");
    setenv("PATH", path.data, 1);
    strbuf_release(&path);
    umask(077);
    signals_catch_ends(on_signal, 0);
}

static int64_t source_date_epoch(void)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    int64_t value;
    return text && units_integer(text, &value) && value >= 0 && value <= LAST_SECOND ? value : -1;
}

static int resolve_root(struct session *s, struct err *err)
{
    struct stat status;
    if (!realpath(s->options.root, s->root))
        return err_set_errno(err, errno, "cannot open the root folder '%s'", s->options.root);
    if (stat(s->root, &status) < 0 || !S_ISDIR(status.st_mode))
        return err_set(err, ERR_USAGE, "--root needs a folder; '%s' is none", s->options.root);
    return 0;
}

static bool is_live(const struct session *s)
{
    return strcmp(s->root, "/") == 0;
}

static int check_user(const struct session *s, struct err *err)
{
    bool harmless = s->options.action == ACTION_LIST || s->options.action == ACTION_ESTIMATE;
    if (getuid() == 0 || harmless || !is_live(s))
        return 0;
    return err_set(err, ERR_DENIED,
                   "Error: xen-bugtool must be run as root: logs, firmware tables and the state of "
                   "devices can be read by root only. Without root these work: --list, --estimate, "
                   "--root DIR (a mounted system or a copy), and xen-analyze on a report.");
}

/* Before anything of ours is open that could have this number, and before any question. */
static int check_outfd(const struct session *s, struct err *err)
{
    int mode = s->options.outfd < 0 ? O_WRONLY : fcntl(s->options.outfd, F_GETFL);
    if (mode >= 0 && (mode & O_ACCMODE) != O_RDONLY)
        return 0;
    return err_set(err, ERR_USAGE, "Invalid output file descriptor: %d", s->options.outfd);
}

static void complain(void *context, const char *message)
{
    (void)context;
    struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, message, strlen(message), false);
    fprintf(stderr, "%s\n", safe.data);
    strbuf_release(&safe);
}

static int select_all(struct session *s, struct err *err)
{
    struct options all = s->options;
    all.entries = NULL;
    all.all = true;
    return selection_make(&s->catalog, &all, warn_unknown, &s->selections, err);
}

static int make_plan(struct session *s, struct err *err)
{
    bool limits_only = s->options.action == ACTION_CAPABILITIES;
    s->plan_options = (struct plan_options){
        .root = s->root, .unlimited = s->options.unlimited, .limits_only = limits_only};
    int64_t seconds = s->options.time_limit >= 0 ? s->options.time_limit
                      : s->options.unlimited     ? NO_TIME_LIMIT
                                                 : DEFAULT_TIME_LIMIT;
    int64_t begun = io_now_ms();
    s->time_limit_ms = seconds * 1000;
    s->deadline_ms = begun + s->time_limit_ms;
    int r = limits_only
                ? select_all(s, err)
                : selection_make(&s->catalog, &s->options, warn_unknown, &s->selections, err);
    if (r == 0)
        r = planner_new(s->selections.items, s->selections.count, &s->plan_options, &s->planner,
                        err);
    if (r < 0)
        return r;
    s->functions.root = s->root;
    s->functions.expansion = planner_expansion(s->planner);
    fflush(NULL); /* the helper must not inherit half-written text */
    r = spawner_start(collector_functions, &s->functions, &s->spawner, err);
    if (r == 0)
        r = plan_build(s->planner, s->spawner, begun + seconds * 1000 / EXPAND_SHARE, &cancelled,
                       &s->plan, err);
    return r;
}

static int print_text(const struct strbuf *text, struct err *err)
{
    if (text->failed)
        return err_nomem(err);
    bool written = fwrite(text->data, 1, text->length, stdout) == text->length;
    return written && fflush(stdout) == 0 ? 0 : err_set_errno(err, errno, "cannot write to standard output");
}

static int print_about(enum options_action action, struct err *err)
{
    if (action == ACTION_HELP)
        options_print_usage(stdout);
    else
        puts("xen-bugtool " XENHEALTH_VERSION);
    return ferror(stdout) == 0 && fflush(stdout) == 0
               ? 0
               : err_set_errno(err, errno, "cannot write to standard output");
}

static int print_plan(const struct session *s, struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    int r = 0;
    if (s->options.action == ACTION_CAPABILITIES)
        capability_xml_write(&s->catalog, &text);
    else if (s->options.action == ACTION_LIST)
        plan_print_list(&s->plan, isatty(STDOUT_FILENO), &text);
    else
        r = plan_print_estimate(&s->plan, s->options.jobs, s->time_limit_ms, &text, err);
    r = r == 0 ? print_text(&text, err) : r;
    if (r == 0 && getuid() != 0 && is_live(s))
        fputs("Only root can look into all folders: there may be more.\n", stderr);
    strbuf_release(&text);
    return r;
}

static bool has_capability(const struct session *s, const char *key)
{
    for (size_t i = 0; i < s->selections.count; i++)
        if (strcmp(s->selections.items[i].capability->key, key) == 0)
            return true;
    return false;
}

static int finish_report(struct session *s, struct run *run, int64_t begun_ms, struct err *err)
{
    int64_t duration_ms = io_now_ms() - begun_ms;
    struct manifest_run about = {.argc = s->argc,
                                 .argv = s->argv,
                                 .started = s->host.taken,
                                 .finished =
                                     s->host.taken + (s->epoch >= 0 ? 0 : duration_ms / 1000),
                                 .duration_ms = duration_ms,
                                 .selections = s->selections.items,
                                 .selection_count = s->selections.count,
                                 .root = s->root,
                                 .deadline_reached = run->deadline_reached,
                                 .reproducible = s->epoch >= 0};
    return report_add(run, &s->host, &about, has_capability(s, "xen-bugtool"), err);
}

static void say_failure(const struct session *s, const struct destination *destination,
                        struct err *err)
{
    bool zip = strcmp(s->options.format->name, "zip") == 0;
    if (err->code == ERR_CANCELLED || err->code == ERR_USAGE)
        return;
    if (s->options.outfd >= 0)
        err_prefix(err, err->code, "Error writing tar file descriptor '%d'", s->options.outfd);
    else
        err_prefix(err, err->code, "Error writing %s file '%s'", zip ? "zip" : "tar", destination->path);
}

static int say_success(const struct session *s, const struct destination *destination,
                       struct err *err)
{
    int r = 0;
    bool to_file = s->options.outfd < 0;
    struct summary summary = {.plan = &s->plan,
                              .path = to_file ? destination->path : NULL,
                              .duration_ms = io_now_ms() - s->progress.begun_ms};
    if (s->talk)
        summary_print(&summary, s->talk);
    if (s->talk && to_file)
        fprintf(s->talk, "Writing %s %s successful.\n",
                strcmp(s->options.format->name, "zip") == 0 ? "archive" : "tarball",
                destination->path);
    else if (to_file)
        r = summary_print_path(destination->path, err);
    if (s->options.debug)
        summary_print_sizes(&s->plan, s->selections.items, s->selections.count, stderr);
    return r;
}

static int collect_into(struct session *s, struct destination *destination, struct mounts *mounts,
                        int root_fd, bool *ret_abandoned, struct err *err)
{
    int64_t begun_ms = io_now_ms();
    s->run =
        (struct run){.plan = &s->plan,
                     .spawner = s->spawner,
                     .bundle = destination->bundle,
                     .mounts = mounts,
                     .log = &s->log,
                     .progress = &s->progress,
                     .root = s->root,
                     .root_fd = root_fd,
                     .top = destination->top,
                     .stage = {.encoding = s->options.format->encoding,
                               .compressor = destination->compressor,
                               .memory_bytes = STAGE_MEMORY,
                               .spool_dirfd = destination->spool_fd},
                     .jobs = s->epoch >= 0 ? 1 : s->options.jobs, /* one: always the same order */
                     .debug = s->options.debug,
                     .by_rank = s->options.time_limit >= 0,
                     .deadline_ms = s->deadline_ms,
                     .newest = s->epoch,
                     .room = destination->room,
                     .cancelled = &cancelled};
    bundle_heed(destination->bundle, &cancelled);
    run_log_start(&s->log, s->argc, s->argv);
    progress_start(&s->progress, s->talk, s->options.progress, &s->plan, s->deadline_ms);
    if (s->options.outfd < 0)
        progress_line(&s->progress, "Creating output file");
    progress_line(&s->progress, "Running commands to collect data");
    conceal_start(&s->conceal, &s->run);
    int r = run_collect(&s->run, err);
    int packed = run_finish_packs(&s->run, r == 0, err);
    r = r == 0 ? packed : r;
    conceal_describe(&s->conceal, &s->log);
    if (r == 0)
        r = finish_report(s, &s->run, begun_ms, err);
    progress_end(&s->progress);
    *ret_abandoned = s->run.abandoned;
    run_log_release(&s->log);
    return r;
}

static int exit_status(const struct session *s, int r, const struct err *err)
{
    char message[1024];
    if (r == 0)
        return 0;
    if (atomic_load(&cancelled)) {
        fputs("\nInterrupted.\n", s->options.outfd == STDOUT_FILENO ? stderr : stdout);
        return EXIT_INTERRUPTED;
    }
    fprintf(stderr, "%s\n", err_message(err, message, sizeof message));
    return r == ERR_USAGE ? EXIT_USAGE : r == ERR_CANCELLED ? EXIT_INTERRUPTED : EXIT_NO_ARCHIVE;
}

/*
 * A thread still uses what would be freed, and waiting for it could take for ever. It may even keep
 * this process from ending, so whoever reads from us gets the end of the file now.
 */
_Noreturn static void leave_abandoned(const struct session *s, int r, const struct err *err)
{
    int status = exit_status(s, r, err);
    fflush(NULL);
    descriptors_close_from(0);
    _exit(status);
}

static void clean_logs(const struct session *s, int root_fd)
{
    struct cleaned cleaned;
    clean_collected(&s->catalog, &s->plan, root_fd, &cleaned);
    if (s->talk)
        fprintf(s->talk, "Deleted %u logs of tapdisk; %u kept (not in the archive, or changed).\n",
                cleaned.removed, cleaned.kept);
}

static int collect(struct session *s, struct err *err)
{
    struct destination destination;
    struct mounts *mounts = NULL;
    bool abandoned = false;
    CLEANUP_FD int root_fd = open(s->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int r = root_fd < 0 ? err_set_errno(err, errno, "cannot open the root folder '%s'", s->root)
                        : mounts_load(&mounts, err);
    if (r == 0)
        r = destination_open(&s->options, s->epoch, &destination, err);
    if (r < 0) {
        mounts_free(mounts);
        return r;
    }
    r = collect_into(s, &destination, mounts, root_fd, &abandoned, err);
    spawner_stop(TAKE(s->spawner)); /* before the archive gets its name: nothing of ours runs on */
    if (r == 0)
        r = conceal_close(&s->conceal, &destination, err);
    else
        bundle_discard(destination.bundle);
    if (r < 0)
        say_failure(s, &destination, err);
    else
        r = say_success(s, &destination, err);
    if (r == 0 && s->options.clean_tapdisk_logs)
        clean_logs(s, root_fd);
    if (abandoned)
        leave_abandoned(s, r, err);
    destination_release(&destination);
    mounts_free(mounts);
    return r;
}

/* Scripts that answer the questions of the original (`yes |`) get exactly these. */
static int ask(struct session *s, struct err *err)
{
    bool to_stderr = s->options.outfd == STDOUT_FILENO;
    bool choose = s->options.questions == QUESTIONS_CAPABILITIES ||
                  (s->options.questions == QUESTIONS_AUTO && isatty(STDIN_FILENO));
    struct asking asking = {.in = stdin,
                            .out = to_stderr || (choose && s->options.silent) ? stderr : stdout,
                            .cancelled = &cancelled};
    return choose ? choose_capabilities(&asking, &s->plan, &s->selections, err)
                  : prompts_ask(&asking, &s->plan, err);
}

static int run_session(struct session *s, struct err *err)
{
    set_environment();
    s->epoch = source_date_epoch();
    int r = resolve_root(s, err);
    if (r == 0)
        r = check_user(s, err);
    if (r == 0)
        r = check_outfd(s, err);
    if (r == 0 && s->options.pool)
        return pool_session_run(&s->options, s->root, s->epoch, &cancelled, err);
    if (r == 0)
        r = load_catalog(&s->options, s->root, complain, &s->catalog, err);
    if (r == 0)
        r = make_plan(s, err);
    if (r < 0)
        return r;
    if (s->options.action != ACTION_COLLECT)
        return print_plan(s, err);
    host_describe(s->root, s->epoch, &s->host);
    r = conceal_open(&s->options, s->root, s->host.name, &s->conceal, err);
    if (r < 0)
        return r;
    /* The archive must not be mixed with text (the original did) */
    s->talk = s->options.silent ? NULL : s->options.outfd == STDOUT_FILENO ? stderr : stdout;
    if (s->talk)
        prompts_banner(s->talk, s->options.format->suffix, s->options.yes_to_all);
    if (!s->options.yes_to_all)
        r = ask(s, err);
    return r == 0 ? collect(s, err) : r;
}

static void session_release(struct session *s)
{
    if (s->spawner)
        spawner_stop(s->spawner);
    conceal_release(&s->conceal);
    plan_free(&s->plan);
    planner_free(s->planner);
    vec_free(&s->selections);
    catalog_free(&s->catalog);
}

int collector_main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct session session = {.argc = argc, .argv = argv};
    bool show_usage;
    char message[1024];
    io_hold_standard();
    int r = options_parse(argc, argv, &session.options, &show_usage, &err);
    if (r < 0) {
        fprintf(stderr, "%s%s\n", show_usage ? "xen-bugtool: " : "",
                err_message(&err, message, sizeof message));
        if (show_usage)
            options_print_usage(stderr);
        return r == ERR_USAGE ? EXIT_USAGE : EXIT_NO_ARCHIVE;
    }
    bool about = session.options.action == ACTION_HELP || session.options.action == ACTION_VERSION;
    r = about ? print_about(session.options.action, &err) : run_session(&session, &err);
    session_release(&session);
    return exit_status(&session, r, &err);
}
