/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One upload that the spool remembers, and its file DIR/jobs/ID.json: schema xenhealth-job/1.
 *
 * The same bytes to the same URL are one job, whoever adds them and however often: the id is made
 * of both. A file comes from a disk that power cuts happen to, so reading one trusts nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/strbuf.h"
#include "upload/spool/receipt.h"

#define JOB_ID_DIGITS   32
#define JOB_MAX_BYTES   (64 << 10) /* a job's file; a URL has at most URL_TEXT_MAX */
#define JOB_MAX_OPTIONS 32

enum job_state {
    JOB_WAITING, /* to be sent, at next_try or as soon as possible */
    JOB_DONE,    /* sent; kept as its receipt */
    JOB_FAILED,  /* cannot be sent, ever: `error` says why */
    JOB_DENIED   /* not with these credentials: stands still until somebody says so */
};

extern const char *const job_state_names[]; /* in the order of enum job_state */

/* Names and values as in the settings file; what they mean is the command line's business. */
struct job_option {
    char *name, *value;
};

struct job {
    char id[JOB_ID_DIGITS + 1];
    char *file; /* where it was when it was added, absolute: for people, and for its name */
    char *url;
    char sha256[64 + 1];
    int64_t bytes;
    struct job_option options[JOB_MAX_OPTIONS];
    size_t option_count;
    char *credential; /* name of a credential, or NULL */
    enum job_state state;
    int64_t attempts;  /* all so far */
    int64_t failures;  /* in a row without progress: the back-off counts these */
    int64_t unsettled; /* runs in a row that ended (kill, crash) while this job was sent */
    /* Seconds since 1970 by the clock on the wall; 0: never. */
    int64_t added, tried, next_try;
    char *error;            /* of the last attempt, or NULL */
    uid_t owner;            /* of the job's file: whoever wrote what stands in it */
    struct receipt receipt; /* of JOB_DONE */
};

/* A job with nothing in it: all zero. */
#define JOB_INIT                                                                                   \
    {                                                                                              \
        .state = JOB_WAITING                                                                       \
    }

void job_release(struct job *job); /* leaves it empty */

/* The option of this name, or NULL. Borrowed. */
const char *job_option(const struct job *job, const char *name);

/* Adds, or replaces. ERR_LIMIT: too many; ERR_NOMEM. */
int job_set_option(struct job *job, const char *name, const char *value, struct err *err);

/* Replaces a text of the job (file, url, credential, error); NULL empties it. ERR_NOMEM. */
int job_set_text(char **field, const char *value, struct err *err);

/* First 32 hexadecimal digits of SHA-256 over `sha256` (of the file, in hexadecimal) and the URL.
 */
int job_make_id(const char *sha256, const char *url, char ret[JOB_ID_DIGITS + 1], struct err *err);

/* `name` is what errors call the file. ERR_PARSE, ERR_LIMIT, ERR_NOMEM. */
int job_parse(const char *name, const char *bytes, size_t length, struct job *ret, struct err *err);

/* Appends the file's content, JSON with a newline. ERR_NOMEM. */
int job_format(const struct job *job, struct strbuf *out, struct err *err);
