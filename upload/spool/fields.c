/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Typed fields of JSON objects, read with suspicion: what a disk gives back after a power cut is
 * somebody else's text. Names of files need not be UTF-8, JSON must be.
 */
#include <stdlib.h>

#include "common/escape.h"
#include "upload/spool/job_private.h"

#define TIME_FORMAT "%Y-%m-%dT%H:%M:%SZ"

static bool put(json_t *object, const char *key, json_t *value)
{
    return value && json_object_set_new(object, key, value) == 0;
}

bool field_put_text(json_t *object, const char *key, const char *value)
{
    if (!value)
        return put(object, key, json_null());
    struct strbuf clean = STRBUF_INIT;
    escape_utf8(&clean, value, strlen(value));
    bool good = strbuf_ok(&clean) && put(object, key, json_stringn(clean.data, clean.length));
    strbuf_release(&clean);
    return good;
}

bool field_put_number(json_t *object, const char *key, int64_t value)
{
    return put(object, key, json_integer(value));
}

bool field_put_time(json_t *object, const char *key, int64_t seconds)
{
    time_t clock = seconds;
    struct tm parts;
    char text[40];
    if (seconds <= 0 || !gmtime_r(&clock, &parts))
        return put(object, key, json_null());
    return strftime(text, sizeof text, TIME_FORMAT, &parts) > 0 &&
           put(object, key, json_string(text));
}

bool field_append(const json_t *value, struct strbuf *out)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    if (!text)
        return false;
    strbuf_adds(out, text);
    strbuf_addc(out, '\n');
    free(text);
    return strbuf_ok(out);
}

bool field_take_text(const json_t *object, const char *key, char **ret)
{
    const json_t *value = json_object_get(object, key);
    if (!value || json_is_null(value)) {
        *ret = NULL;
        return true;
    }
    /* Jansson refuses "\u0000", so a text ends where C thinks it does. */
    if (!json_is_string(value))
        return false;
    char *copy = strdup(json_string_value(value));
    if (copy)
        *ret = copy;
    return copy;
}

bool field_take_number(const json_t *object, const char *key, int64_t *ret)
{
    const json_t *value = json_object_get(object, key);
    json_int_t number = json_integer_value(value);
    if (value && !json_is_null(value) &&
        (!json_is_integer(value) || number < 0 || number > FIELD_MAX_NUMBER))
        return false;
    *ret = number;
    return true;
}

bool field_take_time(const json_t *object, const char *key, int64_t *ret)
{
    const json_t *value = json_object_get(object, key);
    if (!value || json_is_null(value)) {
        *ret = 0;
        return true;
    }
    struct tm parts = {0};
    const char *end =
        json_is_string(value) ? strptime(json_string_value(value), TIME_FORMAT, &parts) : NULL;
    if (!end || *end)
        return false;
    time_t seconds = timegm(&parts);
    if (seconds < 0)
        return false;
    *ret = seconds;
    return true;
}
