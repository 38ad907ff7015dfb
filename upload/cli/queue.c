/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A job keeps the options of one upload that stood on the command line when it was added; settings
 * are read when it is sent. What a job says wins then, as it is about this very file.
 */
#include "upload/cli/queue.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "upload/cli/credentials.h"
#include "upload/cli/status.h"
#include "upload/cli/upload.h"

struct worker {
    const struct options *options;
    struct progress *progress;
    const atomic_bool *cancelled;
};

/* Another process has another working folder. */
static int absolute(const char *path, struct strbuf *ret, struct err *err)
{
    char folder[PATH_MAX];
    if (*path != '/') {
        if (!getcwd(folder, sizeof folder))
            return err_set(err, ERR_IO, "the working folder has no name: give absolute paths");
        strbuf_addf(ret, "%s/", folder);
    }
    strbuf_adds(ret, path);
    return strbuf_ok(ret) ? 0 : err_nomem(err);
}

/* Which user will read it is not known here, but a file that is not there is a slip of the pen. */
static int check_there(const struct option_def *def, const char *path, struct err *err)
{
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR)
               ? 0
               : err_set(err, ERR_USAGE, "there is no file '%s' that '--%s' names", path,
                         def->name);
}

static int keep_options(const struct options *options, struct job *job, struct err *err)
{
    int r = 0;
    for (const struct option_def *def = option_defs; r == 0 && def->name; def++) {
        struct strbuf text = STRBUF_INIT;
        if (!(def->scope & SCOPE_JOB) || !option_given(options, def))
            continue;
        if (def->kind == OPTION_PATH)
            r = absolute(*(const char *const *)((const char *)options + def->offset), &text, err);
        else
            option_text(options, def, &text);
        if (r == 0 && def->kind == OPTION_PATH)
            r = check_there(def, text.data, err);
        if (r == 0 && strcmp(def->name, "credential") == 0)
            r = job_set_text(&job->credential, text.data, err);
        else if (r == 0)
            r = job_set_option(job, def->name, text.data, err);
        strbuf_release(&text);
    }
    return r;
}

static void say_added(const struct job *job, enum spool_added added)
{
    static const char *const words[] = {[SPOOL_NEW] = "waits to be sent",
                                        [SPOOL_KNOWN] = "was waiting already",
                                        [SPOOL_REVIVED] = "waits again",
                                        [SPOOL_DONE] = "was sent already: nothing to do"};
    printf("%s\n", job->id);
    fprintf(stderr, "xen-upload: the file %s\n", words[added]);
}

int queue_add(const struct options *options, struct err *err)
{
    CLEANUP(spool_cleanup) struct spool *spool = NULL;
    CLEANUP(job_release) struct job job = JOB_INIT;
    struct target target;
    struct strbuf path = STRBUF_INIT;
    enum spool_added added;
    /* Better now than in the night, when nobody looks. */
    int r = target_parse(options->url, &options->transfer, &target, err);
    if (r < 0)
        return r;
    r = upload_check_plain(options, &target, err);
    if (r == 0)
        r = absolute(options->file, &path, err);
    if (r == 0)
        r = job_set_text(&job.file, path.data, err);
    if (r == 0)
        r = job_set_text(&job.url, target.url, err);
    if (r == 0)
        r = keep_options(options, &job, err);
    if (r == 0)
        r = spool_open(options->queue, true, &options->limits, &spool, err);
    if (r == 0)
        r = spool_add(spool, &job, &added, err);
    if (r == 0)
        say_added(&job, added);
    if (r == 0 && spool_dropped(spool) > 0)
        fprintf(stderr, "xen-upload: jobs that were dropped to make room: %u\n",
                spool_dropped(spool));
    strbuf_release(&path);
    target_release(&target);
    return r;
}

int queue_list(const struct options *options, struct err *err)
{
    CLEANUP(spool_cleanup) struct spool *spool = NULL;
    struct spool_list list = {.jobs = NULL};
    struct strbuf out = STRBUF_INIT;
    int r = spool_open(options->queue, false, NULL, &spool, err);
    if (r == 0)
        r = spool_list(spool, &list, err);
    if (r < 0)
        return r;
    r = options->format && strcmp(options->format, "json") == 0 ? spool_list_json(&list, &out, err)
                                                                : spool_list_text(&list, &out, err);
    if (r == 0)
        fwrite(out.data, 1, out.length, stdout);
    strbuf_release(&out);
    spool_list_release(&list);
    return r;
}

int queue_drop(const struct options *options, struct err *err)
{
    CLEANUP(spool_cleanup) struct spool *spool = NULL;
    unsigned dropped;
    int r = spool_open(options->queue, false, NULL, &spool, err);
    if (r == 0)
        r = spool_drop(spool, &dropped, err);
    if (r == 0)
        printf("Jobs that will not be sent: %u\n", dropped);
    return r;
}

