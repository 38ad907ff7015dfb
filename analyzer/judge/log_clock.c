/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * False alarms are what this file is about. A step back counts when two stamps in a row are older
 * than the two before them, in one format: so neither a line that carries somebody else's time nor
 * one from the future is a step. Stamps without a year are first compared as if they were of one
 * year, where a long way back is the turn of a year, and then again with the years that the
 * report's clock gives them. Logs end early only if all of the steady ones were seen whole.
 */
#include "analyzer/judge/log_clock.h"

#include <limits.h>
#include <stdio.h>

#include "analyzer/judge/stamp_sampler.h"
#include "analyzer/report/member_name.h"
#include "analyzer/verdict/verdict.h"
#include "common/io.h"
#include "common/vec.h"

/* The last line lies in here, unless it is longer; then the last sample must do. */
#define TAIL_BYTES 4096

/* Of stamps without a year: further back is the next year. */
#define YEARLESS_STEP_MAX_S (180 * 86400)

/* Wall clocks are at most this far from UTC. */
#define ZONE_MAX_S (14 * 3600)

#define LEAP_YEAR 2000 /* has every day */

struct log_watch {
    const struct log_formats *formats;
    struct stamp_sampler sampler;
    bool is_ordered, is_steady, is_live, is_complete;
    struct stamp newest;        /* of the last line */
    struct stamp last, earlier; /* the last two samples in a row of one format */
    unsigned format;            /* theirs */
    bool has_candidate, has_step;
    struct stamp before, after; /* the candidate, or the step */
    size_t tail_length;
    char tail[TAIL_BYTES];
};

/* What is kept of a log. */
struct log_record {
    unsigned host;
    char *path;
    bool is_steady, is_live, has_step, is_unseen;
    struct stamp newest, before, after;
};

struct log_clock {
    const struct log_times *times;
    const struct log_formats *formats;
    VEC(struct log_record) records;
};

int log_clock_new(const struct log_times *times, const struct log_formats *formats,
                  struct log_clock **ret, struct err *err)
{
    struct log_clock *clock = calloc(1, sizeof *clock);
    if (!clock)
        return err_nomem(err);
    clock->times = times;
    clock->formats = formats;
    *ret = clock;
    return 0;
}

void *log_clock_free(struct log_clock *clock)
{
    if (!clock)
        return NULL;
    for (size_t i = 0; i < clock->records.count; i++)
        free(clock->records.items[i].path);
    vec_free(&clock->records);
    free(clock);
    return NULL;
}

void *log_watch_free(struct log_watch *watch)
{
    free(watch);
    return NULL;
}

static bool is_one_of(const struct path_pattern *files, size_t count, const char *logical)
{
    for (size_t i = 0; i < count; i++)
        if (path_pattern_match_log(&files[i], logical))
            return true;
    return false;
}

int log_watch_begin(const struct log_clock *clock, const char *logical, struct log_watch **ret,
                    struct err *err)
{
    *ret = NULL;
    if (!clock)
        return 0;
    const struct log_times *times = clock->times;
    bool is_ordered = is_one_of(times->ordered, times->ordered_count, logical);
    bool is_steady = is_one_of(times->steady, times->steady_count, logical);
    if (!is_ordered && !is_steady)
        return 0;
    struct log_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return err_nomem(err);
    watch->formats = clock->formats;
    watch->is_ordered = is_ordered;
    watch->is_steady = is_steady;
    watch->is_live = path_log_length(logical) == strlen(logical);
    *ret = watch;
    return 0;
}

/* --- Steps back */

static int64_t within_a_year(const struct stamp *stamp)
{
    struct stamp dated = *stamp;
    if (!dated.year)
        dated.year = LEAP_YEAR;
    return stamp_time(&dated, 0);
}

static bool is_back(const struct stamp *before, const struct stamp *after)
{
    int64_t step = within_a_year(before) - within_a_year(after);
    bool has_years = before->year && after->year;
    return step > CLOCK_STEP_S && (has_years || step < YEARLESS_STEP_MAX_S);
}

