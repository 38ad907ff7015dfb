/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The threads are as humble as the commands that are run: a report must not slow down the guests.
 * On Linux a niceness belongs to a thread, so setting it does not touch the rest of the program.
 */
#include "collector/bundle/crew.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#define MAX_THREADS 64
#define NICENESS    10 /* as the commands have */

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct crew_task *first, **end;
    pthread_t threads[MAX_THREADS];
    int count, places;
    bool stop;
};

static void lower_priority(void)
{
    if (getpriority(PRIO_PROCESS, 0) < NICENESS)
        setpriority(PRIO_PROCESS, 0, NICENESS);
}

static void *work(void *argument)
{
    struct crew *crew = argument;
    lower_priority();
    pthread_mutex_lock(&crew->lock);
    while (crew->first || !crew->stop) {
        struct crew_task *task = crew->first;
        if (!task) {
            pthread_cond_wait(&crew->changed, &crew->lock);
            continue;
        }
        crew->first = task->next;
        if (!crew->first)
            crew->end = &crew->first;
        pthread_mutex_unlock(&crew->lock);
        task->run(task);
        pthread_mutex_lock(&crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

/* Signals are for the program's other threads: they know what an interrupted call means. */
static void start(struct crew *crew, int threads)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (crew->count < threads && crew->count < MAX_THREADS &&
           pthread_create(&crew->threads[crew->count], NULL, work, crew) == 0)
        crew->count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int crew_new(int threads, struct crew **ret, struct err *err)
{
    struct crew *crew = calloc(1, sizeof *crew);
    if (!crew)
        return err_nomem(err);
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->changed, NULL);
    crew->end = &crew->first;
    start(crew, threads);
    crew->places = crew->count; /* with the one that every stream has, none has to wait */
    *ret = crew;
    return 0;
}

void *crew_free(struct crew *crew)
{
    if (!crew)
        return NULL;
    pthread_mutex_lock(&crew->lock);
    crew->stop = true;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
    for (int i = 0; i < crew->count; i++)
        pthread_join(crew->threads[i], NULL);
    pthread_cond_destroy(&crew->changed);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
    return NULL;
}

void crew_do(struct crew *crew, struct crew_task *task)
{
    if (crew->count == 0) {
        task->run(task);
        return;
    }
    pthread_mutex_lock(&crew->lock);
    task->next = NULL;
    *crew->end = task;
    crew->end = &task->next;
    pthread_cond_signal(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

bool crew_take_place(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    bool taken = crew->places > 0;
    crew->places -= taken;
    pthread_mutex_unlock(&crew->lock);
    return taken;
}

void crew_give_place(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->places++;
    pthread_mutex_unlock(&crew->lock);
}
