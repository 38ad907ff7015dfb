/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * An engine's state serves one thread at a time. There come to be as many as were ever needed at
 * once, which is at most one for each thread, and they are used again.
 */
#include "collector/bundle/compressor.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define MAX_IDLE 64 /* states kept for later; as many as there can be entries at once */

struct compressor {
    enum compression compression;
    const struct deflate_engine *engine;
    int level;
    struct crew *crew;
    pthread_mutex_t lock;
    void *idle[MAX_IDLE];
    int idle_count;
};

bool compression_find(const char *name, enum compression *ret)
{
    static const char *const names[] = {[COMPRESSION_BALANCED] = "balanced",
                                        [COMPRESSION_FAST] = "fast",
                                        [COMPRESSION_BEST] = "best"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i], name) == 0) {
            *ret = (enum compression)i;
            return true;
        }
    return false;
}

static int count_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

int compressor_new(enum compression compression, int threads, struct compressor **ret,
                   struct err *err)
{
    struct compressor *compressor = calloc(1, sizeof *compressor);
    if (!compressor)
        return err_nomem(err);
    compressor->compression = compression;
    compressor->engine = deflate_choose(compression, &compressor->level);
    pthread_mutex_init(&compressor->lock, NULL);
    int processors = count_processors();
    int r = crew_new(threads < processors ? threads : processors, &compressor->crew, err);
    if (r < 0)
        compressor_free(compressor);
    else
        *ret = compressor;
    return r;
}

void *compressor_free(struct compressor *compressor)
{
    if (!compressor)
        return NULL;
    crew_free(compressor->crew);
    for (int i = 0; i < compressor->idle_count; i++)
        compressor->engine->close(compressor->idle[i]);
    pthread_mutex_destroy(&compressor->lock);
    free(compressor);
    return NULL;
}

struct crew *compressor_crew(struct compressor *compressor)
{
    return compressor->crew;
}

enum compression compressor_effort(const struct compressor *compressor)
{
    return compressor->compression;
}

static int take_state(struct compressor *compressor, void **ret, struct err *err)
{
    void *state = NULL;
    pthread_mutex_lock(&compressor->lock);
    if (compressor->idle_count > 0)
        state = compressor->idle[--compressor->idle_count];
    pthread_mutex_unlock(&compressor->lock);
    if (!state)
        return compressor->engine->open(compressor->level, ret, err);
    *ret = state;
    return 0;
}

static void give_state(struct compressor *compressor, void *state)
{
    pthread_mutex_lock(&compressor->lock);
    bool kept = compressor->idle_count < MAX_IDLE;
    if (kept)
        compressor->idle[compressor->idle_count++] = state;
    pthread_mutex_unlock(&compressor->lock);
    if (!kept)
        compressor->engine->close(state);
}

int compressor_deflate(struct compressor *compressor, const struct deflate_piece *piece,
                       size_t *ret_length, struct err *err)
{
    void *state;
    int r = take_state(compressor, &state, err);
    if (r < 0)
        return r;
    r = compressor->engine->piece(state, piece, ret_length, err);
    give_state(compressor, state);
    return r;
}

uint32_t compressor_crc32(const struct compressor *compressor, uint32_t crc,
                          const unsigned char *bytes, size_t length)
{
    return compressor->engine->crc32(crc, bytes, length);
}
