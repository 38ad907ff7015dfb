/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Jobs as JSON. A job that is read back must make sense as a whole: its id is that of its digest
 * and URL, so bytes that a failing disk swapped are noticed, too.
 */
#include "upload/spool/job.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "upload/spool/job_private.h"

#define SCHEMA "xenhealth-job/1"

const char *const job_state_names[] = {
    [JOB_WAITING] = "waiting",
    [JOB_DONE] = "done",
    [JOB_FAILED] = "failed",
    [JOB_DENIED] = "denied",
};

void job_release(struct job *job)
{
    free(job->file);
    free(job->url);
    free(job->credential);
    free(job->error);
    for (size_t i = 0; i < job->option_count; i++) {
        free(job->options[i].name);
        free(job->options[i].value);
    }
    receipt_release(&job->receipt);
    *job = (struct job)JOB_INIT;
}

const char *job_option(const struct job *job, const char *name)
{
    for (size_t i = 0; i < job->option_count; i++)
        if (strcmp(job->options[i].name, name) == 0)
            return job->options[i].value;
    return NULL;
}

int job_set_text(char **field, const char *value, struct err *err)
{
    char *copy = value ? strdup(value) : NULL;
    if (value && !copy)
        return err_nomem(err);
    free(*field);
    *field = copy;
    return 0;
}

int job_set_option(struct job *job, const char *name, const char *value, struct err *err)
{
    for (size_t i = 0; i < job->option_count; i++)
        if (strcmp(job->options[i].name, name) == 0)
            return job_set_text(&job->options[i].value, value, err);
    if (job->option_count == JOB_MAX_OPTIONS)
        return err_set(err, ERR_LIMIT, "more than %d options of one job", JOB_MAX_OPTIONS);
    struct job_option option = {strdup(name), strdup(value)};
    if (!option.name || !option.value) {
        free(option.name);
        free(option.value);
        return err_nomem(err);
    }
    job->options[job->option_count++] = option;
    return 0;
}

int job_make_id(const char *sha256, const char *url, char ret[JOB_ID_DIGITS + 1], struct err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(context, sha256, strlen(sha256)) == 1 &&
                EVP_DigestUpdate(context, url, strlen(url)) == 1 &&
                EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    if (!good)
        return err_nomem(err);
    hex_write(digest, JOB_ID_DIGITS / 2, ret);
    return 0;
}

