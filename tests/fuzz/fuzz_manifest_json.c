/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * manifest.json: no bytes may crash the parser, and texts it hands out are never NULL.
 */
#include <stdint.h>

#include "analyzer/report/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(void *context, const char *host, const char *started)
{
    *(size_t *)context += strlen(host) + strlen(started);
}

static void entry(void *context, const char *capability, const char *name, const char *status,
                  const char *reason)
{
    *(size_t *)context += strlen(capability) + strlen(name) + strlen(status) + strlen(reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t seen = 0;
    const struct manifest_listener listener = {run, entry, &seen};
    manifest_parse((const char *)data, size, &listener, NULL);
    return 0;
}
