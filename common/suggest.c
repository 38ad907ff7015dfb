/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Nearness is the number of single-letter edits (Levenshtein). Two make another word of a short
 * one; a long id may have one edit for every five letters.
 */
#include "common/suggest.h"

#include <stddef.h>
#include <string.h>

#include "common/compiler.h"

/* Words longer than this are not compared: no key and no id is. */
#define WORD_MAX 64

#define FAR_AWAY 99

static unsigned distance(const char *a, const char *b)
{
    unsigned row[WORD_MAX];
    size_t width = strlen(b);
    if (width >= ARRAY_SIZE(row) || strlen(a) >= ARRAY_SIZE(row))
        return FAR_AWAY;
    for (size_t j = 0; j <= width; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= width; j++) {
            unsigned replace = diagonal + (a[i - 1] != b[j - 1]);
            unsigned other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replace < other ? replace : other;
        }
    }
    return row[width];
}

const char *suggest_nearest(const char *word, const char *const *known)
{
    const char *nearest = NULL;
    size_t length = strlen(word);
    unsigned best = 3 + (length > 15 ? (unsigned)(length - 10) / 5 : 0);
    for (; *known; known++) {
        unsigned d = distance(word, *known);
        if (d < best) {
            best = d;
            nearest = *known;
        }
    }
    return nearest;
}