/* The worker's options with those of the job over them. */
static int job_options(const struct options *base, const struct job *job, struct options *ret,
                       struct err *err)
{
    int r = 0;
    *ret = *base;
    if (job->credential || job_option(job, "token") || job_option(job, "credentials")) {
        ret->token = ret->credentials = ret->origin = NULL;
        ret->credential = job->credential;
    }
    for (size_t i = 0; r == 0 && i < job->option_count; i++) {
        const struct option_def *def = option_find(job->options[i].name);
        r = def && def->scope & SCOPE_JOB
                ? option_set(ret, def, def->name, job->options[i].value, err)
                : err_set(err, ERR_USAGE, "the job has an option '%.60s', which no job can have",
                          job->options[i].name);
    }
    const char *slash = strrchr(job->file, '/');
    if (!ret->transfer.name)
        ret->transfer.name = slash ? slash + 1 : job->file;
    ret->action = ACTION_UPLOAD;
    ret->file = job->file;
    ret->url = job->url;
    return r < 0 ? r : options_check(ret, err);
}

/*
 * A credential with a name is handed over by somebody else (systemd, xen-healthcheck) and may not
 * be there yet, after a boot, say; or a person works off the spool, who does not have it: such a
 * job waits. Without one it would be refused, and stand still.
 */
static int await_credential(const struct upload *upload, int r, struct err *err)
{
    const struct options *options = upload->options;
    const struct net_secrets *has = &upload->secrets;
    bool nowhere = r == ERR_NOTFOUND || !credentials_folder(options);
    if (upload->no_credentials)
        return options->credential && nowhere ? ERR_AGAIN : ERR_DENIED;
    if (r < 0 || !options->credential || options->origin || has->token[0] || has->user[0] ||
        has->password[0] || has->access_key[0])
        return r;
    return err_set(err, ERR_AGAIN, "the credential '%.60s' is empty so far", options->credential);
}

static int send_job(void *context, const struct job *job, struct source *source,
                    struct spool_sent *sent, struct err *err)
{
    struct worker *worker = context;
    struct options options;
    struct upload upload;
    struct receipt receipt = {.file = NULL};
    int r = job_options(worker->options, job, &options, err);
    if (r < 0)
        return r;
    r = upload_prepare(&upload, &options, source, worker->progress, worker->cancelled, err);
    r = await_credential(&upload, r, err);
    if (r == 0)
        r = upload_send(&upload, job->file, &receipt, err);
    sent->attempts = upload.attempts;
    sent->retry_after_s = upload.retry_after_s;
    sent->moved = upload.moved;
    if (upload.target.protocol)
        snprintf(sent->protocol, sizeof sent->protocol, "%s", upload.target.protocol->name);
    if (r == 0) {
        snprintf(sent->id, sizeof sent->id, "%s", receipt.id);
        progress_done(worker->progress, NULL);
    } else {
        progress_failed(worker->progress, err->text, (int)status_of(r));
    }
    receipt_release(&receipt);
    upload_release(&upload);
    return r;
}

static void say_job(void *context, const struct job *job, const char *line)
{
    struct worker *worker = context;
    struct strbuf text = STRBUF_INIT;
    if (job)
        strbuf_addf(&text, "%.8s: ", job->id);
    strbuf_adds(&text, line);
    progress_say(worker->progress, text.data);
    strbuf_release(&text);
}

/* For a person; a journal would fill with it. */
static void say_idle(struct progress *progress, const struct spool_worked *worked)
{
    char line[80];
    if (progress->mode != PROGRESS_BAR ||
        worked->done + worked->later + worked->failed + worked->denied > 0)
        return;
    snprintf(line, sizeof line, "Nothing is due; %u jobs wait", worked->waiting);
    progress_say(progress, line);
}

/* One status for many jobs: what needs a person comes first. */
static int judge(const struct spool_worked *worked, struct err *err)
{
    unsigned jobs = worked->done + worked->later + worked->failed + worked->denied;
    if (worked->denied)
        return err_set(err, ERR_DENIED,
                       "jobs that were refused: %u of %u; --list says why, and adding them again "
                       "with other credentials, or --retry-denied, sets them free",
                       worked->denied, jobs);
    if (worked->failed || worked->damaged)
        return err_set(err, ERR_UNSUPPORTED, "jobs that failed for good: %u of %u; --list says why",
                       worked->failed + worked->damaged, jobs + worked->damaged);
    if (worked->later)
        return err_set(err, ERR_AGAIN, "jobs that are left for a later run: %u of %u",
                       worked->later, jobs);
    return 0;
}

int queue_work(const struct options *options, struct progress *progress,
               const atomic_bool *cancelled, struct err *err)
{
    CLEANUP(spool_cleanup) struct spool *spool = NULL;
    struct worker context = {options, progress, cancelled};
    const struct retry_options retry = {.first_ms = options->retry_wait_ms, .cancelled = cancelled};
    const struct spool_worker worker = {.send = send_job,
                                        .say = say_job,
                                        .context = &context,
                                        .retry = &retry,
                                        .retry_denied = options->retry_denied};
    struct spool_worked worked = {.done = 0};
    int r = spool_open(options->queue, false, &options->limits, &spool, err);
    if (r == 0)
        r = spool_work(spool, &worker, &worked, err);
    if (r < 0)
        return r;
    say_idle(progress, &worked);
    return judge(&worked, err);
}
