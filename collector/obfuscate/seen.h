/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What was replaced in this run: for the map that turns pseudonyms back, and for the search of the
 * finished archive. Also saves computing a pseudonym twice. For all threads of a run.
 *
 * Its size is limited. When more addresses come than it holds, they are replaced all the same; the
 * map then lacks them (the key turns them back) and the search does not look for them.
 */
#pragma once

#include "collector/obfuscate/address.h"
#include "common/strbuf.h"

struct seen;

int seen_new(const struct key *key, struct seen **ret, struct err *err);
void *seen_free(struct seen *seen);

/* The pseudonym of an address; remembers both. */
struct address seen_map(struct seen *seen, const struct address *address);

/* Remembers a label in front of a learnt domain. */
void seen_label(struct seen *seen, const char *text, size_t length, const char *pseudonym);

/* Whether the address was replaced somewhere, and is not a pseudonym of another one. */
bool seen_is_original(const struct seen *seen, const struct address *address);

/* How many different addresses were replaced. */
size_t seen_count(const struct seen *seen, bool *ret_all);

/* Lines "class TAB pseudonym TAB original". */
void seen_write(const struct seen *seen, struct strbuf *out);
