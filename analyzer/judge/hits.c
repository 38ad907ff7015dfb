/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The store. A hit is one block of memory (structure, texts, groups), so that forgetting one is one
 * free().
 */
#include "analyzer/judge/hits.h"

#include <ctype.h>

#include "analyzer/verdict/excerpt.h"
#include "analyzer/verdict/verdict.h"
#include "common/io.h"
#include "common/strbuf.h"

/* Minutes with events that a histogram holds: two months without a pause. */
#define MINUTES_MAX (60 * 24 * 62)

/* Kernel lines remembered to count them once; beyond it duplicates may count twice. */
#define SEEN_MAX (1 << 20)

struct minute {
    struct stamp stamp; /* second is 0 */
    int64_t time;       /* after dating */
    int64_t events;
};

struct host_hits {
    VEC(struct hit *) kept; /* the first HITS_KEPT, then a ring of the last HITS_KEPT */
    size_t ring_next;
    int64_t events;
    bool complete;
    VEC(struct minute) minutes;
};

struct pattern_hits {
    VEC(struct host_hits) hosts;
};

struct hits {
    struct pattern_hits *patterns;
    size_t pattern_count;
    size_t memory;
    bool want_context;
    uint64_t *seen; /* open addressing; 0 is free */
    size_t seen_count, seen_size;
};

int hits_new(size_t pattern_count, struct hits **ret, struct err *err)
{
    struct hits *hits = calloc(1, sizeof *hits);
    if (hits)
        hits->patterns = calloc(pattern_count + 1, sizeof *hits->patterns);
    if (!hits || !hits->patterns) {
        hits_free(hits);
        return err_nomem(err);
    }
    hits->pattern_count = pattern_count;
    *ret = hits;
    return 0;
}

void *hits_free(struct hits *hits)
{
    if (!hits)
        return NULL;
    for (size_t p = 0; hits->patterns && p < hits->pattern_count; p++) {
        for (size_t h = 0; h < hits->patterns[p].hosts.count; h++) {
            struct host_hits *host = &hits->patterns[p].hosts.items[h];
            for (size_t i = 0; i < host->kept.count; i++)
                free(host->kept.items[i]);
            vec_free(&host->kept);
            vec_free(&host->minutes);
        }
        vec_free(&hits->patterns[p].hosts);
    }
    free(hits->patterns);
    free(hits->seen);
    free(hits);
    return NULL;
}

void hits_want_context(struct hits *hits)
{
    hits->want_context = true;
}

/* The kernel's "[12345.678901]" near the start of a line; NULL when there is none. */
static const char *kernel_stamp(const char *line, size_t length, double *ret_uptime)
{
    const char *end = line + (length < 160 ? length : 160);
    for (const char *p = line; (p = memchr(p, '[', (size_t)(end - p))); p++) {
        const char *q = p + 1;
        double seconds = 0, scale = 0.1;
        while (q < end && *q == ' ')
            q++;
        const char *digits = q;
        while (q < end && isdigit((unsigned char)*q))
            seconds = seconds * 10 + (*q++ - '0');
        if (q == digits || q == end || *q != '.')
            continue;
        for (digits = ++q; q < end && isdigit((unsigned char)*q); scale /= 10)
            seconds += (*q++ - '0') * scale;
        if (q - digits == 6 && q < end && *q == ']') {
            *ret_uptime = seconds;
            return p;
        }
    }
    return NULL;
}

/* FNV-1a */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ p[i]) * 1099511628211u;
    return hash;
}

static bool grow_seen(struct hits *hits)
{
    size_t size = hits->seen_size ? hits->seen_size * 2 : 1024;
    uint64_t *table = calloc(size, sizeof *table);
    if (!table)
        return false;
    for (size_t i = 0; i < hits->seen_size; i++)
        if (hits->seen[i]) {
            size_t at = hits->seen[i] & (size - 1);
            while (table[at])
                at = (at + 1) & (size - 1);
            table[at] = hits->seen[i];
        }
    free(hits->seen);
    hits->seen = table;
    hits->seen_size = size;
    return true;
}

/* What makes a kernel line the same line in several logs. Never 0. */
static uint64_t hash_kernel_line(unsigned host, const struct line_hit *line, const char *from)
{
    uint64_t hash = 14695981039346656037u;
    hash = hash_bytes(hash, &line->pattern, sizeof line->pattern);
    hash = hash_bytes(hash, &host, sizeof host);
    hash = hash_bytes(hash, &line->count, sizeof line->count);
    return hash_bytes(hash, from, (size_t)(line->text + line->length - from)) | 1;
}

