/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Samples of time stamps (stamp_sampler.h); of lines within the same ten minutes one is enough.
 */
#include "analyzer/judge/presence.h"

#include <pthread.h>

#include "analyzer/judge/stamp_sampler.h"
#include "analyzer/verdict/verdict.h"
#include "common/io.h"
#include "common/vec.h"

#define SLOT_MINUTES 10

#define SAMPLES_MAX 60000 /* of one host: a year of slots */
#define SPANS_MAX   100 /* of one host; a log with more gaps is written rarely, and tells nothing */

struct samples {
    VEC(struct stamp) stamps;
};

struct presence {
    const struct path_pattern *files;
    size_t file_count;
    const struct log_formats *formats;
    pthread_mutex_t lock; /* guards hosts */
    VEC(struct samples) hosts;
};

struct presence_probe {
    struct presence *presence;
    unsigned host;
    struct stamp_sampler sampler;
    struct samples samples;
};

int presence_new(const struct path_pattern *files, size_t file_count,
                 const struct log_formats *formats, struct presence **ret, struct err *err)
{
    struct presence *presence = calloc(1, sizeof *presence);
    if (!presence)
        return err_nomem(err);
    presence->files = files;
    presence->file_count = file_count;
    presence->formats = formats;
    pthread_mutex_init(&presence->lock, NULL);
    *ret = presence;
    return 0;
}

void *presence_free(struct presence *presence)
{
    if (!presence)
        return NULL;
    for (size_t i = 0; i < presence->hosts.count; i++)
        vec_free(&presence->hosts.items[i].stamps);
    vec_free(&presence->hosts);
    pthread_mutex_destroy(&presence->lock);
    free(presence);
    return NULL;
}

void *presence_probe_free(struct presence_probe *probe)
{
    if (probe)
        vec_free(&probe->samples.stamps);
    free(probe);
    return NULL;
}

int presence_begin(struct presence *presence, const char *logical, unsigned host,
                   struct presence_probe **ret, struct err *err)
{
    bool tells = false;
    for (size_t i = 0; presence && i < presence->file_count && !tells; i++)
        tells = path_pattern_match_log(&presence->files[i], logical);
    *ret = NULL;
    if (!tells)
        return 0;
    struct presence_probe *probe = calloc(1, sizeof *probe);
    if (!probe)
        return err_nomem(err);
    probe->presence = presence;
    probe->host = host;
    *ret = probe;
    return 0;
}

static bool same_slot(const struct stamp *a, const struct stamp *b)
{
    return a->minute / SLOT_MINUTES == b->minute / SLOT_MINUTES && a->hour == b->hour &&
           a->day == b->day && a->month == b->month && a->year == b->year;
}

static int add_sample(struct samples *samples, const struct stamp *stamp, struct err *err)
{
    size_t count = samples->stamps.count;
    if (count == SAMPLES_MAX || (count && same_slot(&samples->stamps.items[count - 1], stamp)))
        return 0;
    struct stamp *slot = vec_push(&samples->stamps);
    if (!slot)
        return err_nomem(err);
    *slot = *stamp;
    return 0;
}

int presence_feed(struct presence_probe *probe, const char *bytes, size_t length, struct err *err)
{
    struct stamp stamp;
    int r = 0;
    while (r == 0 &&
           stamp_sampler_next(&probe->sampler, probe->presence->formats, bytes, length, &stamp))
        r = add_sample(&probe->samples, &stamp, err);
    return r;
}

int presence_end(struct presence_probe *probe, struct err *err)
{
    if (!probe)
        return 0;
    struct presence *presence = probe->presence;
    int r = 0;
    pthread_mutex_lock(&presence->lock);
    while (r == 0 && presence->hosts.count <= probe->host) {
        struct samples *added = vec_push(&presence->hosts);
        if (!added)
            r = err_nomem(err);
    }
    for (size_t i = 0; r == 0 && i < probe->samples.stamps.count; i++)
        r = add_sample(&presence->hosts.items[probe->host], &probe->samples.stamps.items[i], err);
    pthread_mutex_unlock(&presence->lock);
    presence_probe_free(probe);
    return r;
}

static int compare_times(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

/* The host's spans into `spans` (SPANS_MAX of them). Returns their number, the last ones. */
static size_t join(const int64_t *times, size_t count, unsigned host, int64_t gap_s,
                   struct log_span *spans)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (found && times[i] - spans[found - 1].to <= gap_s) {
            spans[found - 1].to = times[i];
            continue;
        }
        if (found == SPANS_MAX)
            memmove(spans, spans + 1, --found * sizeof *spans);
        spans[found++] = (struct log_span){host, times[i], times[i]};
    }
    return found;
}

int presence_spans(struct presence *presence, const struct host_clock *clocks, size_t host_count,
                   int64_t gap_s, struct arena *arena, struct log_span **ret, size_t *ret_count,
                   struct err *err)
{
    size_t hosts = presence->hosts.count < host_count ? presence->hosts.count : host_count;
    struct log_span *spans = arena_array(arena, hosts * SPANS_MAX + 1, sizeof *spans);
    CLEANUP_FREE int64_t *times = calloc(SAMPLES_MAX, sizeof *times);
    if (!spans || !times)
        return err_nomem(err);
    size_t total = 0;
    for (unsigned host = 0; host < hosts; host++) {
        const struct samples *samples = &presence->hosts.items[host];
        size_t count = 0;
        for (size_t i = 0; i < samples->stamps.count; i++) {
            int64_t time = stamp_time_on(&samples->stamps.items[i], &clocks[host]);
            if (time != TIME_UNKNOWN)
                times[count++] = time;
        }
        qsort(times, count, sizeof *times, compare_times);
        total += join(times, count, host, gap_s, spans + total);
    }
    *ret = spans;
    *ret_count = total;
    return 0;
}