static void look_for_step(struct log_watch *watch, const struct stamp *stamp)
{
    if (watch->format != watch->sampler.hint) {
        watch->format = watch->sampler.hint;
        watch->last = watch->earlier = (struct stamp){0};
        watch->has_candidate = false;
    }
    if (watch->has_candidate) {
        watch->has_step = is_back(&watch->before, stamp);
        watch->has_candidate = false;
    } else if (watch->earlier.known && is_back(&watch->last, stamp) &&
               is_back(&watch->earlier, stamp)) {
        watch->before = watch->last;
        watch->after = *stamp;
        watch->has_candidate = true;
    }
    watch->earlier = watch->last;
    watch->last = *stamp;
}

bool log_watch_step(const struct log_watch *watch, struct stamp *ret_before,
                    struct stamp *ret_after)
{
    if (watch->has_step) {
        *ret_before = watch->before;
        *ret_after = watch->after;
    }
    return watch->has_step;
}

/* --- The end of a log */

static void keep_tail(struct log_watch *watch, const char *bytes, size_t length)
{
    if (length > TAIL_BYTES) {
        bytes += length - TAIL_BYTES;
        length = TAIL_BYTES;
    }
    size_t room = TAIL_BYTES - length;
    if (watch->tail_length > room) {
        memmove(watch->tail, watch->tail + watch->tail_length - room, room);
        watch->tail_length = room;
    }
    memcpy(watch->tail + watch->tail_length, bytes, length);
    watch->tail_length += length;
}

void log_watch_feed(struct log_watch *watch, const char *bytes, size_t length)
{
    struct stamp stamp;
    while (stamp_sampler_next(&watch->sampler, watch->formats, bytes, length, &stamp)) {
        watch->newest = stamp;
        if (watch->is_ordered && !watch->has_step)
            look_for_step(watch, &stamp);
    }
    if (watch->is_steady)
        keep_tail(watch, bytes, length);
}

void log_watch_end(struct log_watch *watch, bool complete)
{
    const char *line = watch->tail, *end = watch->tail + watch->tail_length;
    watch->is_complete = complete;
    while (line && line < end) {
        struct stamp stamp;
        if (stamp_read(watch->formats, line, (size_t)(end - line), &watch->sampler.hint, &stamp))
            watch->newest = stamp;
        line = memchr(line, '\n', (size_t)(end - line));
        line = line ? line + 1 : NULL;
    }
}

/* --- All logs of all hosts */

static int add_record(struct log_clock *clock, const struct log_record *record, const char *path,
                      struct err *err)
{
    struct log_record *slot = vec_push(&clock->records);
    if (!slot)
        return err_nomem(err);
    *slot = *record;
    slot->path = strdup(path);
    return slot->path ? 0 : err_nomem(err);
}

int log_clock_take(struct log_clock *clock, unsigned host, const char *path,
                   const struct log_watch *watch, struct err *err)
{
    const struct log_record record = {
        .host = host,
        .is_steady = watch->is_steady,
        .is_live = watch->is_live,
        .is_unseen = !watch->is_complete,
        .has_step = watch->has_step,
        .newest = watch->newest,
        .before = watch->before,
        .after = watch->after,
    };
    return add_record(clock, &record, path, err);
}

int log_clock_skip(struct log_clock *clock, unsigned host, const char *logical, struct err *err)
{
    const struct log_record record = {.host = host, .is_steady = true, .is_unseen = true};
    if (!clock || !is_one_of(clock->times->steady, clock->times->steady_count, logical))
        return 0;
    return add_record(clock, &record, logical, err);
}

/* "31 h", "2 h 15 min": as exact as samples are. */
static const char *format_duration(int64_t seconds, char buffer[32])
{
    int64_t hours = seconds / 3600, minutes = seconds / 60 % 60;
    if (hours >= 48)
        snprintf(buffer, 32, "%lld days", (long long)(hours / 24));
    else if (minutes)
        snprintf(buffer, 32, "%lld h %lld min", (long long)hours, (long long)minutes);
    else
        snprintf(buffer, 32, "%lld h", (long long)hours);
    return buffer;
}