/* True when this kernel line was counted already. */
static bool is_repeated(struct hits *hits, uint64_t hash)
{
    if (hits->seen_count * 2 >= hits->seen_size &&
        (hits->seen_count >= SEEN_MAX || !grow_seen(hits)))
        return false;
    size_t at = hash & (hits->seen_size - 1);
    for (; hits->seen[at]; at = (at + 1) & (hits->seen_size - 1))
        if (hits->seen[at] == hash)
            return true;
    hits->seen[at] = hash;
    hits->seen_count++;
    return false;
}

/*
 * Copies `length` bytes to *place, which moves on. A crash leaves NULs in logs, right where it gets
 * interesting: they become blanks, for texts end at a NUL everywhere else.
 */
static void store_bytes(char **place, const char *bytes, size_t length)
{
    char *text = *place, *end = mempcpy(text, bytes, length);
    while ((text = memchr(text, '\0', (size_t)(end - text))))
        *text = ' ';
    *place = end;
}

/* The same, and a NUL at the end. */
static char *store_text(char **place, const char *bytes, size_t length)
{
    char *text = *place;
    store_bytes(place, bytes, length);
    *(*place)++ = '\0';
    return text;
}

/* Lines of bytes..end, cut, joined by newlines. */
static void add_lines(struct strbuf *out, const char *bytes, const char *end, int maximum)
{
    for (int i = 0; i < maximum && bytes < end; i++) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t length = (size_t)((newline ? newline : end) - bytes);
        if (i > 0)
            strbuf_addc(out, '\n');
        strbuf_add(out, bytes, length < CONTEXT_LINE_MAX ? length : CONTEXT_LINE_MAX);
        bytes += length + 1;
    }
}

static void gather_context(const struct line_hit *line, struct strbuf *before, struct strbuf *after)
{
    if (!line->around)
        return;
    const char *start = line->text;
    for (int i = 0; i < CONTEXT_LINES && start > line->around; i++) {
        const char *newline = memrchr(line->around, '\n', (size_t)(start - 1 - line->around));
        start = newline ? newline + 1 : line->around;
    }
    if (start < line->text)
        add_lines(before, start, line->text - 1, CONTEXT_LINES);
    const char *end = line->text + line->length;
    end = memchr(end, '\n', (size_t)(line->around_end - end));
    if (end)
        add_lines(after, end + 1, line->around_end, CONTEXT_LINES);
}

/* Of a long line the part around the match is kept; where the match stands in that goes to the hit. */
static void store_line(struct hit *hit, char **place, const struct line_hit *line,
                       const struct excerpt *part, size_t start, size_t length)
{
    size_t mark = strlen(EXCERPT_MARK);
    hit->text = *place;
    if (part->from > 0)
        *place = mempcpy(*place, EXCERPT_MARK, mark);
    store_bytes(place, line->text + part->from, part->to - part->from);
    if (part->to < line->length)
        *place = mempcpy(*place, EXCERPT_MARK, mark);
    *(*place)++ = '\0';
    if (start < part->from || start >= part->to)
        return;
    hit->match = start - part->from + (part->from > 0 ? mark : 0);
    hit->match_length = start + length < part->to ? length : part->to - start;
}

struct hit *hit_new(const struct regex *match, unsigned host, const char *path,
                    const struct line_hit *line, const struct stamp *stamp, bool with_context)
{
    CLEANUP(strbuf_release) struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;
    if (with_context)
        gather_context(line, &before, &after);
    if (!strbuf_ok(&before) || !strbuf_ok(&after))
        return NULL;
    const char *matched = line->text;
    size_t matched_length = 0;
    regex_group(match, line->groups, 0, &matched, &matched_length);
    size_t start = (size_t)(matched - line->text);
    struct excerpt part = excerpt_of(line->text, line->length, start, matched_length, HIT_TEXT_MAX);
    size_t names = regex_name_count(match);
    size_t size = sizeof(struct hit) + (names + 1) * sizeof(char *) + strlen(path) + 1;
    size += part.to - part.from + 2 * strlen(EXCERPT_MARK) + 1;
    size += before.length + 1 + after.length + 1;
    for (size_t i = 0; i < names; i++) {
        const char *group;
        size_t length;
        if (regex_named(match, line->groups, i, &group, &length))
            size += length + 1;
    }
    struct hit *hit = malloc(size);
    if (!hit)
        return NULL;
    *hit = (struct hit){.host = host,
                        .line = line->line,
                        .offset = line->offset,
                        .count = line->count,
                        .stamp = *stamp,
                        .uptime = -1,
                        .time = TIME_UNKNOWN,
                        .size = size};
    const char *kernel = kernel_stamp(line->text, line->length, &hit->uptime);
    /* What the kernel says first is the same at every start; only the log's own stamp tells apart. */
    if (kernel)
        hit->kernel_line = hash_kernel_line(host, line, hit->uptime > 0 ? kernel : line->text);
    hit->groups = (const char **)(hit + 1);
    char *place = (char *)(hit->groups + names + 1);
    hit->path = store_text(&place, path, strlen(path));
    store_line(hit, &place, line, &part, start, matched_length);
    hit->before = store_text(&place, before.data, before.length);
    hit->after = store_text(&place, after.data, after.length);
    for (size_t i = 0; i < names; i++) {
        const char *group;
        size_t length;
        hit->groups[i] = regex_named(match, line->groups, i, &group, &length)
                             ? store_text(&place, group, length)
                             : NULL;
    }
    return hit;
}

