/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The hash is that of the bytes with ASCII letters in lower case, and it grows byte by byte, so all
 * beginnings of a text are asked for in one pass over it. Its start is a secret of the key: names
 * come from tenants, who must not be able to make them clash.
 */
#include "collector/obfuscate/names.h"

#include "collector/obfuscate/forms.h"
#include "common/arena.h"
#include "common/vec.h"

#define MAX_NAMES     200000 /* a pool of 64 hosts has some 30 000 VMs, disks and snapshots */
#define MAX_NAME      255    /* longer ones, and those of more words, are learnt in pieces, */
#define MAX_WORDS     16     /* which bounds the work at a place of the text */
#define MIN_NAME      3
#define MAX_TAIL      8 /* bytes of punctuation at a name's end */
#define MAX_MEMORY    ((size_t)256 * 1024 * 1024)
#define TOKEN_LETTERS 8 /* 38 bits: 30 000 names clash with a probability of 1 : 600 */
#define FILTER_BITS   16
#define HASH_FACTOR   0x9e3779b97f4a7c15ULL

struct form_of_name {
    const struct name *name;
    const char *text; /* whole; matching begins at text + lead */
    uint32_t length, lead;
};

struct slot {
    uint64_t hash;                   /* 0: free */
    const struct form_of_name *form; /* NULL: only the beginning of a name */
};

struct names {
    struct arena *arena;
    struct key key;
    uint64_t seed;
    VEC(struct name *) list;
    struct slot *known, *slots; /* by the name itself (for learning); by form (for finding) */
    size_t known_size, size, used;
    uint64_t filter[(1 << FILTER_BITS) / 64];
};

static const struct {
    const char *word;
    bool any_case;
} classes[NAME_CLASSES] = {
    [NAME_HOST] = {"host", true},     [NAME_POOL] = {"pool", false},
    [NAME_VM] = {"vm", false},        [NAME_SR] = {"sr", false},
    [NAME_NETWORK] = {"net", false},  [NAME_DISK] = {"disk", false},
    [NAME_TEXT] = {"text", false},    [NAME_USER] = {"user", false},
    [NAME_DOMAIN] = {"domain", true},
};

const unsigned char names_word_bytes[256] = {['0' ... '9'] = 1,
                                             ['A' ... 'Z'] = 1,
                                             ['a' ... 'z'] = 1,
                                             [0x80 ... 0xe1] = 1,
                                             [0xe3 ... 0xff] = 1};

const char *name_class_word(enum name_class class)
{
    return classes[class].word;
}

bool name_class_find(const char *word, enum name_class *ret)
{
    for (int i = 0; i < NAME_CLASSES; i++)
        if (strcmp(classes[i].word, word) == 0) {
            *ret = (enum name_class)i;
            return true;
        }
    return false;
}

