/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Runs xen-upload. Its spool is the truth about what was sent; we only remember the job's name.
 *
 * Adding the same file for the same URL is one job however often it is done, so a run that was
 * killed between adding and remembering just adds again.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/secret.h"
#include "common/url_text.h"
#include "healthcheck/enroll/credential.h"
#include "healthcheck/run/step.h"
#include "healthcheck/times/times.h"

#define MAX_LIST_BYTES (16 << 20) /* of the spool's list */
#define MAX_ID_BYTES   128
#define ADD_LIMIT_S    1800 /* it may have to copy and digest gigabytes */
#define MAX_ARGUMENTS  32
#define LATE_S         (31 * 86400) /* the spool keeps jobs and receipts for 30 days */

#define EXIT_AGAIN  4
#define EXIT_DENIED 5

/* Writes the token's file; false: this enrollment has none. */
static int write_credential(struct run *run, const struct situation *situation, bool *ret,
                            struct err *err)
{
    return credential_write(situation->xapi, situation->config, &situation->enrollment,
                            run->options->config, run->options->credentials, ret, err);
}

void queue_credential(struct run *run, const struct situation *situation)
{
    struct err err = ERR_INIT;
    bool written;
    if (situation->url[0] && write_credential(run, situation, &written, &err) < 0)
        run_say(run, "The credentials for the upload cannot be had: %s", err.text);
}

static int take_id(struct strbuf *out, struct check *check, struct err *err)
{
    out->data[strcspn(out->data, "\n")] = '\0';
    if (out->data[0] == '\0' || strspn(out->data, "0123456789abcdef") != strlen(out->data))
        return err_set(err, ERR_PARSE, "xen-upload did not say what it calls the upload");
    return check_set(&check->job, out->data, err);
}

static int set_url(struct check *check, const char *url, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf plain = STRBUF_INIT;
    strbuf_add(&plain, url, url_text_public_length(url));
    return strbuf_ok(&plain) ? check_set(&check->url, plain.data, err) : err_nomem(err);
}

int queue_add(struct run *run, struct check *check, const struct situation *situation,
              struct err *err)
{
    const struct settings *settings = run->options->settings;
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT, out = STRBUF_INIT_MAX(MAX_ID_BYTES);
    bool credential = false;
    const char *own[MAX_ARGUMENTS] = {"--queue", settings->upload.spool, "--add", "--name",
                                      check->report};
    size_t count = 5;
    strbuf_addf(&path, "%s/reports/%s", store_path(run->store), check->report);
    if (!strbuf_ok(&path))
        return err_nomem(err);
    int r = set_url(check, situation->url, err);
    if (r == 0)
        r = write_credential(run, situation, &credential, err);
    if (r < 0)
        return r;
    if (credential) {
        own[count++] = "--credential";
        own[count++] = CREDENTIAL_NAME;
    }
    own[count++] = path.data;
    own[count++] = situation->url;
    run_say(run, "Handing the report to the uploader, for %s.", check->url);
    r = run_program(run, "xen-upload", own, settings->upload.arguments, ADD_LIMIT_S, 1 << 0, &out,
                    NULL, err);
    if (r == 0)
        r = take_id(&out, check, err);
    if (r == 0)
        check->upload = CHECK_QUEUED;
    return r;
}

/* Somebody removed it, or it never was: there are no jobs in it. */
static bool has_spool(const struct run *run)
{
    char jobs[PATH_MAX];
    snprintf(jobs, sizeof jobs, "%s/jobs", run->options->settings->upload.spool);
    return access(jobs, F_OK) == 0 || errno != ENOENT;
}

void queue_work(struct run *run)
{
    const struct settings *settings = run->options->settings;
    CLEANUP(strbuf_release) struct strbuf state = STRBUF_INIT; /* its default, of our default */
    struct err err = ERR_INIT;
    char message[800];
    strbuf_addf(&state, "%s/upload", store_path(run->store));
    const char *const own[] = {"--queue",
                               settings->upload.spool,
                               "--credentials-dir",
                               run->options->credentials,
                               "--state",
                               state.data,
                               NULL};
    if (!strbuf_ok(&state) || !has_spool(run))
        return;
    run_say(run, "Uploading.");
    int r = run_program(run, "xen-upload", own, settings->upload.arguments,
                        settings->upload.time_limit_s, 1 << 0 | 1 << EXIT_AGAIN | 1 << EXIT_DENIED,
                        NULL, NULL, &err);
    if (r < 0)
        run_say(run, "The uploader: %s", err_message(&err, message, sizeof message));
}

static const json_t *find_job(const json_t *list, const char *id)
{
    const json_t *each;
    size_t i;
    json_array_foreach(json_object_get(list, "jobs"), i, each)
    {
        const char *is = json_string_value(json_object_get(each, "id"));
        if (is && strcmp(is, id) == 0)
            return each;
    }
    return NULL;
}

static int take_sent(const json_t *job, struct check *check, struct err *err)
{
    const json_t *receipt = json_object_get(job, "receipt");
    const char *id = json_string_value(json_object_get(receipt, "id"));
    const char *finished = json_string_value(json_object_get(receipt, "finished"));
    if (!finished || !times_read_short(finished, &check->uploaded_s))
        check->uploaded_s = check->finished_s;
    check->upload = CHECK_SENT;
    /* A plain PUT has no name for it: then it is ours. */
    int r = check_set(&check->upload_id, id && *id ? id : check->job, err);
    return r < 0 ? r : check_set(&check->upload_error, "", err); /* of attempts before */
}

