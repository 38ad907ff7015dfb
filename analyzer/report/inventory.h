/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * inventory.xml: what the collector says about the host and about each file it took. Its last
 * member, so a report without one is not whole.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

/* Who hears of it. Texts are borrowed during the call and never NULL. */
struct inventory_listener {
    void (*summary)(void *context, const char *hostname, const char *date, const char *uptime);
    void (*entry)(void *context, const char *capability, const char *filename);
    void *context;
};

struct inventory_parser;

int inventory_parser_new(const struct inventory_listener *listener, struct inventory_parser **ret,
                         struct err *err);
void *inventory_parser_free(struct inventory_parser *parser);

/* Pieces in order. ERR_PARSE (not well-formed, a DOCTYPE, another root element), ERR_LIMIT,
 * ERR_NOMEM. */
int inventory_parser_feed(struct inventory_parser *parser, const char *bytes, size_t length,
                          struct err *err);

/* After the last piece. */
int inventory_parser_finish(struct inventory_parser *parser, struct err *err);
