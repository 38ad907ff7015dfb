/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The verbs, and the only place that prints. A signal sets a flag: whatever runs ends its child,
 * gives the pool's lock back and records what happened.
 */
#include "healthcheck/cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/escape.h"
#include "common/io.h"
#include "common/secret.h"
#include "common/signals.h"
#include "common/suggest.h"
#include "common/version.h"
#include "healthcheck/child/child.h"
#include "healthcheck/cli/arguments.h"
#include "healthcheck/enroll/enroll.h"
#include "healthcheck/run/run.h"
#include "healthcheck/status/status.h"

#define EXIT_FAILED      1
#define EXIT_USAGE       2
#define EXIT_INTERRUPTED 3
#define EXIT_AGAIN       4
#define NAGIOS_UNKNOWN   3
#define ARENA_BYTES      (8 << 20) /* many times the largest settings file */
#define MAX_ANSWER       16

static atomic_bool cancelled;

struct session {
    const struct arguments *arguments;
    struct arena *arena;
    struct settings settings;
};

struct verb {
    const char *name;
    int (*run)(struct session *session, struct err *err); /* exit status or a negative error */
};

static void on_signal(int signal)
{
    (void)signal;
    atomic_store(&cancelled, true);
}

/* Foreign words can be in any of our lines. */
static void print_safe(FILE *to, const char *prefix, const char *line)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, line, strlen(line), false);
    fprintf(to, "%s%s\n", prefix, safe.data);
    fflush(to);
}

static void say(void *context, const char *line)
{
    (void)context;
    print_safe(stdout, "", line);
}

static void print_error(const struct err *err)
{
    char message[sizeof err->where + sizeof err->text + 32];
    print_safe(stderr, "xen-healthcheck: ", err_message(err, message, sizeof message));
}

static int load_settings(struct session *session, struct err *err)
{
    const struct arguments *arguments = session->arguments;
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    struct stat status;
    strbuf_addf(&path, "%s/healthcheck.yaml", arguments->config);
    if (arguments->settings)
        return settings_load(arguments->settings, session->arena, &session->settings, err);
    if (!strbuf_ok(&path))
        return err_nomem(err);
    if (lstat(path.data, &status) < 0 && errno == ENOENT) {
        settings_default(&session->settings);
        return 0;
    }
    return settings_load(path.data, session->arena, &session->settings, err);
}

static int no_arguments(const struct session *session, struct err *err)
{
    if (session->arguments->count == 0)
        return 0;
    return err_set(err, ERR_USAGE, "'%s' is nothing that '%s' takes", session->arguments->rest[0],
                   session->arguments->verb);
}

static void tell_findings(const struct check *check)
{
    const int *counts = check->counts;
    if (check->score < 0) {
        puts("No score: the report has no data for any of the rules.");
        return;
    }
    printf("Score %d of 100: %d critical, %d errors, %d warnings, %d notes.\n", check->score,
           counts[CHECK_CRITICAL], counts[CHECK_ERROR], counts[CHECK_WARNING], counts[CHECK_INFO]);
}

static void tell_upload(const struct check *check)
{
    if (check->upload == CHECK_SENT)
        printf("The report was sent to %s, which calls it %s.\n", check->url, check->upload_id);
    else if (check->upload == CHECK_QUEUED)
        printf("The report is on its way to %s.\n", check->url);
    else if (check->upload == CHECK_UNSENT)
        printf("The report could not be sent to %s: %s\n", check->url, check->upload_error);
    else
        puts("Nothing was sent anywhere.");
}

static void tell_check(const struct session *session, const struct check *check)
{
    if (check->error[0])
        fprintf(stderr, "xen-healthcheck: the check failed: %s\n", check->error);
    if (!check->analysed)
        return;
    tell_findings(check);
    tell_upload(check);
    printf("Read on: %s/latest/report.html, or xen-healthcheck status\n",
           session->arguments->state);
}

static int exit_of_check(const struct check *check)
{
    if (check->result == CHECK_INTERRUPTED)
        return EXIT_INTERRUPTED;
    return check->result == CHECK_OK && check->upload != CHECK_UNSENT ? 0 : EXIT_FAILED;
}

static int perform(struct session *session, bool now, bool spool_only, struct err *err)
{
    const struct arguments *arguments = session->arguments;
    CLEANUP(store_cleanup) struct store *store = NULL;
    CLEANUP(strbuf_release) struct strbuf credentials = STRBUF_INIT;
    struct run_result result = {.checked = false};
    strbuf_addf(&credentials, "%s/credentials", arguments->runtime);
    struct run_options options = {.settings = &session->settings,
                                  .config = arguments->config,
                                  .credentials = credentials.data,
                                  .now = now,
                                  .spool_only = spool_only,
                                  .cancelled = &cancelled,
                                  .say = say};
    int r = strbuf_ok(&credentials) ? 0 : err_nomem(err);
    r = r < 0 ? r : store_open(arguments->state, true, &store, err);
    r = r < 0 ? r : run_once(&options, store, &result, err);
    if (r == 0 && result.checked)
        tell_check(session, &result.check);
    else if (r == 0)
        printf("Nothing to do: %s.\n", result.reason);
    if (r == 0 && result.checked)
        r = exit_of_check(&result.check);
    else if (r == 0 && now)
        r = EXIT_FAILED; /* somebody asked for a check and did not get one */
    check_release(&result.check);
    return r;
}