static unsigned char fold(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static uint64_t hash_byte(uint64_t hash, unsigned char c)
{
    return (hash ^ fold(c)) * HASH_FACTOR;
}

static uint64_t hash_end(uint64_t hash)
{
    hash ^= hash >> 29;
    return hash ? hash : 1;
}

static unsigned filter_bit(const char *word, size_t length)
{
    unsigned first = fold((unsigned char)word[0]);
    unsigned second = length > 1 ? fold((unsigned char)word[1]) : 0;
    unsigned third = length > 2 ? fold((unsigned char)word[2]) : 0;
    return (first ^ second << 4 ^ third << 8 ^ (unsigned)length << 11) & ((1 << FILTER_BITS) - 1);
}

int names_new(const struct key *key, struct names **ret, struct err *err)
{
    uint8_t digest[DIGEST_BYTES];
    struct names *names = calloc(1, sizeof *names);
    if (!names)
        return err_nomem(err);
    names->arena = arena_new(MAX_MEMORY);
    if (!names->arena) {
        free(names);
        return err_nomem(err);
    }
    names->key = *key;
    key_digest(key, "seed", NULL, 0, digest);
    memcpy(&names->seed, digest, sizeof names->seed);
    *ret = names;
    return 0;
}

void *names_free(struct names *names)
{
    if (!names)
        return NULL;
    arena_free(names->arena);
    vec_free(&names->list);
    free(names->known);
    free(names->slots);
    free(names);
    return NULL;
}

static bool same(const char *a, const char *b, size_t length, bool any_case)
{
    if (!any_case)
        return memcmp(a, b, length) == 0;
    for (size_t i = 0; i < length; i++)
        if (fold((unsigned char)a[i]) != fold((unsigned char)b[i]))
            return false;
    return true;
}

void names_pseudonym(const struct names *names, enum name_class class, const char *text,
                     size_t length, char *ret)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    char folded[MAX_NAME];
    uint8_t digest[DIGEST_BYTES];
    char token[TOKEN_LETTERS + 1] = "";
    length = length < MAX_NAME ? length : MAX_NAME;
    for (size_t i = 0; i < length; i++)
        folded[i] = classes[class].any_case ? (char)fold((unsigned char)text[i]) : text[i];
    key_digest(&names->key, "name", folded, length, digest);
    for (size_t i = 0; i < TOKEN_LETTERS; i++)
        token[i] = i ? letters[digest[i] % 32] : (char)('2' + digest[i] % 8);
    snprintf(ret, PSEUDONYM_BYTES, "%s%s%s", classes[class].word, token,
             class == NAME_DOMAIN ? ".invalid" : "");
}

static uint64_t hash_all(const struct names *names, const char *text, size_t length)
{
    uint64_t hash = names->seed;
    for (size_t i = 0; i < length; i++)
        hash = hash_byte(hash, (unsigned char)text[i]);
    return hash_end(hash);
}

static int grow(struct slot **slots, size_t *size, size_t wanted, struct err *err)
{
    struct slot *bigger = calloc(wanted, sizeof *bigger);
    if (!bigger)
        return err_nomem(err);
    for (size_t i = 0; i < *size; i++) {
        if (!(*slots)[i].hash)
            continue;
        size_t at = (*slots)[i].hash & (wanted - 1);
        while (bigger[at].hash)
            at = (at + 1) & (wanted - 1);
        bigger[at] = (*slots)[i];
    }
    free(*slots);
    *slots = bigger;
    *size = wanted;
    return 0;
}

static bool is_known(const struct names *names, uint64_t hash, const char *text, size_t length)
{
    for (size_t at = hash & (names->known_size - 1); names->known[at].hash;
         at = (at + 1) & (names->known_size - 1)) {
        const struct form_of_name *form = names->known[at].form;
        if (names->known[at].hash == hash && form->length == length &&
            same(form->text, text, length, classes[form->name->class].any_case))
            return true;
    }
    return false;
}

static void put(struct slot *slots, size_t size, uint64_t hash, const struct form_of_name *form)
{
    size_t at = hash & (size - 1);
    while (slots[at].hash)
        at = (at + 1) & (size - 1);
    slots[at] = (struct slot){hash, form};
}

static bool is_learnable(const char *text, size_t length)
{
    bool letter = false;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        letter = letter || c >= 0x80 || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    }
    return letter && length >= MIN_NAME;
}

/* The end of the word that begins at `at`. */
static size_t word_end(const char *text, size_t length, size_t at)
{
    while (at < length && names_is_word((unsigned char)text[at]))
        at++;
    return at;
}

static void trim(const char **text, size_t *length)
{
    while (*length > 0 && !names_is_word((unsigned char)**text))
        ++*text, --*length;
    while (*length > 0 && !names_is_word((unsigned char)(*text)[*length - 1]))
        --*length;
}

