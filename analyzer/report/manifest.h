/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * manifest.json: what became of every entry the collector planned. Schema "xenhealth-manifest/1".
 */
#pragma once

#include <stddef.h>

#include "common/err.h"

/* Who hears of it. Texts are borrowed during the call and never NULL. */
struct manifest_listener {
    void (*run)(void *context, const char *host, const char *started);
    void (*entry)(void *context, const char *capability, const char *name, const char *status,
                  const char *reason);
    void *context;
};

/* Larger manifests are not read: 100000 entries fit. */
#define MANIFEST_BYTES_MAX (32u << 20)

/* ERR_PARSE (no JSON, another schema), ERR_LIMIT, ERR_NOMEM. */
int manifest_parse(const char *bytes, size_t length, const struct manifest_listener *listener,
                   struct err *err);
