/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Four bytes at every position, folded to lower case, are hashed into a table of 32 KiB: it stays
 * in the fastest caches, and the positions do not depend on each other, so the processor works on
 * several at once; an automaton's every step waits for the one before it. Where the table says so
 * the texts are compared. Most positions do not even come to the hashing (sieve.h).
 */
#include "collector/redact/anchors.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "collector/redact/programs.h"
#include "collector/redact/sieve.h"
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
    {"session", "_-=: ir'\"]>\\&%", detect_assignment},
    {"uthorization", NULL, detect_assignment},
    {"cookie", NULL, detect_assignment},
    {"community", NULL, detect_assignment},
    {"masterauth", NULL, detect_assignment},
    {"pwd", "=: \t'\"_-<>\\&%]", detect_assignment},
    {"psk", "=: \t'\"_-<>\\&%]", detect_assignment},
    {"tlspskvalue", NULL, detect_assignment},
    {"psw", "=: \t'\"", detect_assignment},
    {"pswd", NULL, detect_assignment},
    {"pw=", ALNUM "'\"", detect_assignment},
    {"new_ps", NULL, detect_assignment},
    {"old_ps", NULL, detect_assignment},
    {"bindpw", NULL, detect_assignment},
    {"rootpw", NULL, detect_assignment},
    {"authtok", NULL, detect_assignment},
    {"user-data", NULL, detect_assignment},
    {"user_data", NULL, detect_assignment},
    {"userdata", NULL, detect_assignment},
    {"sig=", NULL, detect_assignment},
    {"signature=", NULL, detect_assignment},
    {"kennwort", NULL, detect_assignment},
    {"auth", "\"'=: \t\\&", detect_assignment}, /* Docker's */
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
    {"secret", " \t", detect_directive},
    {"trapsink", NULL, detect_directive},
    {"trap2sink", NULL, detect_directive},
    {"informsink", NULL, detect_directive},
    {"passphrase", NULL, detect_directive},
    {"echo ", NULL, detect_command},
    {"printf ", NULL, detect_command},
    {"PASS ", NULL, detect_login},
    {"AUTH PLAIN", NULL, detect_login},
    {"AUTH LOGIN", NULL, detect_login},
    {"AUTH XOAUTH2", NULL, detect_login},
    {"AUTHENTICATE ", NULL, detect_login},
    {"UGFzc3dvcmQ6", NULL, detect_login}, /* "Password:" of a server */
    {"passwd", " \t\n<", detect_input},
    {"cryptsetup ", NULL, detect_input},
    {"kinit ", NULL, detect_input},
    {"sudo -S", NULL, detect_input},
    {"/vm-data/", NULL, detect_guest_data},
    {"login_with_password", NULL, detect_call},
    {"secret.create", NULL, detect_call},
    {"pool.join", NULL, detect_call},
    {"slave_l", "o", detect_call},
    {"change_password", NULL, detect_call},
    {"--BEGIN ", NULL, NULL},
    {"-- BEGIN SSH2", NULL, NULL},
    {"Private-Lines:", NULL, NULL},
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
    {"AGE-SECRET-KEY-1", NULL, detect_vendor_key},
    {"AKIA", NULL, detect_vendor_key},
    {"ASIA", NULL, detect_vendor_key},
    {"ghp_", NULL, detect_vendor_key},
    {"gho_", NULL, detect_vendor_key},
    {"ghs_", NULL, detect_vendor_key},
    {"github_pat_", NULL, detect_vendor_key},
    {"ghu_", NULL, detect_vendor_key},
    {"ghr_", NULL, detect_vendor_key},
    {"glpat-", NULL, detect_vendor_key},
    {"glrt-", NULL, detect_vendor_key},
    {"gldt-", NULL, detect_vendor_key},
    {"xoxa-", NULL, detect_vendor_key},
    {"xoxb-", NULL, detect_vendor_key},
    {"xoxp-", NULL, detect_vendor_key},
    {"xoxr-", NULL, detect_vendor_key},
    {"xoxs-", NULL, detect_vendor_key},
    {"xapp-", NULL, detect_vendor_key},
    {"ya29.", NULL, detect_vendor_key},
    {"GOCSPX-", NULL, detect_vendor_key},
    {"hvs.", NULL, detect_vendor_key},
    {"npm_", NULL, detect_vendor_key},
    {"sk_test_", NULL, detect_vendor_key},
    {"hooks.slack.com/services/", NULL, detect_web_hook},
    {"api.telegram.org/bot", NULL, detect_web_hook},
    {"/api/webhooks/", NULL, detect_web_hook},
    {"/IncomingWebhook/", NULL, detect_web_hook},
    {"AIza", NULL, detect_vendor_key},
    {"sk_live_", NULL, detect_vendor_key},
};

/* "://" has a letter or digit before it; the gram begins there. */
static const struct anchor url_anchor = {"://", NULL, detect_url};

