/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * pool.health_check_config: a map of texts that XenCenter, its service and we share.
 *
 * XAPI can only replace it whole, and has no "only if nobody else changed it". So a change is made
 * to what is there at that moment, not to what was read a while ago, and keys that are not ours
 * stay as they are. (Source: XenCenter, HealthCheckSettings.)
 */
#pragma once

#include "healthcheck/xapi/xapi.h"

struct config;

/* More than that is no configuration of anybody's. */
#define CONFIG_MAX_KEYS  256
#define CONFIG_MAX_KEY   256  /* bytes */
#define CONFIG_MAX_VALUE 8192 /* bytes */

#define CONFIG_ENROLLMENT        "Enrollment" /* only "true" means yes */
#define CONFIG_INTERVAL          "Schedule.IntervalInDays"
#define CONFIG_DAY               "Schedule.DayOfWeek"
#define CONFIG_HOUR              "Schedule.TimeOfDay"
#define CONFIG_RETRY             "Schedule.RetryInterval"
#define CONFIG_UPLOAD_TOKEN      "UploadToken.Secret" /* uuids of secrets */
#define CONFIG_DIAGNOSTIC_TOKEN  "DiagnosticToken.Secret"
#define CONFIG_USER              "User.Secret"
#define CONFIG_PASSWORD          "Password.Secret"
#define CONFIG_REQUEST           "NewUploadRequest" /* a time, or "" */
#define CONFIG_LOCK              "UploadLock"       /* "uuid|time", or "" */
#define CONFIG_LAST_SUCCESS      "LastSuccessfulUpload"
#define CONFIG_LAST_FAILURE      "LastFailedUpload"
#define CONFIG_UPLOAD_UUID       "UploadUuid"
#define CONFIG_ANALYSIS_SEVERITY "ReportAnalysis.Severity" /* Info, Warning, Error */
#define CONFIG_ANALYSIS_ISSUES   "ReportAnalysis.IssuesDetected"
#define CONFIG_ANALYSIS_UPLOAD   "ReportAnalysis.UploadUuid"
#define CONFIG_ANALYSIS_TIME     "ReportAnalysis.UploadTime"

struct config *config_new(void); /* empty; NULL without memory */
void *config_free(struct config *config);

DEFINE_CLEANUP(config_cleanup, struct config *, config_free)

/* NULL: there is no such key. Borrowed until that key changes. */
const char *config_get(const struct config *config, const char *key);

/* `value` NULL removes the key. ERR_LIMIT, ERR_PARSE (no UTF-8). */
int config_set(struct config *config, const char *key, const char *value, struct err *err);

size_t config_count(const struct config *config);

/* Whether any key has this value (letters of either case). */
bool config_has_value(const struct config *config, const char *value);

/* The map as it is now. ERR_PARSE when it is none, ERR_LIMIT when it is beyond the limits above. */
int config_read(struct xapi *xapi, struct config **ret, struct err *err);

struct config_change {
    const char *key;
    const char *value; /* NULL removes the key */
};

/*
 * Reads the map, makes the changes, writes it whole; nothing is written when nothing changes.
 * *ret (may be NULL) is the map as it was written. Somebody else who writes in the same moment may
 * undo it: what must be there is looked at again (XenCenter's lock is confirmed so).
 */
int config_change(struct xapi *xapi, const struct config_change *changes, size_t count,
                  struct config **ret, struct err *err);

/*
 * For tests and fuzzing: the map in a JSON object, checked. */
int config_from_json(const json_t *object, struct config **ret, struct err *err);
json_t *config_to_json(const struct config *config); /* a new reference; NULL without memory */
