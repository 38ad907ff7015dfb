/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * For processors with SHA extensions. Every step of MD5 waits for the one before it, so two thirds
 * of the processor idle; SHA-256 runs in instructions and registers of its own. Four steps of one
 * and four rounds of the other in turn take no longer than MD5 alone.
 *
 * Constants and order of operations are those of RFC 1321 and FIPS 180-4.
 */
#include "collector/bundle/digest_kernel.h"

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#define FEATURES "sha,sse4.1,ssse3"

static const uint32_t md5_constants[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static const uint32_t sha256_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define F(b, c, d) ((d) ^ ((b) & ((c) ^ (d))))
#define H(b, c, d) ((b) ^ ((c) ^ (d)))
#define I(b, c, d) ((c) ^ ((b) | ~(d)))

static inline uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

static inline uint32_t word(const unsigned char *bytes, unsigned index)
{
    uint32_t value;
    memcpy(&value, bytes + 4 * index, sizeof value);
    return value;
}

#define STEP(function, a, b, c, d, at, index, bits)                                                \
    (a += word(bytes, (index) % 16) + md5_constants[at], a += function(b, c, d),                   \
     a = rotate(a, bits) + (b))
/*
 * G is (d & b) | (~d & c), whose parts have no bit in common: they are added one after the other,
 * so that b, which comes last, enters late.
 */
#define STEP_G(a, b, c, d, at, index, bits)                                                        \
    (a += word(bytes, (index) % 16) + md5_constants[at], a += ~(d) & (c), a += (d) & (b),          \
     a = rotate(a, bits) + (b))

#define MD5_F(i)                                                                                   \
    STEP(F, a, b, c, d, i, i, 7), STEP(F, d, a, b, c, i + 1, i + 1, 12),                           \
        STEP(F, c, d, a, b, i + 2, i + 2, 17), STEP(F, b, c, d, a, i + 3, i + 3, 22)
#define MD5_G(i)                                                                                   \
    STEP_G(a, b, c, d, i, 5 * (i) + 1, 5), STEP_G(d, a, b, c, i + 1, 5 * (i + 1) + 1, 9),          \
        STEP_G(c, d, a, b, i + 2, 5 * (i + 2) + 1, 14),                                            \
        STEP_G(b, c, d, a, i + 3, 5 * (i + 3) + 1, 20)
#define MD5_H(i)                                                                                   \
    STEP(H, a, b, c, d, i, 3 * (i) + 5, 4), STEP(H, d, a, b, c, i + 1, 3 * (i + 1) + 5, 11),       \
        STEP(H, c, d, a, b, i + 2, 3 * (i + 2) + 5, 16),                                           \
        STEP(H, b, c, d, a, i + 3, 3 * (i + 3) + 5, 23)
#define MD5_I(i)                                                                                   \
    STEP(I, a, b, c, d, i, 7 * (i), 6), STEP(I, d, a, b, c, i + 1, 7 * (i + 1), 10),               \
        STEP(I, c, d, a, b, i + 2, 7 * (i + 2), 15), STEP(I, b, c, d, a, i + 3, 7 * (i + 3), 21)

/* Four rounds with the words in w0. */
#define SHA256_ROUNDS(i, w0)                                                                       \
    (sum = _mm_add_epi32(w0, _mm_load_si128((const __m128i *)&sha256_constants[i])),               \
     cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum),                                                \
     abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e)))

/* The words of sixteen rounds later, in place of those in w0. */
#define SHA256_SCHEDULE(w0, w1, w2, w3)                                                            \
    (w0 = _mm_sha256msg2_epu32(                                                                    \
         _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3))

#define FOUR(MD5, i, w0, w1, w2, w3) (MD5(i), SHA256_ROUNDS(i, w0), SHA256_SCHEDULE(w0, w1, w2, w3))
#define SIXTEEN(MD5, i)                                                                            \
    (FOUR(MD5, i, w0, w1, w2, w3), FOUR(MD5, i + 4, w1, w2, w3, w0),                               \
     FOUR(MD5, i + 8, w2, w3, w0, w1), FOUR(MD5, i + 12, w3, w0, w1, w2))
/* The last ones need no words for later. */
#define LAST_SIXTEEN(MD5, i)                                                                       \
    (MD5(i), SHA256_ROUNDS(i, w0), MD5(i + 4), SHA256_ROUNDS(i + 4, w1), MD5(i + 8),               \
     SHA256_ROUNDS(i + 8, w2), MD5(i + 12), SHA256_ROUNDS(i + 12, w3))

__attribute__((target(FEATURES))) void digest_kernel(struct digest_words *words,
                                                     const unsigned char *bytes, size_t blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    uint32_t a = words->md5[0], b = words->md5[1], c = words->md5[2], d = words->md5[3];
    /* The instructions want the eight words in this order. */
    __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)&words->sha256[0]), 0xb1);
    __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)&words->sha256[4]), 0x1b);
    __m128i abef = _mm_alignr_epi8(badc, hgfe, 8), cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);

    for (; blocks > 0; blocks--, bytes += DIGEST_BLOCK) {
        const uint32_t a0 = a, b0 = b, c0 = c, d0 = d;
        const __m128i abef0 = abef, cdgh0 = cdgh;
        const __m128i *in = (const __m128i *)bytes;
        __m128i sum;
        __m128i w0 = _mm_shuffle_epi8(_mm_loadu_si128(in), swap);
        __m128i w1 = _mm_shuffle_epi8(_mm_loadu_si128(in + 1), swap);
        __m128i w2 = _mm_shuffle_epi8(_mm_loadu_si128(in + 2), swap);
        __m128i w3 = _mm_shuffle_epi8(_mm_loadu_si128(in + 3), swap);
        SIXTEEN(MD5_F, 0);
        SIXTEEN(MD5_G, 16);
        SIXTEEN(MD5_H, 32);
        LAST_SIXTEEN(MD5_I, 48);
        a += a0, b += b0, c += c0, d += d0;
        abef = _mm_add_epi32(abef, abef0);
        cdgh = _mm_add_epi32(cdgh, cdgh0);
    }

    const uint32_t md5[] = {a, b, c, d};
    memcpy(words->md5, md5, sizeof md5);
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)&words->sha256[0], _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)&words->sha256[4], _mm_alignr_epi8(dchg, feba, 8));
}

bool digest_kernel_works(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_SHA))
        return false;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_1) && (c & bit_SSSE3);
}
