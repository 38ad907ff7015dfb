/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/plan/share.h"

static size_t sum_of(const struct expand_result *results, size_t count, size_t each)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += results[i].count < each ? results[i].count : each;
    return sum;
}

/* The biggest number of hits that each may have. */
static size_t fair_share(const struct expand_result *results, size_t count, size_t most)
{
    size_t low = 0, high = most;
    while (low < high) {
        size_t middle = high - (high - low) / 2;
        if (sum_of(results, count, middle) <= most)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

void plan_share(struct expand_result *results, size_t count, size_t most)
{
    size_t share = fair_share(results, count, most);
    for (size_t i = 0; i < count; i++) {
        if (results[i].count <= share)
            continue;
        results[i].count = share;
        results[i].cut = true;
    }
}