/*
 * A credential of the enrollment that was refused is mended by enrolling again; what xen-upload
 * says of its own options would mislead. One that is for another server needs no mending: the host
 * was enrolled there since.
 */
static int take_denied(const json_t *job, struct check *check, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *why = json_string_value(json_object_get(job, "error"));
    const char *remedy = why ? strstr(why, ": look at the file of --token") : NULL;
    bool elsewhere = why && strncmp(why, SECRET_ELSEWHERE, strlen(SECRET_ELSEWHERE)) == 0;
    check->upload = CHECK_UNSENT;
    strbuf_adds(&text, "it was refused");
    if (json_is_string(json_object_get(job, "credential")) && !elsewhere)
        strbuf_adds(&text, ": enroll again with a new token (xen-healthcheck enroll URL)");
    if (why && *why)
        strbuf_addf(&text, "; %.*s", (int)(remedy ? remedy - why : (ptrdiff_t)strlen(why)), why);
    return strbuf_ok(&text) ? check_set(&check->upload_error, text.data, err) : err_nomem(err);
}

static int take_failed(const json_t *job, struct check *check, struct err *err)
{
    const char *why = json_string_value(json_object_get(job, "error"));
    check->upload = CHECK_UNSENT;
    return check_set(&check->upload_error, why && *why ? why : "failed", err);
}

static bool is_done(const json_t *job)
{
    const char *state = json_string_value(json_object_get(job, "state"));
    return state && strcmp(state, "done") == 0;
}

static int take_state(const json_t *list, struct check *check, struct err *err)
{
    const json_t *job = find_job(list, check->job);
    if (!job) {
        check->upload = CHECK_UNSENT;
        return check_set(&check->upload_error, "it is no longer in the uploader's spool", err);
    }
    const char *state = json_string_value(json_object_get(job, "state"));
    if (is_done(job))
        return take_sent(job, check, err);
    if (state && strcmp(state, "denied") == 0)
        return take_denied(job, check, err);
    if (state && strcmp(state, "failed") == 0)
        return take_failed(job, check, err);
    const char *why = json_string_value(json_object_get(job, "error"));
    return check_set(&check->upload_error, why ? why : "", err); /* of the last attempt */
}

int queue_list(const struct run *run, int64_t limit_s, json_t **ret, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT_MAX(MAX_LIST_BYTES);
    const char *const own[] = {
        "--queue", run->options->settings->upload.spool, "--list", "--format", "json", NULL};
    const char *const none[] = {NULL};
    json_error_t why;
    int r = 0;
    if (!has_spool(run))
        strbuf_adds(&out, "{\"schema\": \"xenhealth-spool/1\"}");
    else
        r = run_program(run, "xen-upload", own, none, limit_s, 1 << 0, &out, NULL, err);
    if (r < 0)
        return r;
    json_auto_t *list = json_loadb(out.data, out.length, 0, &why);
    if (!list)
        return err_set(err, ERR_PARSE, "the list of xen-upload is no JSON: line %d: %s", why.line,
                       why.text);
    const char *schema = json_string_value(json_object_get(list, "schema"));
    if (!schema || strncmp(schema, "xenhealth-spool/1", 17) != 0)
        return err_set(err, ERR_PARSE, "the list of xen-upload is not of the known form");
    *ret = json_incref(list);
    return 0;
}

int queue_look(struct run *run, struct check *check, struct err *err)
{
    json_auto_t *list = NULL;
    int r = queue_list(run, QUEUE_LIST_LIMIT_S, &list, err);
    return r < 0 ? r : take_state(list, check, err);
}

bool queue_may_be_late(const struct check *check, int64_t now_s)
{
    return check->upload == CHECK_UNSENT && check->job[0] && now_s - check->started_s < LATE_S;
}

int queue_take_late(const json_t *list, struct check *check, bool *ret_arrived, struct err *err)
{
    const json_t *job = find_job(list, check->job);
    int r = is_done(job) ? take_sent(job, check, err) : 0;
    *ret_arrived = r == 0 && check->upload == CHECK_SENT;
    return r;
}

int run_look_at_uploads(const struct settings *settings, int64_t limit_s, struct check *pending,
                        struct history *history, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf jobs = STRBUF_INIT;
    json_auto_t *list = NULL;
    const struct run_options options = {.settings = settings};
    const struct run run = {.options = &options};
    const int64_t now_s = (int64_t)time(NULL);
    bool wanted = pending != NULL, arrived;
    for (size_t i = 0; i < history->count; i++)
        wanted = wanted || queue_may_be_late(&history->checks[i], now_s);
    if (!wanted)
        return 0;
    strbuf_addf(&jobs, "%s/jobs", settings->upload.spool);
    if (!strbuf_ok(&jobs))
        return err_nomem(err);
    if (has_spool(&run) && access(jobs.data, R_OK | X_OK) < 0)
        return err_set(err, ERR_DENIED, "'%s' is not readable", jobs.data);
    int r = queue_list(&run, limit_s, &list, err);
    for (size_t i = 0; r == 0 && i < history->count; i++)
        if (queue_may_be_late(&history->checks[i], now_s))
            r = queue_take_late(list, &history->checks[i], &arrived, err);
    return r == 0 && pending ? take_state(list, pending, err) : r;
}
