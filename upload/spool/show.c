/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is in the spool, for people and for programs. Names and errors come from elsewhere and go to
 * a terminal; the query of a URL can be a permission and is for neither.
 */
#include <stdlib.h>

#include "common/escape.h"
#include "common/url_text.h"
#include "common/units.h"
#include "upload/spool/job_private.h"
#include "upload/spool/spool.h"

static void add_time(struct strbuf *out, const char *label, int64_t seconds)
{
    time_t clock = seconds;
    struct tm parts;
    char text[40];
    if (seconds > 0 && gmtime_r(&clock, &parts) &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts) > 0)
        strbuf_addf(out, "%s %s", label, text);
}

static void add_line(struct strbuf *out, const char *label, const char *text, size_t length)
{
    strbuf_addf(out, "    %-7s", label);
    escape_terminal(out, text, length, false);
    strbuf_addc(out, '\n');
}

static void add_job(struct strbuf *out, const struct job *job)
{
    char size[16];
    units_format_bytes(job->bytes, size, sizeof size);
    strbuf_addf(out, "%s  %s, %s, ", job->id, job_state_names[job->state], size);
    add_time(out, "added", job->added);
    if (job->attempts > 0)
        strbuf_addf(out, ", %lld attempt%s", (long long)job->attempts,
                    job->attempts == 1 ? "" : "s");
    if (job->state == JOB_WAITING)
        add_time(out, ", next", job->next_try);
    if (job->state == JOB_DONE)
        add_time(out, ", sent", job->receipt.finished);
    strbuf_addc(out, '\n');
    add_line(out, "file", job->file, strlen(job->file));
    add_line(out, "to", job->url, url_text_public_length(job->url));
    if (job->error)
        add_line(out, "error", job->error, strlen(job->error));
}

int spool_list_text(const struct spool_list *list, struct strbuf *out, struct err *err)
{
    for (size_t i = 0; i < list->count; i++)
        add_job(out, &list->jobs[i]);
    for (size_t i = 0; i < list->damaged_count; i++) {
        const struct spool_damaged *damaged = &list->damaged[i];
        escape_terminal(out, damaged->path, strlen(damaged->path), false);
        strbuf_adds(out, "  damaged\n");
        add_line(out, "error", damaged->why, strlen(damaged->why));
    }
    if (list->count == 0 && list->damaged_count == 0)
        strbuf_adds(out, "The spool is empty.\n");
    return strbuf_ok(out) ? 0 : err_nomem(err);
}

static bool append_new(json_t *array, json_t *value)
{
    return value && json_array_append_new(array, value) == 0;
}

static json_t *damaged_to_json(const struct spool_damaged *damaged)
{
    json_t *object = json_object();
    if (object && field_put_text(object, "path", damaged->path) &&
        field_put_text(object, "error", damaged->why))
        return object;
    json_decref(object);
    return NULL;
}

static json_t *listed_job(const struct job *job)
{
    json_t *object = job_to_json(job);
    CLEANUP(receipt_release) struct receipt place = {0};
    if (object && receipt_set_place(&place, job->file, job->url, NULL) == 0 &&
        field_put_text(object, "url", place.url))
        return object;
    json_decref(object);
    return NULL;
}

int spool_list_json(const struct spool_list *list, struct strbuf *out, struct err *err)
{
    json_t *object = json_object(), *jobs = json_array(), *damaged = json_array();
    bool good = object && jobs && damaged &&
                field_put_text(object, "schema", "xenhealth-spool/1") &&
                json_object_set(object, "jobs", jobs) == 0 &&
                json_object_set(object, "damaged", damaged) == 0;
    for (size_t i = 0; good && i < list->count; i++)
        good = append_new(jobs, listed_job(&list->jobs[i]));
    for (size_t i = 0; good && i < list->damaged_count; i++)
        good = append_new(damaged, damaged_to_json(&list->damaged[i]));
    good = good && field_append(object, out);
    json_decref(object);
    json_decref(jobs);
    json_decref(damaged);
    return good ? 0 : err_nomem(err);
}