static void tell_step(const struct log_record *record, const struct host_clock *clock,
                      struct report_set *reports, bool *told)
{
    int64_t before = stamp_time_on(&record->before, clock);
    int64_t after = stamp_time_on(&record->after, clock);
    char text[200], size[32], from[32], to[32];
    if (before == TIME_UNKNOWN || after == TIME_UNKNOWN || before - after <= CLOCK_STEP_S)
        return;
    snprintf(text, sizeof text,
             "the host's clock was set back by %s: behind lines of %s are lines of %s",
             format_duration(before - after, size), verdict_time(before, from),
             verdict_time(after, to));
    report_set_add_problem(reports, PROBLEM_CLOCK, record->host, record->path, text);
    *told = true;
}

/* Not a rotation: older lines than those that are there tell nothing about the end. */
static bool is_live_steady(const struct log_times *times, const char *path)
{
    char logical[PATH_MAX];
    size_t length;
    member_name_compression(path, &length);
    snprintf(logical, sizeof logical, "%.*s", (int)length, path);
    return path_log_length(logical) == strlen(logical) &&
           is_one_of(times->steady, times->steady_count, logical);
}

/* Whether a steady log may be missing, or cut, because of a problem. */
static bool may_hide_steady(const struct log_times *times, const struct report_problem *problem,
                            const struct report_host *host)
{
    if (problem->kind == PROBLEM_SUSPICIOUS || problem->kind == PROBLEM_MISSING_HOST)
        return false;
    if (problem->host < 0)
        return problem->source == host->source;
    return problem->host == (int)host->index &&
           (!*problem->path || is_live_steady(times, problem->path));
}

/* Whether the report has all of the steady logs that the host has. */
static bool saw_steady_logs(const struct log_clock *clock, const struct report_set *reports,
                            unsigned host)
{
    const struct log_times *times = clock->times;
    for (size_t i = 0; i < times->steady_count; i++)
        if (!report_host_saw_all(reports, host, &times->steady[i], true))
            return false;
    for (size_t i = 0; i < report_set_problem_count(reports); i++)
        if (may_hide_steady(times, report_set_problem(reports, i), report_set_host(reports, host)))
            return false;
    return true;
}

/* Newest of the steady logs; NULL when it is not known, or no log is there that is still written
 * to. */
static const struct log_record *find_newest(const struct log_clock *clock, unsigned host,
                                            const struct host_clock *time, int64_t *ret)
{
    const struct log_record *newest = NULL;
    bool is_live = false;
    for (size_t i = 0; i < clock->records.count; i++) {
        const struct log_record *record = &clock->records.items[i];
        if (record->host != host || !record->is_steady)
            continue;
        if (record->is_unseen)
            return NULL;
        int64_t at = stamp_time_on(&record->newest, time);
        if (at == TIME_UNKNOWN)
            continue;
        if (record->newest.utc && !time->utc_offset)
            at += ZONE_MAX_S;
        is_live |= record->is_live;
        if (!newest || at > *ret) {
            newest = record;
            *ret = at;
        }
    }
    return is_live ? newest : NULL;
}

static void tell_end(const struct log_clock *clock, struct report_set *reports, unsigned host,
                     const struct host_clock *time)
{
    int64_t end = 0;
    const struct log_record *newest = find_newest(clock, host, time, &end);
    char text[200], age[32], at[32];
    if (!newest || time->taken - end <= clock->times->silence_s ||
        !saw_steady_logs(clock, reports, host))
        return;
    snprintf(text, sizeof text, "the host's logs end at %s, %s before the report was taken",
             verdict_time(end, at), format_duration(time->taken - end, age));
    report_set_add_problem(reports, PROBLEM_STALE, host, newest->path, text);
}

void log_clock_tell(const struct log_clock *clock, struct report_set *reports,
                    const struct database_host *hosts, size_t host_count)
{
    for (unsigned host = 0; host < host_count; host++) {
        const struct host_clock time = {hosts[host].taken, hosts[host].utc_offset};
        bool told = false;
        for (size_t i = 0; i < clock->records.count && !told; i++)
            if (clock->records.items[i].host == host && clock->records.items[i].has_step)
                tell_step(&clock->records.items[i], &time, reports, &told);
        if (hosts[host].taken_is_known)
            tell_end(clock, reports, host, &time);
    }
}