static int add_one(struct names *names, enum name_class class, const char *text, size_t length,
                   struct err *err)
{
    trim(&text, &length);
    length = length < MAX_NAME ? length : MAX_NAME;
    if (!is_learnable(text, length))
        return 0;
    if (names->list.count >= MAX_NAMES)
        return err_set(err, ERR_LIMIT, "more than %d names are to be replaced by pseudonyms",
                       MAX_NAMES);
    if (names->list.count * 2 >= names->known_size) {
        size_t wanted = names->known_size ? names->known_size * 2 : 1024;
        int r = grow(&names->known, &names->known_size, wanted, err);
        if (r < 0)
            return r;
    }
    uint64_t hash = hash_all(names, text, length);
    if (is_known(names, hash, text, length))
        return 0;
    struct name *name = arena_alloc(names->arena, sizeof *name);
    struct form_of_name *form = arena_alloc(names->arena, sizeof *form);
    char *copy = arena_memdup(names->arena, text, length);
    struct name **item = name && form && copy ? vec_push(&names->list) : NULL;
    if (!item)
        return err_nomem(err);
    name->class = class;
    name->text = copy;
    name->tail = "";
    names_pseudonym(names, class, copy, length, name->pseudonym);
    *form = (struct form_of_name){.name = name, .text = copy, .length = (uint32_t)length};
    put(names->known, names->known_size, hash, form);
    *item = name;
    return 0;
}

static size_t count_words(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t at = 0; at < length; at++)
        count += names_is_word((unsigned char)text[at]) &&
                 (at == 0 || !names_is_word((unsigned char)text[at - 1]));
    return count;
}

/* What stands behind the last word of a name, if it is short. */
static int keep_tail(struct names *names, struct name *name, const char *from, const char *to,
                     struct err *err)
{
    while (to > from && (to[-1] == ' ' || to[-1] == '\n'))
        to--;
    if (to == from || to - from > MAX_TAIL)
        return 0;
    name->tail = arena_memdup(names->arena, from, (size_t)(to - from));
    return name->tail ? 0 : err_nomem(err);
}

int names_add(struct names *names, enum name_class class, const char *text, size_t length,
              struct err *err)
{
    const char *text_end = text + length;
    size_t known = names->list.count;
    trim(&text, &length);
    size_t words = count_words(text, length);
    size_t pieces = (words + MAX_WORDS - 1) / MAX_WORDS, by_size = length / MAX_NAME + 1;
    pieces = pieces > by_size ? pieces : by_size;
    size_t share = (words + pieces - 1) / pieces;
    int r = 0;
    while (r == 0 && length > 0) {
        size_t end = 0;
        for (size_t i = 0; i < share && end < length; i++) {
            end = word_end(text, length, end);
            while (end < length && !names_is_word((unsigned char)text[end]))
                end++;
        }
        r = add_one(names, class, text, end, err);
        text += end;
        length -= end;
    }
    if (r == 0 && names->list.count > known)
        r = keep_tail(names, names->list.items[names->list.count - 1], text, text_end, err);
    return r;
}

static int make_room(struct names *names, struct err *err)
{
    size_t wanted = names->size ? names->size * 2 : 4096;
    return names->used * 2 < names->size ? 0 : grow(&names->slots, &names->size, wanted, err);
}

static bool has_prefix(const struct names *names, uint64_t hash)
{
    for (size_t at = hash & (names->size - 1); names->slots[at].hash;
         at = (at + 1) & (names->size - 1))
        if (names->slots[at].hash == hash && !names->slots[at].form)
            return true;
    return false;
}

/* Enters a form: its beginnings, and itself. */
static int index_form(struct names *names, const struct form_of_name *form, struct err *err)
{
    const char *text = form->text;
    size_t at = form->lead, first = word_end(text, form->length, at);
    unsigned bit = filter_bit(text + at, first - at);
    uint64_t hash = names->seed;
    names->filter[bit / 64] |= 1ULL << bit % 64;
    for (size_t end = first; at < form->length; end = word_end(text, form->length, end)) {
        for (; at < end; at++)
            hash = hash_byte(hash, (unsigned char)text[at]);
        int r = make_room(names, err);
        if (r < 0)
            return r;
        bool last = end == form->length;
        if (last || !has_prefix(names, hash_end(hash))) {
            put(names->slots, names->size, hash_end(hash), last ? form : NULL);
            names->used++;
        }
        while (end < form->length && !names_is_word((unsigned char)text[end]))
            end++;
    }
    return 0;
}