static bool same_minute(const struct stamp *a, const struct stamp *b)
{
    return a->minute == b->minute && a->hour == b->hour && a->day == b->day &&
           a->month == b->month && a->year == b->year;
}

static int count_minute(struct host_hits *host, const struct stamp *stamp, int64_t events,
                        struct err *err)
{
    struct stamp minute = *stamp;
    minute.second = 0;
    struct minute *last =
        host->minutes.count ? &host->minutes.items[host->minutes.count - 1] : NULL;
    if (!last || !same_minute(&last->stamp, &minute)) {
        if (host->minutes.count == MINUTES_MAX)
            return 0;
        last = vec_push(&host->minutes);
        if (!last)
            return err_nomem(err);
        last->stamp = minute;
    }
    last->events += events;
    return 0;
}

static struct host_hits *host_hits(struct hits *hits, unsigned pattern, unsigned host)
{
    struct pattern_hits *list = &hits->patterns[pattern];
    while (list->hosts.count <= host) {
        struct host_hits *added = vec_push(&list->hosts);
        if (!added)
            return NULL;
        added->complete = true;
    }
    return &list->hosts.items[host];
}

/* Puts the hit behind the others; when all places are taken it replaces the oldest of the last
 * ones. */
static int keep(struct hits *hits, struct host_hits *host, struct hit *hit, struct err *err)
{
    if (host->kept.count == 2 * HITS_KEPT) {
        struct hit **oldest = &host->kept.items[HITS_KEPT + host->ring_next];
        host->ring_next = (host->ring_next + 1) % HITS_KEPT;
        host->complete = false;
        hits->memory += hit->size - (*oldest)->size;
        free(*oldest);
        *oldest = hit;
        return 0;
    }
    struct hit **slot = vec_push(&host->kept);
    if (!slot) {
        free(hit);
        return err_nomem(err);
    }
    *slot = hit;
    hits->memory += hit->size;
    return 0;
}

int hits_put(struct hits *hits, unsigned pattern, struct hit *hit, struct err *err)
{
    CLEANUP_FREE struct hit *owned = hit;
    if (hit->kernel_line && is_repeated(hits, hit->kernel_line))
        return 0;
    struct host_hits *list = host_hits(hits, pattern, hit->host);
    if (!list)
        return err_nomem(err);
    list->events += hit->count;
    int r = hit->stamp.known ? count_minute(list, &hit->stamp, hit->count, err) : 0;
    if (r < 0)
        return r;
    if (hits->memory > HITS_MEMORY_MAX && list->kept.count > 0) {
        list->complete = false;
        return 0;
    }
    return keep(hits, list, TAKE(owned), err);
}

int hits_add(struct hits *hits, const struct regex *match, unsigned host, const char *path,
             const struct line_hit *line, const struct stamp *stamp, struct err *err)
{
    struct hit *hit = hit_new(match, host, path, line, stamp, hits->want_context);
    return hit ? hits_put(hits, line->pattern, hit, err) : err_nomem(err);
}

/* By time; hits without one by their place, in front. */
static int by_time(const void *a, const void *b)
{
    const struct hit *left = *(const struct hit *const *)a, *right = *(const struct hit *const *)b;
    if (left->time != right->time)
        return left->time < right->time ? -1 : 1;
    int order = strcmp(left->path, right->path);
    if (order)
        return order;
    return left->line < right->line ? -1 : left->line > right->line;
}

