/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One pass over a stream that finds addresses and learnt names, and puts in their place what a
 * visitor says. Linear, constant memory. The result does not depend on how the stream is cut: a
 * place is judged when enough of what follows is known, and a little of what went before is kept.
 */
#pragma once

#include "collector/obfuscate/names.h"
#include "collector/obfuscate/recognise.h"
#include "common/strbuf.h"

enum match_kind {
    MATCH_ADDRESS,
    MATCH_NAME,
    MATCH_LABEL /* in front of a learnt domain: a host nobody told us of */
};

struct match {
    enum match_kind kind;
    const struct found_address *address;
    const struct name *name;
    const char *text; /* of a label */
    size_t length;
};

#define SCAN_REPLACEMENT 80
#define SCAN_KEEP        ((size_t)-1)

/* Writes what comes in place of the match to `out`; returns its length, or SCAN_KEEP. */
typedef size_t (*scan_visitor)(void *context, const struct match *match,
                               char out[SCAN_REPLACEMENT]);
typedef int (*scan_sink)(void *context, const void *bytes, size_t length, struct err *err);

struct scanner {
    const struct names *names;
    bool versions_only; /* dotted numbers are versions here */
    scan_visitor visit;
    void *visit_context;
    scan_sink sink; /* NULL: nothing is put out */
    void *sink_context;

    /* The scanner's own: */
    struct strbuf input, output;
    size_t from; /* put out up to here */
    size_t at;   /* looked at up to here */
    bool in_word;
};

void scanner_init(struct scanner *scanner);
int scanner_write(struct scanner *scanner, const void *bytes, size_t length, struct err *err);
int scanner_finish(struct scanner *scanner, struct err *err);
void scanner_release(struct scanner *scanner);
