/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Between the two halves of the generic search: generic.c brings whole lines, generic_block.c
 * judges them. Nobody else includes it.
 */
#pragma once

#include "collector/redact/columns.h"
#include "collector/redact/filter.h"
#include "collector/redact/follow.h"
#include "collector/redact/generic.h"
#include "collector/redact/headless.h"

#define OVERLAP   ((size_t)64 * 1024) /* what begins in it is left for the next piece */
#define LOOK_BACK ((size_t)2 * 1024)  /* what a detector may see before its anchor */

struct generic {
    struct strbuf pending; /* a line without its end */
    size_t done;           /* bytes at its beginning that are out already; kept to look back */
    bool binary;
    unsigned key_lines;       /* how many more lines may belong to a private key; 0: not in one */
    bool key_is_indented;     /* something stands before each line of it, as in a log */
    bool key_marked;          /* its REMOVED is out */
    struct follow follow;     /* a value that goes on on the next line */
    struct columns columns;   /* of the table that the lines are rows of */
    const char *judged_line;  /* end of the line that was asked whether it is a table's head */
    struct headless headless; /* the stream's beginning */
};

/* Bytes that are looked at together: whole lines, or a piece of a long one. */
struct block {
    const char *begin, *from; /* begin <= from: what stands before is out already */
    const char *limit;        /* no finding begins here or later */
    const char *end;
    const char *binary; /* data are binary from here on; `end` when they are not */
};

/* Puts out what may be seen of [from, limit); returns how far that went: limit, or more. */
const char *generic_block(struct generic *generic, const struct block *block,
                          struct filter_output *out);
