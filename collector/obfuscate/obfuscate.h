/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --obfuscate: a report that names nobody.
 *
 * Idea. Addresses (IPv4, IPv6, MAC) and the names that were learnt before the run (hosts, VMs,
 * storage, networks, pools, users, domains) are replaced in every byte on its way to the archive,
 * by pseudonyms that are computed with a secret key. So they are the same in all entries, in all
 * runs, and on all hosts that have the key; and they keep what an analysis needs: the kind of the
 * name, the class and the prefix of the address.
 *
 * Invariants.
 *  - One original has one pseudonym, two originals have two (names: as far as 38 bits of a digest
 * go).
 *  - The result does not depend on how a stream is cut, nor on the order of entries.
 *  - What cannot be looked into (another compression than gzip) is replaced by a notice.
 *  - Nothing of the key, the originals or the map gets into the archive, the log, or a message.
 *
 * Threat model. It protects against those who get the report and do not have the key. They must
 * not learn names and addresses, but they may learn structure: which addresses are neighbours, that
 * a host is mentioned here and there. Somebody who knows some originals and where they occur can
 * find out their pseudonyms, and something about the prefixes of their neighbours. What is no
 * address and was not learnt stays: names of files and folders, what a program logs of its own
 * data, text in pictures or in binary formats other than UTF-8, serial numbers, UUIDs, IQNs, WWNs.
 *
 * The finished archive is searched for every original afterwards (obfuscator_search()).
 */
#pragma once

#include "common/err.h"
#include "common/strbuf.h"

#define OBFUSCATE_DEFAULT_KEY "/etc/xenhealth/obfuscate.key"

struct obfuscator;

/*
 * Loads the key, or makes one, and learns the names of the host below `root`. `host_name` is what
 * the host calls itself. Use by several threads afterwards is fine.
 */
int obfuscator_open(const char *key_file, const char *root, const char *host_name,
                    struct obfuscator **ret, struct err *err);
void *obfuscator_free(struct obfuscator *obfuscator);

/* A whole text: names of members, the log, notices. Appends to `out`. */
int obfuscate_text(struct obfuscator *obfuscator, const char *text, size_t length,
                   struct strbuf *out, struct err *err);

/* Replaces a text that lies in a buffer of `size` bytes; what does not fit is cut. */
int obfuscate_in_place(struct obfuscator *obfuscator, char *text, size_t size, struct err *err);

/* One line about the run for its log, without a newline. */
void obfuscator_describe(const struct obfuscator *obfuscator, struct strbuf *out);

/*
 * Writes the map that turns pseudonyms back, mode 0600, to `path`, which must not exist: lines
 * "class TAB pseudonym TAB original".
 */
int obfuscator_write_map(const struct obfuscator *obfuscator, const char *path, struct err *err);

/*
 * Searches a finished archive (tar, tar.bz2, zip; gzip members are looked into) for originals.
 * ERR_DENIED when there is one; the text tells the class and the number, never the original. `fd`
 * stays open, at an unknown place.
 */
int obfuscator_search(struct obfuscator *obfuscator, int fd, struct err *err);

/* One entry on its way to the archive. */
struct obfuscation;

/*
 * The same search for an archive that cannot be read back (--outfd): each member before it is
 * added. It knows the addresses that were replaced so far. leak_search_member() looks at the name
 * and opens a stream for the content, to be written, finished and freed as any.
 */
struct leak_search;

int leak_search_new(struct obfuscator *obfuscator, struct leak_search **ret, struct err *err);
void *leak_search_free(struct leak_search *search);
int leak_search_member(struct leak_search *search, const char *name, struct obfuscation **ret,
                       struct err *err);
int leak_search_verdict(const struct leak_search *search, struct err *err);

typedef int (*obfuscation_sink)(void *context, const void *bytes, size_t length, struct err *err);

/* `member` is the entry's name in the archive: rules are by its last part. */
int obfuscation_new(struct obfuscator *obfuscator, const char *member, obfuscation_sink sink,
                    void *context, struct obfuscation **ret, struct err *err);
void *obfuscation_free(struct obfuscation *obfuscation);

/* ERR_UNSUPPORTED: compressed in a way that cannot be looked into. */
int obfuscation_write(struct obfuscation *obfuscation, const void *bytes, size_t length,
                      struct err *err);

/* *ret_damaged: the entry is gzip and ended early or badly; what could be read is there. */
int obfuscation_finish(struct obfuscation *obfuscation, bool *ret_damaged, struct err *err);
