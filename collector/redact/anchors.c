/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Four bytes at every position, folded to lower case, are hashed into a table of 32 KiB: it stays
 * in the fastest caches, and the positions do not depend on each other, so the processor works on
 * several at once; an automaton's every step waits for the one before it. Where the table says so
 * the texts are compared.
 */
#include "collector/redact/anchors.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/compiler.h"

#define ALNUM "abcdefghijklmnopqrstuvwxyz0123456789"

static const struct anchor anchors[] = {
    {"pass", NULL, detect_assignment},
    {"secr", NULL, detect_assignment},
    {"toke", NULL, detect_assignment},
    {"EFI-", NULL, detect_assignment},
    {"priv", NULL, detect_assignment},
    {"key", "=: \t'\"_-<>\\&%]", detect_assignment}, /* api_key, authkey */
    {"cred", NULL, detect_assignment},
    {"session", "_-=:ir'\"]>\\&%", detect_assignment},
    {"uthorization", NULL, detect_assignment},
    {"cookie", NULL, detect_assignment},
    {"community", NULL, detect_assignment},
    {"masterauth", NULL, detect_assignment},
    {"pwd", "=: \t'\"_-<>\\&%]", detect_assignment},
    {"psk", "=: \t'\"_-<>\\&%]", detect_assignment},
    {"bindpw", NULL, detect_assignment},
    {"rootpw", NULL, detect_assignment},
    {"-pw", "= '\"\t\\", detect_assignment},
    {"community", NULL, detect_directive},
    {"com2sec", NULL, detect_directive},
    {"usmUser", NULL, detect_directive},
    {"createUser", NULL, detect_directive},
    {"bindpw", NULL, detect_directive},
    {"rootpw", NULL, detect_directive},
    {"requirepass", NULL, detect_directive},
    {"masterauth", NULL, detect_directive},
    {"auth_pass", NULL, detect_directive},
    {"password", NULL, detect_directive},
    {"sshpass", NULL, detect_command},
    {"ipmitool", NULL, detect_command},
    {"mysql", NULL, detect_command},
    {"curl", NULL, detect_command},
    {"wget", NULL, detect_command},
    {"smbclient", NULL, detect_command},
    {"rpcclient", NULL, detect_command},
    {"net ads", NULL, detect_command},
    {"snmp", NULL, detect_command},
    {"ldap", NULL, detect_command},
    {"--BEGIN ", NULL, NULL},
    {"LS0tLS1CRUdJTi", NULL, detect_encoded_key},
    {"eyJ", ALNUM, detect_web_token},
    {"Bearer", NULL, detect_scheme},
    {"Basic", NULL, detect_scheme},
    {"$1$", ALNUM "./", detect_hash},
    {"$5$", ALNUM "./", detect_hash},
    {"$6$", ALNUM "./", detect_hash},
    {"$y$", ALNUM "./", detect_hash},
    {"$2a$", NULL, detect_hash},
    {"$2b$", NULL, detect_hash},
    {"$2y$", NULL, detect_hash},
    {"$gy$", NULL, detect_hash},
    {"$apr1$", NULL, detect_hash},
    {"{SSHA", NULL, detect_hash},
    {"{SHA}", NULL, detect_hash},
    {"{CRYPT}", NULL, detect_hash},
    {"grub.pbkdf2.", NULL, detect_hash},
    {"AKIA", NULL, detect_vendor_key},
    {"ASIA", NULL, detect_vendor_key},
    {"ghp_", NULL, detect_vendor_key},
    {"gho_", NULL, detect_vendor_key},
    {"ghs_", NULL, detect_vendor_key},
    {"github_pat_", NULL, detect_vendor_key},
    {"glpat-", NULL, detect_vendor_key},
    {"xoxb-", NULL, detect_vendor_key},
    {"xoxp-", NULL, detect_vendor_key},
    {"AIza", NULL, detect_vendor_key},
    {"sk_live_", NULL, detect_vendor_key},
};

/* "://" has a letter or digit before it; the gram begins there. */
static const struct anchor url_anchor = {"://", NULL, detect_url};

#define GRAM      4
#define HASH_BITS 15
#define BUCKETS   256
#define MAX_GRAMS 512         /* the tables make some 330 */
#define FOLD      0x20202020u /* makes letters small, and merges some other bytes */
#define STEP      5           /* grams in one load of eight bytes */