static bool is_hexadecimal(const char *text, size_t digits)
{
    return text && strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

static json_t *options_to_json(const struct job *job)
{
    json_t *options = json_object();
    for (size_t i = 0; options && i < job->option_count; i++)
        if (!field_put_text(options, job->options[i].name, job->options[i].value)) {
            json_decref(options);
            return NULL;
        }
    return options;
}

json_t *job_to_json(const struct job *job)
{
    json_t *object = json_object();
    json_t *options = options_to_json(job);
    json_t *receipt = job->state == JOB_DONE ? receipt_to_json(&job->receipt) : json_null();
    bool good =
        object && options && receipt && field_put_text(object, "schema", SCHEMA) &&
        field_put_text(object, "id", job->id) && field_put_text(object, "file", job->file) &&
        field_put_text(object, "url", job->url) && field_put_text(object, "sha256", job->sha256) &&
        field_put_number(object, "bytes", job->bytes) &&
        json_object_set(object, "options", options) == 0 &&
        field_put_text(object, "credential", job->credential) &&
        field_put_text(object, "state", job_state_names[job->state]) &&
        field_put_number(object, "attempts", job->attempts) &&
        field_put_number(object, "failures", job->failures) &&
        field_put_number(object, "unsettled", job->unsettled) &&
        field_put_time(object, "added", job->added) &&
        field_put_time(object, "tried", job->tried) &&
        field_put_time(object, "next_try", job->next_try) &&
        field_put_text(object, "error", job->error) &&
        json_object_set(object, "receipt", receipt) == 0;
    json_decref(options);
    json_decref(receipt);
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

int job_format(const struct job *job, struct strbuf *out, struct err *err)
{
    json_t *object = job_to_json(job);
    bool good = object && field_append(object, out);
    json_decref(object);
    return good ? 0 : err_nomem(err);
}

/* The functions below return the name of the field that is wrong, or NULL. */

static const char *read_options(json_t *object, struct job *job)
{
    json_t *options = json_object_get(object, "options"), *value;
    const char *name;
    if (options && !json_is_object(options))
        return "options";
    json_object_foreach(options, name, value)
    {
        if (!json_is_string(value) || job_set_option(job, name, json_string_value(value), NULL) < 0)
            return "options";
    }
    return NULL;
}

static const char *read_state(json_t *object, struct job *job)
{
    const char *state = json_string_value(json_object_get(object, "state"));
    for (size_t i = 0; state && i < ARRAY_SIZE(job_state_names); i++)
        if (strcmp(state, job_state_names[i]) == 0) {
            job->state = (enum job_state)i;
            const json_t *receipt = json_object_get(object, "receipt");
            bool good = job->state != JOB_DONE || receipt_from_json(receipt, &job->receipt) == 0;
            return good ? NULL : "receipt";
        }
    return "state";
}

static const char *read_identity(json_t *object, struct job *job)
{
    const char *schema = json_string_value(json_object_get(object, "schema"));
    const char *id = json_string_value(json_object_get(object, "id"));
    const char *sha256 = json_string_value(json_object_get(object, "sha256"));
    if (!schema || strcmp(schema, SCHEMA) != 0)
        return "schema";
    if (!field_take_text(object, "file", &job->file) || !job->file)
        return "file";
    if (!field_take_text(object, "url", &job->url) || !job->url)
        return "url";
    if (!is_hexadecimal(sha256, sizeof job->sha256 - 1))
        return "sha256";
    snprintf(job->sha256, sizeof job->sha256, "%s", sha256);
    if (!id || job_make_id(job->sha256, job->url, job->id, NULL) < 0 || strcmp(id, job->id) != 0)
        return "id";
    return NULL;
}

static const char *read_job(json_t *object, struct job *job)
{
    const char *wrong = read_identity(object, job);
    if (!wrong)
        wrong = read_options(object, job);
    if (!wrong)
        wrong = read_state(object, job);
    if (wrong)
        return wrong;
    if (!field_take_number(object, "bytes", &job->bytes))
        return "bytes";
    if (!field_take_text(object, "credential", &job->credential))
        return "credential";
    if (!field_take_number(object, "attempts", &job->attempts))
        return "attempts";
    if (!field_take_number(object, "failures", &job->failures))
        return "failures";
    if (!field_take_number(object, "unsettled", &job->unsettled))
        return "unsettled";
    if (!field_take_time(object, "added", &job->added))
        return "added";
    if (!field_take_time(object, "tried", &job->tried))
        return "tried";
    if (!field_take_time(object, "next_try", &job->next_try))
        return "next_try";
    return field_take_text(object, "error", &job->error) ? NULL : "error";
}

int job_parse(const char *name, const char *bytes, size_t length, struct job *ret, struct err *err)
{
    if (length > JOB_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "'%s' has more than %d bytes", name, JOB_MAX_BYTES);
    json_error_t error;
    json_t *object = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(object)) {
        json_decref(object);
        return err_set(err, ERR_PARSE, "'%s' is not a job: %s", name,
                       object ? "it is no JSON object" : "it is no JSON");
    }
    struct job job = JOB_INIT;
    const char *wrong = read_job(object, &job);
    json_decref(object);
    if (wrong) {
        job_release(&job);
        return err_set(err, ERR_PARSE, "'%s' is not a job: its \"%s\" is missing or wrong", name,
                       wrong);
    }
    *ret = job;
    return 0;
}
