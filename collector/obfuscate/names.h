/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The names that were learnt, and where one of them stands in a text.
 *
 * A name is found between word boundaries (a word is letters, digits and what is not ASCII), the
 * longest one that begins at a place wins, host names and domains are found in any case. A name is
 * also found as other tools write it: with XML entities, XAPI's or JSON's or OCaml's escapes, %20,
 * underscores for blanks.
 *
 * The index is a table of hashes of all beginnings of names that end at a word's end. Asking it
 * costs one look at a bitmap for nearly every word, and it is as good as an automaton for all names
 * since names begin and end at word boundaries, yet a tenth of the size.
 */
#pragma once

#include "collector/obfuscate/key.h"

enum name_class {
    NAME_HOST,
    NAME_POOL,
    NAME_VM,
    NAME_SR,
    NAME_NETWORK,
    NAME_DISK,
    NAME_TEXT, /* a description */
    NAME_USER,
    NAME_DOMAIN,
    NAME_CLASSES
};

#define NAME_FORM_MAX   1024 /* longest name in any form that is looked for */
#define PSEUDONYM_BYTES 40

struct name {
    enum name_class class;
    const char *text;
    const char *tail; /* punctuation behind it that was not learnt: the ")" of "Guests (blue)" */
    char pseudonym[PSEUDONYM_BYTES];
};

struct names;

const char *name_class_word(enum name_class class); /* "host", as in "host4k3f9a2m" */
bool name_class_find(const char *word, enum name_class *ret);

int names_new(const struct key *key, struct names **ret, struct err *err);
void *names_free(struct names *names);

/*
 * Learns a name; what is known already keeps its class. Punctuation at the ends is dropped. Names
 * shorter than three bytes or without a letter are not learnt: replacing them would destroy
 * everything. Long texts are learnt in pieces of sixteen words. ERR_LIMIT when there are too many.
 */
int names_add(struct names *names, enum name_class class, const char *text, size_t length,
              struct err *err);

/* Makes the index; nothing can be added afterwards, and threads may ask. */
int names_freeze(struct names *names, struct err *err);

struct name_match {
    const struct name *name;
    size_t lead;   /* bytes before the place that belong to it (an escape's backslash) */
    size_t length; /* bytes from the place on */
};

/* The longest name at `at`, the begin of a word that ends at `word_end`. */
bool names_match(const struct names *names, const char *text, size_t length, size_t at,
                 size_t word_end, struct name_match *ret);

/*
 * The pseudonym of any text in a class. It is one word, so no end of a learnt name ("test vm") can
 * come to stand in it.
 */
void names_pseudonym(const struct names *names, enum name_class class, const char *text,
                     size_t length, char *ret);

size_t names_count(const struct names *names);
const struct name *names_at(const struct names *names, size_t number);

/* Whether the byte belongs to a word. 0xe2 does not: it begins punctuation and box drawings. */
extern const unsigned char names_word_bytes[256];

static inline bool names_is_word(unsigned char c)
{
    return names_word_bytes[c];
}
