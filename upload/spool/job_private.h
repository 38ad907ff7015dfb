/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * JSON of jobs and receipts, for the files of this folder. Nothing outside includes this.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "upload/spool/job.h"

#define FIELD_MAX_NUMBER (1LL << 52) /* what any reader of JSON takes, and room to count on */

/*
 * Texts are made valid UTF-8; a NULL text and time 0 are written as null. False: memory is out.
 * Times are "2026-11-22T10:00:00Z".
 */
bool field_put_text(json_t *object, const char *key, const char *value);
bool field_put_number(json_t *object, const char *key, int64_t value);
bool field_put_time(json_t *object, const char *key, int64_t seconds);
bool field_append(const json_t *value, struct strbuf *out);

/*
 * What is absent or null gives NULL or 0; what is of another kind, negative or out of range is
 * refused (false). A text is new memory.
 */
bool field_take_text(const json_t *object, const char *key, char **ret);
bool field_take_number(const json_t *object, const char *key, int64_t *ret);
bool field_take_time(const json_t *object, const char *key, int64_t *ret);

/* New references, NULL when memory is out. */
json_t *receipt_to_json(const struct receipt *receipt);
json_t *job_to_json(const struct job *job);

int receipt_from_json(const json_t *object, struct receipt *ret);
