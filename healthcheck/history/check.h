/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One health check: when, why, what came of it, and what became of its report. The history is a
 * list of these; the one under way is in pending.json.
 */
#pragma once

#include <jansson.h>

#include "common/err.h"
#include "healthcheck/schedule/schedule.h"

#define CHECK_MAX_FINDINGS 500 /* of one check that are kept; more is no news, but a disaster */

enum check_action {
    CHECK_SCHEDULED,
    CHECK_RETRY,
    CHECK_ON_DEMAND,
    CHECK_LOCAL,
    CHECK_NOW /* by `xen-healthcheck now` */
};

/* How far a check is; a run that was killed leaves the step in which it was. */
enum check_step {
    CHECK_LOCKING, /* asking for the pool's lock; nothing has been done yet */
    CHECK_COLLECTING,
    CHECK_ANALYSING,
    CHECK_QUEUEING, /* being handed to the uploader */
    CHECK_SENDING,  /* the uploader has it */
    CHECK_SETTLED
};

enum check_result {
    CHECK_OK,          /* collected and analysed */
    CHECK_FAILED,      /* `error` says why */
    CHECK_INTERRUPTED, /* stopped, killed, or the host went down */
};

enum check_upload {
    CHECK_STAYS, /* nothing to be sent */
    CHECK_QUEUED,
    CHECK_SENT,
    CHECK_UNSENT, /* given up: `upload_error` says why */
};

enum check_severity { CHECK_INFO, CHECK_WARNING, CHECK_ERROR, CHECK_CRITICAL, CHECK_SEVERITIES };

/* Enough of a finding to tell what is new and what is gone. */
struct check_finding {
    char *rule, *title, *hosts; /* hosts: "host1, host2" */
    enum check_severity severity;
};

struct check {
    int64_t started_s, finished_s;
    enum check_action action;
    enum check_step step;
    enum check_result result;
    char *why, *error; /* error: "" when there is none */
    bool pool;         /* the whole pool's; else this host's */
    bool shared;       /* on behalf of the pool's keys: they learn of the result */
    char *request;     /* NewUploadRequest as it was, when that is why */

    char *report; /* file name in reports/; "" when there is none */
    int64_t bytes;
    char *sha256;

    bool analysed;
    int score;                      /* -1: nothing could be judged */
    int counts[CHECK_SEVERITIES];   /* of findings that nobody suppressed */
    int issues;                     /* rules among them: XenCenter counts so */
    int rules, unknown;             /* rules asked, and those without data */
    int hosts;                      /* reports in the bundle */
    struct check_finding *findings; /* unsuppressed, worst first */
    size_t finding_count;
    char **unknown_rules;
    size_t unknown_count;

    enum check_upload upload;
    char *url;       /* without its query: that may be a permission */
    char *job;       /* the uploader's name for it */
    char *upload_id; /* the server's */
    char *upload_error;
    int64_t uploaded_s; /* or SCHEDULE_NEVER */
};

/* All texts are "", nothing is known. False: memory is out. */
bool check_init(struct check *check);
void check_release(struct check *check);

/* Replaces one of the texts; what is no UTF-8 in it becomes U+FFFD. ERR_NOMEM. */
int check_set(char **field, const char *value, struct err *err);

/* Adds one, unless there are too many. The texts are copied. */
int check_add_finding(struct check *check, const char *rule, const char *title, const char *hosts,
                      enum check_severity severity, struct err *err);
int check_add_unknown(struct check *check, const char *rule, struct err *err);

/* Forgets findings and unknown rules, but not their numbers. */
void check_forget_findings(struct check *check);

bool check_has_finding(const struct check *check, const struct check_finding *finding);
bool check_is_unknown(const struct check *check, const char *rule);

/* "scheduled", "now" ...; "ok" ...; "sent" ...; "error" ... */
extern const char *const check_action_names[];
extern const char *const check_step_names[];
extern const char *const check_result_names[];
extern const char *const check_upload_names[];
extern const char *const check_severity_names[];

/* A new reference; NULL when memory is out. */
json_t *check_to_json(const struct check *check);

/* ERR_PARSE: not written by us. *ret is to be released in any case. */
int check_from_json(const json_t *object, struct check *ret, struct err *err);

/* ERR_NOMEM. *ret is to be released in any case. */
int check_copy(const struct check *check, struct check *ret, struct err *err);
