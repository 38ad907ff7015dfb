/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Two measures: matches that ran into a limit are counted, and time is taken where it can go
 * anywhere, on long lines. An honest log never comes near either, so results do not depend on the
 * machine.
 */
#include "analyzer/match/effort.h"

#include <time.h>

#define ABORTED_MAX 200                  /* a match that is aborted costs up to a millisecond */
#define LONG_LINE   1024                 /* the clock costs as much as searching so many bytes */
#define SPENT_MAX   (500 * 1000 * 1000L) /* nanoseconds; honest patterns need some milliseconds */

static int64_t cpu_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

enum regex_result effort_match(struct effort *effort, const struct regex *regex,
                               struct regex_scratch *scratch, const char *line, size_t length)
{
    if (effort->is_spent)
        return REGEX_ABORTED;
    int64_t start = length > LONG_LINE ? cpu_now() : 0;
    enum regex_result result = regex_match(regex, scratch, line, length, 0);
    if (length > LONG_LINE)
        effort->spent += cpu_now() - start;
    effort->aborted += result == REGEX_ABORTED;
    effort->is_spent = effort->aborted > ABORTED_MAX || effort->spent > SPENT_MAX;
    return result;
}