static int add_form(struct names *names, const struct name *name, const char *text, size_t length,
                    struct err *err)
{
    size_t lead = 0;
    while (length > 0 && !names_is_word((unsigned char)text[length - 1]))
        length--;
    while (lead < length && !names_is_word((unsigned char)text[lead]))
        lead++;
    if (length == lead || length > NAME_FORM_MAX)
        return 0;
    struct form_of_name *form = arena_alloc(names->arena, sizeof *form);
    char *copy = form ? arena_memdup(names->arena, text, length) : NULL;
    if (!copy)
        return err_nomem(err);
    *form = (struct form_of_name){
        .name = name, .text = copy, .length = (uint32_t)length, .lead = (uint32_t)lead};
    return index_form(names, form, err);
}

static int add_forms(struct names *names, const struct name *name, struct err *err)
{
    struct strbuf texts = STRBUF_INIT; /* all forms, one behind the other */
    size_t length = strlen(name->text), begins[FORM_COUNT + 1] = {0};
    int r = add_form(names, name, name->text, length, err);
    for (int i = 0; r == 0 && i < FORM_COUNT; i++) {
        size_t begin = begins[i] = texts.length;
        bool fresh = form_write(i, name->text, length, &texts);
        if (!strbuf_ok(&texts))
            r = err_nomem(err);
        size_t n = texts.length - begin;
        for (int k = 0; fresh && r == 0 && k < i; k++)
            fresh = begins[k + 1] - begins[k] != n ||
                    memcmp(texts.data + begins[k], texts.data + begin, n) != 0;
        if (fresh && r == 0)
            r = add_form(names, name, texts.data + begin, n, err);
        begins[i + 1] = texts.length;
    }
    strbuf_release(&texts);
    return r;
}

int names_freeze(struct names *names, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < names->list.count; i++)
        r = add_forms(names, names->list.items[i], err);
    return r;
}

/* What the table has for the beginning that ends at `end`. Returns whether names go on there. */
static bool look_up(const struct names *names, uint64_t hash, const char *text, size_t at,
                    size_t end, struct name_match *best)
{
    bool goes_on = false;
    for (size_t i = hash & (names->size - 1); names->slots[i].hash;
         i = (i + 1) & (names->size - 1)) {
        const struct form_of_name *form = names->slots[i].form;
        if (names->slots[i].hash != hash)
            continue;
        if (!form) {
            goes_on = true;
            continue;
        }
        if (form->length - form->lead != end - at || form->lead > at ||
            (best->name && best->length == end - at) ||
            !same(form->text, text + at - form->lead, form->length,
                  classes[form->name->class].any_case))
            continue;
        *best = (struct name_match){form->name, form->lead, end - at};
    }
    return goes_on;
}

bool names_match(const struct names *names, const char *text, size_t length, size_t at, size_t end,
                 struct name_match *ret)
{
    unsigned bit = filter_bit(text + at, end - at);
    if (!(names->filter[bit / 64] >> bit % 64 & 1))
        return false;
    uint64_t hash = names->seed;
    struct name_match best = {.name = NULL};
    size_t whole = length;
    if (length - at > NAME_FORM_MAX)
        length = at + NAME_FORM_MAX;
    for (size_t i = at; end <= length;) {
        for (; i < end; i++)
            hash = hash_byte(hash, (unsigned char)text[i]);
        if (!look_up(names, hash_end(hash), text, at, end, &best))
            break;
        while (end < length && !names_is_word((unsigned char)text[end]))
            end++;
        if (end >= length)
            break;
        end = word_end(text, length, end);
    }
    if (!best.name)
        return false;
    size_t tail = strlen(best.name->tail), after = at + best.length;
    if (tail && whole - after >= tail && memcmp(text + after, best.name->tail, tail) == 0)
        best.length += tail;
    *ret = best;
    return true;
}

size_t names_count(const struct names *names)
{
    return names->list.count;
}

const struct name *names_at(const struct names *names, size_t number)
{
    return names->list.items[number];
}