/* The loads below take the first byte for the lowest. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "anchors need a little-endian processor");

struct gram {
    uint32_t bytes;
    unsigned length; /* of the anchor's text */
    const struct anchor *anchor;
};

static unsigned char begins[1 << HASH_BITS]; /* whether a gram of this hash begins an anchor */
static struct gram grams[MAX_GRAMS];         /* sorted by bucket */
static size_t gram_count;
static size_t bucket_start[BUCKETS + 1];
static pthread_once_t built = PTHREAD_ONCE_INIT;

static uint32_t hash(uint32_t gram)
{
    return gram * 2654435761u >> (32 - HASH_BITS);
}

static size_t bucket(uint32_t gram)
{
    return hash(gram) % BUCKETS;
}

static uint32_t load(const char *p)
{
    uint32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    return bytes | FOLD;
}

static void add_gram(const char *text, const struct anchor *anchor)
{
    uint32_t gram = load(text);
    assert(gram_count < MAX_GRAMS);
    begins[hash(gram)] = 1;
    grams[gram_count++] = (struct gram){gram, (unsigned)strlen(anchor->text), anchor};
}

static int by_bucket(const void *left, const void *right)
{
    const struct gram *a = left, *b = right;
    return bucket(a->bytes) < bucket(b->bytes) ? -1 : bucket(a->bytes) > bucket(b->bytes);
}

static void sort_grams(void)
{
    qsort(grams, gram_count, sizeof *grams, by_bucket);
    for (size_t i = 0; i < gram_count; i++)
        bucket_start[bucket(grams[i].bytes) + 1] = i + 1;
    for (size_t i = 1; i <= BUCKETS; i++)
        if (bucket_start[i] < bucket_start[i - 1])
            bucket_start[i] = bucket_start[i - 1];
}

static void build(void)
{
    char text[GRAM];
    for (size_t i = 0; i < ARRAY_SIZE(anchors); i++) {
        const struct anchor *anchor = &anchors[i];
        memcpy(text, anchor->text, GRAM);
        if (strlen(anchor->text) >= GRAM)
            add_gram(text, anchor);
        else
            for (const char *next = anchor->next; *next; next++) {
                text[GRAM - 1] = *next;
                add_gram(text, anchor);
            }
    }
    memcpy(text + 1, url_anchor.text, GRAM - 1);
    for (const char *before = ALNUM; *before; before++) {
        text[0] = *before;
        add_gram(text, &url_anchor);
    }
    sort_grams();
}

static bool is_next(const char *set, char c)
{
    return c && (strchr(set, c) || (c >= 'A' && c <= 'Z' && strchr(set, c | 0x20)));
}

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Most places that look like an anchor are none: no call to the library before that is known. */
static bool matches(const struct gram *gram, const char *p, const char *end)
{
    const struct anchor *anchor = gram->anchor;
    if (anchor == &url_anchor)
        return memcmp(p + 1, anchor->text, GRAM - 1) == 0;
    if ((size_t)(end - p) < gram->length)
        return false;
    for (size_t i = gram->length; i-- > 0;)
        if (small(p[i]) != small(anchor->text[i]))
            return false;
    p += gram->length;
    return !anchor->next || (p < end && is_next(anchor->next, *p));
}

size_t anchors_at(const char *p, const char *end, const struct anchor *ret[MAX_ANCHORS_AT])
{
    size_t count = 0, key = bucket(load(p));
    for (size_t i = bucket_start[key]; i < bucket_start[key + 1]; i++)
        if (grams[i].bytes == load(p) && count < MAX_ANCHORS_AT && matches(&grams[i], p, end))
            ret[count++] = grams[i].anchor;
    return count;
}

const char *anchors_candidate(const char *p, const char *end)
{
    pthread_once(&built, build);
    while (end - p >= 8) {
        uint64_t bytes;
        memcpy(&bytes, p, sizeof bytes);
        bytes |= (uint64_t)FOLD << 32 | FOLD;
        /* Written out: compilers do not unroll it, and it is half as fast then. */
        if (!(begins[hash((uint32_t)bytes)] | begins[hash((uint32_t)(bytes >> 8))] |
              begins[hash((uint32_t)(bytes >> 16))] | begins[hash((uint32_t)(bytes >> 24))] |
              begins[hash((uint32_t)(bytes >> 32))])) {
            p += STEP;
            continue;
        }
        while (!begins[hash(load(p))])
            p++;
        return p;
    }
    for (; end - p >= GRAM; p++)
        if (begins[hash(load(p))])
            return p;
    return NULL;
}
