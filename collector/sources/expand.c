/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The parent's side: runs the child, reads its tokens, and goes on behind a request that got stuck.
 *
 * A child that runs out of time may have been slow rather than stuck. A request is given up when it
 * had the whole time for itself and found nothing; one that finds things gets more time alone.
 */
#include "collector/sources/expand.h"

#include <inttypes.h>

#include "common/io.h"
#include "common/strbuf.h"
#include "common/vec.h"

#define BATCH_MS                                                                                   \
    4000 /* a whole healthy host takes some 20 ms; each hanging mount costs up to twice this */
#define ALONE_MS  20000 /* a tree of many thousand files on a busy disk */
#define SHARE     4     /* a child has at most a quarter of the time that is left: others may hang, too */
#define LEAST_MS  200   /* but enough for a healthy host */
#define MAX_TOKEN 8192  /* PATH_MAX and a number */

struct receiver {
    struct arena *arena;
    struct expand_result *results;
    size_t count;
    struct strbuf token;
    size_t current; /* request that has begun, or `count` */
    size_t done;    /* requests that have ended */
    VEC(struct expand_hit) hits;
};

static int end_request(struct receiver *receiver, bool stuck, struct err *err)
{
    if (receiver->current >= receiver->count)
        return err_set(err, ERR_BUG, "the expanding child speaks out of turn");
    struct expand_result *result = &receiver->results[receiver->current];
    size_t count = receiver->hits.count;
    struct expand_hit *hits = arena_array(receiver->arena, count + 1, sizeof *hits);
    if (!hits)
        return err_nomem(err);
    if (count)
        memcpy(hits, receiver->hits.items, count * sizeof *hits);
    result->hits = hits;
    result->count = count;
    result->stuck = stuck;
    receiver->hits.count = 0;
    receiver->current = receiver->count;
    return 0;
}

static int add_hit(struct receiver *receiver, const char *text, struct err *err)
{
    const char *blank = strchr(text, ' ');
    if (!blank || receiver->current >= receiver->count)
        return err_set(err, ERR_BUG, "the expanding child speaks nonsense");
    struct expand_hit *hit = vec_push(&receiver->hits);
    const char *path = arena_strdup(receiver->arena, blank + 1);
    if (!hit || !path)
        return err_nomem(err);
    *hit = (struct expand_hit){.path = path, .size = strtoll(text, NULL, 10)};
    return 0;
}

static int take_token(struct receiver *receiver, const char *token, struct err *err)
{
    switch (token[0]) {
    case 'B':
        receiver->current = (size_t)strtoull(token + 1, NULL, 10);
        return 0;
    case 'H':
        return add_hit(receiver, token + 1, err);
    case 'C':
        if (receiver->current < receiver->count)
            receiver->results[receiver->current].cut = true;
        return 0;
    case 'E':
        receiver->done++;
        return end_request(receiver, false, err);
    default:
        return err_set(err, ERR_BUG, "the expanding child speaks nonsense");
    }
}

static int receive(void *context, const void *bytes, size_t length, struct err *err)
{
    struct receiver *receiver = context;
    const char *text = bytes;
    while (length) {
        const char *end = memchr(text, '\0', length);
        size_t part = end ? (size_t)(end - text) : length;
        strbuf_add(&receiver->token, text, part);
        if (!strbuf_ok(&receiver->token))
            return err_set(err, ERR_LIMIT, "the expanding child sends too long a path");
        if (!end)
            return 0;
        int r = take_token(receiver, receiver->token.data, err);
        strbuf_clear(&receiver->token);
        if (r < 0)
            return r;
        text += part + 1;
        length -= part + 1;
    }
    return 0;
}

/* Runs one child; `done` requests have their results afterwards. */
static int run_batch(struct spawner *spawner, struct receiver *receiver, size_t first, size_t count,
                     int64_t limit_ms, const atomic_bool *cancelled, struct err *err)
{
    char first_text[24], count_text[24];
    snprintf(first_text, sizeof first_text, "%zu", first);
    snprintf(count_text, sizeof count_text, "%zu", count);
    const char *const argv[] = {"expand", first_text, count_text, NULL};
    struct child_spec spec = {
        .is_function = true, .argv = argv, .time_limit_ms = limit_ms, .cancelled = cancelled};
    struct child_end end;
    receiver->done = 0;
    receiver->hits.count = 0;
    receiver->current = receiver->count;
    strbuf_clear(&receiver->token);
    int r = child_run(spawner, &spec, receive, receiver, &end, err);
    if (r == 0 && end.outcome == CHILD_CANCELLED)
        return err_set(err, ERR_CANCELLED, "interrupted");
    return r;
}

/* What a child that ran out of time means for the request it was at. */
static int judge_stop(struct receiver *receiver, bool alone, size_t *next, bool *ret_alone,
                      struct err *err)
{
    *ret_alone = false;
    if (receiver->done > 0) /* the others took the time; it has its own chance next */
        return 0;
    if (receiver->hits.count > 0 && !alone) { /* it moves: a big tree, or a busy disk */
        *ret_alone = true;
        return 0;
    }
    receiver->current = (*next)++;
    return end_request(receiver, true, err);
}

static int64_t time_of_child(int64_t left_ms, bool alone)
{
    int64_t most_ms = alone ? ALONE_MS : BATCH_MS;
    int64_t share_ms = left_ms / SHARE > LEAST_MS ? left_ms / SHARE : LEAST_MS;
    most_ms = share_ms < most_ms ? share_ms : most_ms;
    return most_ms < left_ms ? most_ms : left_ms;
}

/*
 * No time is left to look. A path without wildcards needs no look: it is tried when it is to be
 * read, by a child, since it may hang.
 */
static int pass_over(const struct expand_request *request, struct arena *arena,
                     struct expand_result *result, struct err *err)
{
    bool plain = request->kind == EXPAND_LOG ||
                 (request->kind == EXPAND_GLOB && !strpbrk(request->subject, "*?["));
    *result = (struct expand_result){.unseen = true};
    if (!plain)
        return 0;
    struct expand_hit *hit = arena_array(arena, 1, sizeof *hit);
    if (!hit)
        return err_nomem(err);
    *hit = (struct expand_hit){.path = request->subject, .size = -1};
    result->hits = hit;
    result->count = 1;
    return 0;
}

int expand_all(struct spawner *spawner, const struct expansion *expansion, struct arena *arena,
               int64_t deadline_ms, const atomic_bool *cancelled, struct expand_result *results,
               struct err *err)
{
    struct receiver receiver = {.arena = arena,
                                .results = results,
                                .count = expansion->count,
                                .token = STRBUF_INIT_MAX(MAX_TOKEN)};
    size_t next = 0;
    bool alone = false;
    int r = 0;
    while (r == 0 && next < expansion->count) {
        int64_t left_ms = deadline_ms - io_now_ms();
        if (left_ms <= 0) {
            r = pass_over(&expansion->requests[next], arena, &results[next], err);
            next++;
            continue;
        }
        size_t count = alone ? 1 : expansion->count - next;
        r = run_batch(spawner, &receiver, next, count, time_of_child(left_ms, alone), cancelled,
                      err);
        next += receiver.done;
        if (r == 0 && receiver.done < count)
            r = judge_stop(&receiver, alone, &next, &alone, err);
        else
            alone = false;
    }
    strbuf_release(&receiver.token);
    vec_free(&receiver.hits);
    return r;
}
