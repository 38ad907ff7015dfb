/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A member that the run itself writes, in pieces: manifest and inventory have a record for each of
 * what may be very many entries, and dom0 is short of memory when reports matter.
 */
#pragma once

#include "collector/run/run.h"

struct own_member {
    struct run *run;
    const char *name;
    struct stage *stage;
    struct strbuf text;
    struct obfuscation *obfuscation; /* in front of the stage, or NULL */
    struct err failure; /* the first; further text is dropped */
};

int own_member_start(struct run *run, const char *name, struct own_member *ret, struct err *err);

/* Where the next record is appended; what stands there from before may have been moved on. */
struct strbuf *own_member_text(struct own_member *member);

/* Adds the member to the archive. Also frees; after own_member_start() failed it is not called. */
int own_member_end(struct own_member *member, struct err *err);
