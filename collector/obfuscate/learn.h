/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Learning names before anything is collected, from the places that sources.yaml lists.
 *
 * It fails rather than learns half: a database that is there but cannot be read to its end would
 * leave names in the report.
 */
#pragma once

#include "collector/obfuscate/names.h"
#include "common/doc.h"

struct sources {
    struct arena *arena;
    const struct doc_node *root;
    const char *const
        *versions; /* ends with NULL: patterns of members whose numbers are versions */
    const char *const *stop, *const *words;
};

int sources_load(struct sources *ret, struct err *err);
void sources_release(struct sources *sources);

/* Whether a name is in one of the stop lists. */
bool sources_stop(const struct sources *sources, const char *text, size_t length);

/* Learns from all sources below `root`. */
int learn_all(struct names *names, const struct sources *sources, const char *root,
              struct err *err);

/* One value as the class wants it: host names lose their domain, which is learnt too; and so on. */
int learn_value(struct names *names, const struct sources *sources, enum name_class class,
                const char *text, size_t length, struct err *err);

/*
 * The same by the word that sources.yaml uses: a class, or "iqn", whose naming authority is learnt
 * in both orders (com.example, example.com).
 */
int learn_field(struct names *names, const struct sources *sources, const struct doc_node *kind,
                const char *text, size_t length, struct err *err);

/* All certificates in a text in PEM form (learn_certificate.c). */
int learn_certificates(struct names *names, const struct sources *sources, const char *text,
                       size_t length, struct err *err);

/* XAPI's database in an open file (learn_xapi.c). */
int learn_xapi(struct names *names, const struct sources *sources, int fd, const char *path,
               struct err *err);
