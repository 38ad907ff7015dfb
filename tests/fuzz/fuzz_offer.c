/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The list of what a host can report: whatever it holds, what the host is asked for then is a list
 * of plain names, and never empty on success.
 */
#include <assert.h>
#include <stdint.h>

#include "collector/pool/offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-,:";
    CLEANUP(strbuf_release) struct strbuf xml = STRBUF_INIT, entries = STRBUF_INIT;
    if (size < 1)
        return 0;
    strbuf_add(&xml, data + 1, size - 1);
    int r = offer_to_entries(xml.data, data[0] & 1, &entries, NULL);
    assert(entries.data[strspn(entries.data, allowed)] == '\0');
    assert(r < 0 || entries.length > 0);
    return 0;
}
