/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One instruction looks up 32 half bytes in a table of 16 entries. An entry has a bit for each
 * group of grams; what is left after eight such looks are groups that may have a gram here.
 */
#include "collector/redact/sieve.h"

#include <immintrin.h>

#define AT_ONCE 32

bool sieve_is_fast(void)
{
    return __builtin_cpu_supports("avx2");
}

__attribute__((target("avx2"))) static inline __m256i table(const unsigned char entries[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)entries));
}

/* A bit for each of the 32 places: whether it may begin a gram. */
__attribute__((target("avx2"))) static inline uint32_t coarse_look(const struct sieve *sieve,
                                                                   const char *p)
{
    const __m256i half = _mm256_set1_epi8(0x0f), none = _mm256_setzero_si256();
    __m256i first = _mm256_set1_epi8(-1), second = first;
    for (int i = 0; i < GRAM; i++) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        __m256i low = _mm256_and_si256(bytes, half);
        __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half);
        first = _mm256_and_si256(first, _mm256_shuffle_epi8(table(sieve->low[0][i]), low));
        first = _mm256_and_si256(first, _mm256_shuffle_epi8(table(sieve->high[0][i]), high));
        second = _mm256_and_si256(second, _mm256_shuffle_epi8(table(sieve->low[1][i]), low));
        second = _mm256_and_si256(second, _mm256_shuffle_epi8(table(sieve->high[1][i]), high));
    }
    __m256i groups = _mm256_or_si256(first, second);
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, none));
}

__attribute__((target("avx2"))) const char *sieve_skip(const struct sieve *sieve, const char *p,
                                                       const char *end)
{
    for (; end - p >= AT_ONCE + GRAM - 1; p += AT_ONCE)
        for (uint32_t places = coarse_look(sieve, p); places; places &= places - 1) {
            const char *place = p + __builtin_ctz(places);
            if (sieve->begins[gram_hash(gram_at(place))])
                return place;
        }
    return p;
}
