/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XenCenter, its service and people with xe write these keys, so nothing in them is an error: what
 * cannot be read counts as not there, and is said.
 */
#include "healthcheck/schedule/keys.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/escape.h"
#include "common/units.h"
#include "healthcheck/times/times.h"

#define DEFAULT_INTERVAL_DAYS 14 /* XenCenter's own defaults */
#define DEFAULT_RETRY_DAYS    7
#define MAX_DAYS              3650
#define UUID_LENGTH           36

struct reading {
    const struct config *config;
    struct strbuf *notes;
};

/* NULL when the key is absent or empty, which is how XenCenter and its service take a value away.
 */
static const char *value_of(const struct reading *reading, const char *key)
{
    const char *value = config_get(reading->config, key);
    return value && *value ? value : NULL;
}

static void note(const struct reading *reading, const char *key, const char *value,
                 const char *wanted)
{
    strbuf_addf(reading->notes, "The pool's key %s is '", key);
    escape_terminal(reading->notes, value, strnlen(value, 80), false);
    strbuf_addf(reading->notes, "', which is not %s; it is ignored.\n", wanted);
}

static int read_days(const struct reading *reading, const char *key, int otherwise)
{
    int64_t days;
    const char *value = value_of(reading, key);
    if (!value)
        return otherwise;
    if (units_integer(value, &days) && days >= 1 && days <= MAX_DAYS)
        return (int)days;
    note(reading, key, value, "a number of days");
    return otherwise;
}

static int64_t read_time(const struct reading *reading, const char *key)
{
    int64_t ticks;
    const char *value = value_of(reading, key);
    if (!value)
        return SCHEDULE_NEVER;
    if (times_read(value, &ticks))
        return times_seconds(ticks);
    note(reading, key, value, "a UTC time like 2026-11-24T03:00:00.0000000Z");
    return SCHEDULE_NEVER;
}

static int read_by(const struct reading *reading, const char *key,
                   bool (*read)(const char *text, int *ret), const char *wanted)
{
    int number;
    const char *value = value_of(reading, key);
    if (!value)
        return -1;
    if (read(value, &number))
        return number;
    note(reading, key, value, wanted);
    return -1;
}

bool keys_read_lock(const char *text, char owner[SCHEDULE_OWNER_BYTES], int64_t *ret_s)
{
    int64_t ticks;
    const char *bar = text ? strchr(text, '|') : NULL;
    size_t length = bar ? (size_t)(bar - text) : 0;
    if (length == 0 || length >= SCHEDULE_OWNER_BYTES || !times_read(bar + 1, &ticks))
        return false;
    for (size_t i = 0; i < length; i++) /* people will read it */
        if (!isalnum((unsigned char)text[i]) && text[i] != '-')
            return false;
    memcpy(owner, text, length);
    owner[length] = '\0';
    *ret_s = times_seconds(ticks);
    return true;
}

const char *keys_write_lock(const char *owner, int64_t s, char buffer[KEYS_LOCK_BYTES])
{
    char stamp[TIMES_LENGTH + 1];
    snprintf(buffer, KEYS_LOCK_BYTES, "%.*s|%s", UUID_LENGTH, owner,
             times_write(s * TIMES_TICKS, stamp));
    return buffer;
}

void keys_read(const struct config *config, struct schedule_pool *ret, struct strbuf *notes)
{
    struct reading reading = {config, notes};
    const char *enrolled = value_of(&reading, CONFIG_ENROLLMENT);
    const char *lock = value_of(&reading, CONFIG_LOCK);
    memset(ret, 0, sizeof *ret);
    ret->enrolled = enrolled && strcmp(enrolled, "true") == 0;
    if (enrolled && !ret->enrolled && strcmp(enrolled, "false") != 0)
        note(&reading, CONFIG_ENROLLMENT, enrolled, "true or false");
    ret->interval_days = read_days(&reading, CONFIG_INTERVAL, DEFAULT_INTERVAL_DAYS);
    ret->retry_days = read_days(&reading, CONFIG_RETRY, DEFAULT_RETRY_DAYS);
    ret->weekday = read_by(&reading, CONFIG_DAY, times_read_weekday,
                           "a day of the week (0 for Sunday to 6, or its English name)");
    ret->hour = read_by(&reading, CONFIG_HOUR, times_read_hour, "an hour from 0 to 23");
    ret->request_s = read_time(&reading, CONFIG_REQUEST);
    ret->last_success_s = read_time(&reading, CONFIG_LAST_SUCCESS);
    ret->last_failure_s = read_time(&reading, CONFIG_LAST_FAILURE);
    ret->locked = lock && keys_read_lock(lock, ret->lock_owner, &ret->lock_s);
    if (lock && !ret->locked)
        note(&reading, CONFIG_LOCK, lock, "an owner and a UTC time");
}