#define BUCKETS   256
#define MAX_GRAMS 512 /* the table here makes some 300, programs.yaml MAX_PROGRAMS at most */
#define STEP      5   /* grams in one load of eight bytes */

struct gram {
    uint32_t bytes;
    unsigned length; /* of the anchor's text */
    const struct anchor *anchor;
};

static struct sieve sieve;
static bool sieve_used;
static struct gram grams[MAX_GRAMS]; /* sorted by bucket */
static size_t gram_count;
static size_t bucket_start[BUCKETS + 1];
static pthread_once_t built = PTHREAD_ONCE_INIT;

static size_t bucket(uint32_t gram)
{
    return gram_hash(gram) % BUCKETS;
}

/*
 * Grams of one group should be alike, so that few bytes pass for all of them: their anchors are
 * neighbours in an order that was the best of those tried on logs (of 100 places one passes).
 */
static int by_likeness(const void *left, const void *right)
{
    static const int order[] = {1, 0, 2};
    const struct anchor *a = *(const struct anchor *const *)left;
    const struct anchor *b = *(const struct anchor *const *)right;
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        if ((a->text[order[i]] ^ b->text[order[i]]) & ~0x20)
            return (a->text[order[i]] | 0x20) - (b->text[order[i]] | 0x20);
    return 0;
}

/* A byte counts with and without the bit that folding sets. */
static void add_to_sieve(uint32_t gram, size_t group)
{
    unsigned char bit = (unsigned char)(1 << group % 8);
    for (int i = 0; i < GRAM; i++) {
        unsigned byte = gram >> 8 * i & 0xff;
        sieve.low[group / 8][i][byte & 15] |= bit;
        sieve.high[group / 8][i][byte >> 4] |= bit;
        sieve.high[group / 8][i][(byte & ~FOLD & 0xff) >> 4] |= bit;
    }
    sieve.begins[gram_hash(gram)] = 1;
}

static void add_gram(const char *text, const struct anchor *anchor, size_t group)
{
    uint32_t gram = gram_at(text);
    assert(gram_count < MAX_GRAMS);
    add_to_sieve(gram, group);
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

static void add_anchor(const struct anchor *anchor, size_t group)
{
    char text[GRAM];
    memcpy(text, anchor->text, GRAM);
    if (strlen(anchor->text) >= GRAM)
        add_gram(text, anchor, group);
    else
        for (const char *next = anchor->next; *next; next++) {
            text[GRAM - 1] = *next;
            add_gram(text, anchor, group);
        }
}

static void build(void)
{
    const struct anchor *sorted[ARRAY_SIZE(anchors) + MAX_PROGRAMS];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(anchors); i++)
        sorted[count++] = &anchors[i];
    for (const struct anchor *anchor = program_anchors; anchor->text; anchor++)
        sorted[count++] = anchor;
    qsort(sorted, count, sizeof *sorted, by_likeness);
    /* The last group is for "://", which is like none. */
    for (size_t i = 0; i < count; i++)
        add_anchor(sorted[i], i * (SIEVE_GROUPS - 1) / count);
    char text[GRAM];
    memcpy(text + 1, url_anchor.text, GRAM - 1);
    for (const char *before = ALNUM; *before; before++) {
        text[0] = *before;
        add_gram(text, &url_anchor, SIEVE_GROUPS - 1);
    }
    sort_grams();
    sieve_used = sieve_is_fast();
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
    size_t count = 0, key = bucket(gram_at(p));
    for (size_t i = bucket_start[key]; i < bucket_start[key + 1]; i++)
        if (grams[i].bytes == gram_at(p) && count < MAX_ANCHORS_AT && matches(&grams[i], p, end))
            ret[count++] = grams[i].anchor;
    return count;
}

const char *anchors_candidate(const char *p, const char *end)
{
    pthread_once(&built, build);
    if (sieve_used)
        p = sieve_skip(&sieve, p, end);
    while (end - p >= 8) {
        uint64_t bytes;
        memcpy(&bytes, p, sizeof bytes);
        bytes |= (uint64_t)FOLD << 32 | FOLD;
        /* Written out: compilers do not unroll it, and it is half as fast then. */
        if (!(sieve.begins[gram_hash((uint32_t)bytes)] |
              sieve.begins[gram_hash((uint32_t)(bytes >> 8))] |
              sieve.begins[gram_hash((uint32_t)(bytes >> 16))] |
              sieve.begins[gram_hash((uint32_t)(bytes >> 24))] |
              sieve.begins[gram_hash((uint32_t)(bytes >> 32))])) {
            p += STEP;
            continue;
        }
        while (!sieve.begins[gram_hash(gram_at(p))])
            p++;
        return p;
    }
    for (; end - p >= GRAM; p++)
        if (sieve.begins[gram_hash(gram_at(p))])
            return p;
    return NULL;
}
