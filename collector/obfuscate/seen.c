/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Two hash tables in one: by original and by pseudonym. An address may be both, since pseudonyms
 * are addresses of the same kind (192.168.0.0/16 is small); then finding it proves nothing.
 */
#include "collector/obfuscate/seen.h"

#include <pthread.h>

#include "common/vec.h"

#define MAX_SEEN   65536 /* 5 MiB; a pool knows some hundred addresses, a log of attacks more */
#define TABLE_SIZE (4 * MAX_SEEN)
#define MAX_LABELS 1024

struct pair {
    struct address original, pseudonym;
};

struct label {
    char text[64], pseudonym[40];
};

struct seen {
    const struct key *key;
    pthread_mutex_t lock;
    VEC(struct pair) pairs;
    uint32_t *by_original, *by_pseudonym; /* number of the pair + 1; 0: free */
    bool full;
    VEC(struct label) labels;
};

int seen_new(const struct key *key, struct seen **ret, struct err *err)
{
    struct seen *seen = calloc(1, sizeof *seen);
    if (!seen)
        return err_nomem(err);
    seen->key = key;
    seen->by_original = calloc(TABLE_SIZE, sizeof *seen->by_original);
    seen->by_pseudonym = calloc(TABLE_SIZE, sizeof *seen->by_pseudonym);
    pthread_mutex_init(&seen->lock, NULL);
    if (!seen->by_original || !seen->by_pseudonym) {
        seen_free(seen);
        return err_nomem(err);
    }
    *ret = seen;
    return 0;
}

void *seen_free(struct seen *seen)
{
    if (!seen)
        return NULL;
    pthread_mutex_destroy(&seen->lock);
    vec_free(&seen->pairs);
    vec_free(&seen->labels);
    free(seen->by_original);
    free(seen->by_pseudonym);
    free(seen);
    return NULL;
}

static bool same(const struct address *a, const struct address *b)
{
    return a->kind == b->kind && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static size_t place(const struct address *address)
{
    uint64_t low, high;
    memcpy(&low, address->bytes, 8);
    memcpy(&high, address->bytes + 8, 8);
    low = (low ^ high * 0x9e3779b97f4a7c15ULL ^ (unsigned)address->kind) * 0xd6e8feb86659fd93ULL;
    return (low ^ low >> 32) % TABLE_SIZE;
}

/* The slot of the address, or the free one where it belongs. */
static size_t find(const struct seen *seen, const uint32_t *table, bool original,
                   const struct address *address)
{
    size_t at = place(address);
    for (; table[at]; at = (at + 1) % TABLE_SIZE) {
        const struct pair *pair = &seen->pairs.items[table[at] - 1];
        if (same(original ? &pair->original : &pair->pseudonym, address))
            break;
    }
    return at;
}

static void remember(struct seen *seen, const struct address *original,
                     const struct address *pseudonym)
{
    size_t at = find(seen, seen->by_original, true, original);
    if (seen->by_original[at])
        return;
    struct pair *pair = seen->pairs.count < MAX_SEEN ? vec_push(&seen->pairs) : NULL;
    if (!pair) {
        seen->full = true;
        return;
    }
    *pair = (struct pair){*original, *pseudonym};
    seen->by_original[at] = (uint32_t)seen->pairs.count;
    seen->by_pseudonym[find(seen, seen->by_pseudonym, false, pseudonym)] =
        (uint32_t)seen->pairs.count;
}

struct address seen_map(struct seen *seen, const struct address *address)
{
    struct address pseudonym;
    pthread_mutex_lock(&seen->lock);
    uint32_t number = seen->by_original[find(seen, seen->by_original, true, address)];
    if (number)
        pseudonym = seen->pairs.items[number - 1].pseudonym;
    pthread_mutex_unlock(&seen->lock);
    if (number)
        return pseudonym;
    pseudonym = address_map(seen->key, address);
    pthread_mutex_lock(&seen->lock);
    remember(seen, address, &pseudonym);
    pthread_mutex_unlock(&seen->lock);
    return pseudonym;
}

void seen_label(struct seen *seen, const char *text, size_t length, const char *pseudonym)
{
    pthread_mutex_lock(&seen->lock);
    bool known = false;
    for (size_t i = 0; !known && i < seen->labels.count; i++)
        known = strncmp(seen->labels.items[i].text, text, length) == 0 &&
                seen->labels.items[i].text[length] == '\0';
    struct label *label =
        !known && seen->labels.count < MAX_LABELS ? vec_push(&seen->labels) : NULL;
    if (label) {
        snprintf(label->text, sizeof label->text, "%.*s", (int)length, text);
        snprintf(label->pseudonym, sizeof label->pseudonym, "%s", pseudonym);
    }
    pthread_mutex_unlock(&seen->lock);
}

bool seen_is_original(const struct seen *seen, const struct address *address)
{
    return seen->by_original[find(seen, seen->by_original, true, address)] &&
           !seen->by_pseudonym[find(seen, seen->by_pseudonym, false, address)];
}

size_t seen_count(const struct seen *seen, bool *ret_all)
{
    *ret_all = !seen->full;
    return seen->pairs.count;
}

void seen_write(const struct seen *seen, struct strbuf *out)
{
    static const char *const words[ADDRESS_KINDS] = {"ipv4", "ipv6", "mac"};
    char pseudonym[46], original[46];
    for (size_t i = 0; i < seen->pairs.count; i++) {
        const struct pair *pair = &seen->pairs.items[i];
        address_format(&pair->original, original, sizeof original);
        address_format(&pair->pseudonym, pseudonym, sizeof pseudonym);
        strbuf_addf(out, "%s\t%s\t%s\n", words[pair->original.kind], pseudonym, original);
    }
    for (size_t i = 0; i < seen->labels.count; i++)
        strbuf_addf(out, "host\t%s\t%s\n", seen->labels.items[i].pseudonym,
                    seen->labels.items[i].text);
}