static int perform_verb(struct session *session, bool now, struct err *err)
{
    const struct arguments *arguments = session->arguments;
    bool spool_only = arguments->count == 1 && strcmp(arguments->rest[0], "--spool-only") == 0;
    int r = spool_only ? 0 : no_arguments(session, err);
    r = r < 0 ? r : load_settings(session, err);
    return r < 0 ? r : perform(session, now, spool_only, err);
}

static int verb_run(struct session *session, struct err *err)
{
    return perform_verb(session, false, err);
}

static int verb_now(struct session *session, struct err *err)
{
    return perform_verb(session, true, err);
}

static int find_format(const struct arguments *arguments, const struct status_format **ret,
                       struct err *err)
{
    const char *name = "text";
    char **rest = arguments->rest;
    if (arguments->count == 2 && strcmp(rest[0], "--format") == 0)
        name = rest[1];
    else if (arguments->count == 1 && strncmp(rest[0], "--format=", 9) == 0)
        name = rest[0] + 9;
    else if (arguments->count)
        return err_set(err, ERR_USAGE, "'%s' is nothing that 'status' takes", rest[0]);
    *ret = status_format_find(name);
    return *ret ? 0
                : err_set(err, ERR_USAGE,
                          "there is no format '%s': text, json, nagios or prometheus", name);
}

/* Words of servers and of other writers of the pool's keys. Returns `status`. */
static int make_harmless(struct strbuf *text, int status, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, text->data, text->length, true);
    strbuf_clear(text);
    strbuf_add(text, safe.data, safe.length);
    return strbuf_ok(&safe) && strbuf_ok(text) ? status : err_nomem(err);
}

static int gather_and_show(struct session *session, const struct status_format *format,
                           const char *problem, struct err *err)
{
    struct status status;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct status_place place = {.settings = &session->settings,
                                 .settings_problem = problem,
                                 .config = session->arguments->config,
                                 .state = session->arguments->state,
                                 .timer = STATUS_TIMER};
    int r = status_gather(&place, &status, err);
    if (r == 0)
        r = format->show(&status, &out);
    status_release(&status);
    if (r >= 0 && !strbuf_ok(&out))
        r = err_nomem(err);
    if (r >= 0 && format != &status_format_json)
        r = make_harmless(&out, r, err);
    if (r >= 0 && (fputs(out.data, stdout) == EOF || fflush(stdout) == EOF))
        r = err_set_errno(err, errno, "cannot write the status");
    return r;
}

static int verb_status(struct session *session, struct err *err)
{
    const struct status_format *format;
    struct err broken = ERR_INIT;
    char problem[1024], message[1024];
    int r = find_format(session->arguments, &format, err);
    if (r < 0)
        return r;
    bool readable = load_settings(session, &broken) == 0;
    if (!readable)
        settings_default(&session->settings);
    r = gather_and_show(session, format,
                        readable ? NULL : err_message(&broken, problem, sizeof problem), err);
    if (r >= 0 || format != &status_format_nagios)
        return r;
    printf("HEALTHCHECK UNKNOWN - %s\n", err_message(err, message, sizeof message));
    return NAGIOS_UNKNOWN;
}

static bool confirm(void *context, const char *question)
{
    char answer[MAX_ANSWER];
    (void)context;
    printf("%s [y/N] ", question);
    fflush(stdout);
    return fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y');
}

struct paths {
    char uploader[PATH_MAX], runtime[PATH_MAX], service[STORE_UUID_BYTES];
};

/* "": no run has needed one so far. */
static void find_service(const char *state, char ret[STORE_UUID_BYTES])
{
    CLEANUP(store_cleanup) struct store *store = NULL;
    ret[0] = '\0';
    if (store_open(state, false, &store, NULL) < 0 || store_uuid(store, ret, NULL) < 0)
        ret[0] = '\0';
}

static void make_place(const struct session *session, struct paths *paths, struct enroll_place *ret)
{
    if (child_find("xen-upload", paths->uploader, sizeof paths->uploader, NULL) < 0)
        snprintf(paths->uploader, sizeof paths->uploader, "xen-upload"); /* an error, once needed */
    snprintf(paths->runtime, sizeof paths->runtime, "%s/credentials", session->arguments->runtime);
    find_service(session->arguments->state, paths->service);
    *ret = (struct enroll_place){.root = session->settings.xapi.root,
                                 .config = session->arguments->config,
                                 .state = session->arguments->state,
                                 .runtime = paths->runtime,
                                 .spool = session->settings.upload.spool,
                                 .service = paths->service,
                                 .uploader = paths->uploader,
                                 .uploader_arguments = session->settings.upload.arguments,
                                 .cancelled = &cancelled,
                                 .say = say,
                                 .confirm = isatty(STDIN_FILENO) ? confirm : NULL};
}

