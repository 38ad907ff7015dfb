/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A set of (host, text) pairs that keeps only 64-bit hashes: 200000 paths cost 4 MiB. Two different
 * pairs may count as one, with a probability that does not matter where this is used (flagging
 * duplicates).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/compiler.h"

struct key_set {
    uint64_t *slots; /* 0: free */
    size_t count, capacity;
};

/* True when the pair is new. When memory is out it is not remembered, and new. */
bool key_set_add(struct key_set *set, unsigned host, const char *text);
bool key_set_has(const struct key_set *set, unsigned host, const char *text);
void key_set_release(struct key_set *set);