static int by_minute(const void *a, const void *b)
{
    const struct minute *left = a, *right = b;
    return left->time < right->time ? -1 : left->time > right->time;
}

void hits_date(struct hits *hits, const struct host_clock *clocks, size_t host_count)
{
    for (size_t p = 0; p < hits->pattern_count; p++)
        for (size_t h = 0; h < hits->patterns[p].hosts.count && h < host_count; h++) {
            struct host_hits *list = &hits->patterns[p].hosts.items[h];
            for (size_t i = 0; i < list->kept.count; i++)
                list->kept.items[i]->time =
                    stamp_time_on(&list->kept.items[i]->stamp, &clocks[h]);
            for (size_t i = 0; i < list->minutes.count; i++)
                list->minutes.items[i].time =
                    stamp_time_on(&list->minutes.items[i].stamp, &clocks[h]);
            /* An empty vector has no array, and qsort() must not be given NULL. */
            if (list->kept.count)
                qsort(list->kept.items, list->kept.count, sizeof *list->kept.items, by_time);
            if (list->minutes.count)
                qsort(list->minutes.items, list->minutes.count, sizeof *list->minutes.items,
                      by_minute);
        }
}

struct hit_list hits_list(const struct hits *hits, unsigned pattern, unsigned host)
{
    const struct pattern_hits *list = &hits->patterns[pattern];
    if (host >= list->hosts.count)
        return (struct hit_list){.complete = true};
    const struct host_hits *found = &list->hosts.items[host];
    return (struct hit_list){found->kept.items, found->kept.count, found->events, found->complete};
}

const struct hit *hits_find(const struct hits *hits, unsigned pattern, unsigned host,
                            const char *path, int64_t line)
{
    struct hit_list list = hits_list(hits, pattern, host);
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i]->line == line && strcmp(list.items[i]->path, path) == 0)
            return list.items[i];
    return NULL;
}

/* An event on a time axis: wall clock, or the kernel's uptime for lines that have only that. */
struct moment {
    double time;
    int64_t events;
};

static int by_moment(const void *a, const void *b)
{
    const struct moment *left = a, *right = b;
    return left->time < right->time ? -1 : left->time > right->time;
}

static int64_t densest(struct moment *moments, size_t count, double seconds)
{
    int64_t most = 0, sum = 0;
    qsort(moments, count, sizeof *moments, by_moment);
    for (size_t start = 0, i = 0; i < count; i++) {
        sum += moments[i].events;
        while (moments[i].time - moments[start].time > seconds)
            sum -= moments[start++].events;
        if (sum > most)
            most = sum;
    }
    return most;
}

static double moment_of(const struct hit *hit)
{
    return hit->time != TIME_UNKNOWN ? (double)hit->time : hit->uptime >= 0 ? hit->uptime : 0;
}

size_t hits_bursts(struct hit **items, size_t count, int64_t seconds, int64_t at_least)
{
    size_t kept = 0, start = 0,
           inside = 0; /* items before `inside` are in a window that is full enough */
    int64_t sum = 0;
    CLEANUP_FREE bool *in = calloc(count + 1, sizeof *in);
    if (!in)
        return count;
    for (size_t i = 0; i < count; i++) {
        sum += items[i]->count;
        while (seconds && moment_of(items[i]) - moment_of(items[start]) > (double)seconds)
            sum -= items[start++]->count;
        if (sum >= at_least)
            for (inside = inside > start ? inside : start; inside <= i; inside++)
                in[inside] = true;
    }
    for (size_t i = 0; i < count; i++)
        if (in[i])
            items[kept++] = items[i];
    return kept;
}

int64_t hits_densest(const struct hits *hits, unsigned pattern, unsigned host, int64_t seconds)
{
    struct hit_list list = hits_list(hits, pattern, host);
    if (seconds == 0 || list.count == 0)
        return list.events;
    const struct host_hits *found = &hits->patterns[pattern].hosts.items[host];
    size_t count = list.complete ? list.count : found->minutes.count;
    struct moment *moments = calloc(count + 1, sizeof *moments);
    if (!moments)
        return list.events;
    for (size_t i = 0; i < count; i++)
        moments[i] = list.complete ? (struct moment){moment_of(list.items[i]), list.items[i]->count}
                                   : (struct moment){(double)found->minutes.items[i].time,
                                                     found->minutes.items[i].events};
    int64_t most = densest(moments, count, (double)seconds);
    free(moments);
    return most;
}