static int verb_enroll(struct session *session, struct err *err)
{
    struct paths paths;
    struct enroll_place place;
    struct enroll_request request;
    int r = enroll_parse(session->arguments->count, session->arguments->rest, &request, err);
    r = r < 0 ? r : load_settings(session, err);
    if (r < 0)
        return r;
    make_place(session, &paths, &place);
    return enroll_run(&place, &request, err);
}

/* Who wants nothing to leave does not have to mend anything first. */
static void load_settings_or_defaults(struct session *session)
{
    struct err why = ERR_INIT;
    char message[sizeof why.where + sizeof why.text + 32], line[sizeof message + 256];
    if (load_settings(session, &why) == 0)
        return;
    settings_default(&session->settings);
    snprintf(line, sizeof line,
             "the settings cannot be read, so the defaults hold (XAPI below %s, the spool %s): %s",
             session->settings.xapi.root, session->settings.upload.spool,
             err_message(&why, message, sizeof message));
    print_safe(stderr, "xen-healthcheck: ", line);
}

static int verb_disable(struct session *session, struct err *err)
{
    struct paths paths;
    struct enroll_place place;
    int r = no_arguments(session, err);
    if (r < 0)
        return r;
    load_settings_or_defaults(session);
    make_place(session, &paths, &place);
    return enroll_disable(&place, err);
}

static int verb_help(struct session *session, struct err *err)
{
    (void)session;
    (void)err;
    fputs("Usage: xen-healthcheck [OPTION]... VERB\n"
          "Checks of this host or its pool on a schedule: collect a report, analyse it, keep it.\n"
          "Nothing leaves the host unless it is enrolled.\n"
          "\n"
          "  run [--spool-only]   what the timer starts: a check, if one is due\n"
          "  now [--spool-only]   a check, due or not\n"
          "  status [--format F]  how it went, what is new, what comes next\n"
          "  enroll URL           from now on, send reports there\n"
          "  disable              no longer\n"
          "\n"
          " --settings FILE       instead of healthcheck.yaml in the folder of --config\n"
          " --config DIR          settings and enrollment (default " ARGUMENTS_CONFIG ")\n"
          " --state DIR           history, reports (default " STORE_PATH ")\n"
          " --runtime DIR         short-lived credentials (default " ARGUMENTS_RUNTIME ")\n"
          " --spool-only          queue the report, and leave the sending to xen-upload.service\n"
          " --format FORMAT       text, json, nagios or prometheus\n"
          " --version             output the version\n"
          " --help                this help\n"
          "\n"
          "Of enroll:\n",
          stdout);
    fputs(enroll_usage, stdout);
    return 0;
}

static int verb_version(struct session *session, struct err *err)
{
    (void)session;
    (void)err;
    puts("xen-healthcheck " XENHEALTH_VERSION);
    return 0;
}

static const struct verb verbs[] = {
    {"run", verb_run},       {"now", verb_now},           {"status", verb_status},
    {"enroll", verb_enroll}, {"disable", verb_disable},   {"help", verb_help},
    {"--help", verb_help},   {"--version", verb_version},
};

static int find_verb(const char *name, const struct verb **ret, struct err *err)
{
    const char *names[ARRAY_SIZE(verbs) + 1] = {NULL};
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        names[i] = verbs[i].name;
        *ret = &verbs[i];
        if (name && strcmp(verbs[i].name, name) == 0)
            return 0;
    }
    if (!name)
        return err_set(err, ERR_USAGE, "what is to be done? run, now, status, enroll or disable");
    const char *near = suggest_nearest(name, names);
    return err_set(err, ERR_USAGE, "there is no verb '%.60s'%s%s%s", name,
                   near ? "; did you mean '" : ": see --help", near ? near : "", near ? "'?" : "");
}

static int exit_of_error(int r)
{
    switch (r) {
    case ERR_USAGE:
    case ERR_PARSE:
        return EXIT_USAGE;
    case ERR_CANCELLED:
        return EXIT_INTERRUPTED;
    case ERR_AGAIN:
        return EXIT_AGAIN;
    default:
        return EXIT_FAILED;
    }
}

int healthcheck_main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct arguments arguments;
    const struct verb *verb;
    CLEANUP(arena_cleanup) struct arena *arena = arena_new(ARENA_BYTES);
    struct session session = {.arguments = &arguments, .arena = arena};
    io_hold_standard();
    signals_catch_ends(on_signal, 0);
    secret_guard_process();
    umask(027);
    int r = arena ? arguments_parse(argc, argv, &arguments, &err) : err_nomem(&err);
    r = r < 0 ? r : find_verb(arguments.verb, &verb, &err);
    r = r < 0 ? r : verb->run(&session, &err);
    if (r >= 0)
        return r;
    print_error(&err);
    return exit_of_error(r);
}
