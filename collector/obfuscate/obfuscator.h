/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the files of this folder share of an obfuscator.
 */
#pragma once

#include <stdatomic.h>

#include "collector/obfuscate/learn.h"
#include "collector/obfuscate/obfuscate.h"
#include "collector/obfuscate/scan.h"
#include "collector/obfuscate/seen.h"

struct obfuscator {
    struct key key;
    struct sources sources;
    struct names *names;
    struct seen *seen;
    atomic_llong replaced;
};

/* Whether dotted numbers in this member are versions. */
bool obfuscator_has_versions(const struct obfuscator *obfuscator, const char *member);

/* Looks into a stream with other ends than an obfuscation: for the search. */
int obfuscation_new_search(struct obfuscator *obfuscator, const char *member, scan_visitor visit,
                           void *context, struct obfuscation **ret, struct err *err);
