/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The first byte chooses the filter; `secrets` follows every one and is the last choice alone.
 * However the input is cut the result must be the same, and in what came out secrets can be
 * looked for again.
 * Of damaged compressed data it depends on the cuts how much is unpacked before the damage shows.
 */
#include <stdint.h>

#include "collector/redact/codec.h"
#include "collector/redact/redact.h"
#include "common/compiler.h"
#include "common/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int append(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)err;
    strbuf_add(context, bytes, length);
    return 0;
}

static int redact(const char *filter, const char *bytes, size_t length, size_t step, bool rewrite,
                  struct strbuf *out)
{
    const char *const names[] = {filter, NULL};
    struct redactor *redactor;
    int r = redactor_new(names, append, out, &redactor, NULL);
    if (r < 0)
        abort();
    if (rewrite)
        redactor_rewrite(redactor);
    for (size_t at = 0, n; r == 0 && at < length; at += n) {
        n = length - at < step ? length - at : step;
        r = redactor_write(redactor, bytes + at, n, NULL);
    }
    if (r == 0)
        r = redactor_finish(redactor, NULL);
    bool again = !rewrite && redactor_wants_rewrite(redactor);
    redactor_free(redactor);
    if (again)
        strbuf_clear(out);
    return again ? redact(filter, bytes, length, step, true, out) : r;
}

static bool same(const struct strbuf *a, const struct strbuf *b)
{
    return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

static bool is_packed(const char *bytes, size_t length)
{
    static const struct codec *const codecs[] = {&codec_gzip, &codec_bzip2, &codec_xz, &codec_zstd};
    for (size_t i = 0; i < ARRAY_SIZE(codecs); i++)
        if (length >= codecs[i]->magic_length &&
            memcmp(bytes, codecs[i]->magic, codecs[i]->magic_length) == 0)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"xapi-db",  "xapi-clusterd", "snmp-xs",     "xenstore",
                                        "snmpd-xs", "snmpd",         REDACT_SECRETS};
    if (size < 2)
        return 0;
    const char *filter = names[data[0] % ARRAY_SIZE(names)], *bytes = (const char *)data + 1;
    CLEANUP(strbuf_release)
    struct strbuf whole = STRBUF_INIT, parts = STRBUF_INIT, again = STRBUF_INIT;
    int r = redact(filter, bytes, size - 1, size, false, &whole);
    int in_parts = redact(filter, bytes, size - 1, 1 + data[1] % 7, false, &parts);
    if (is_packed(bytes, size - 1))
        return 0;
    if ((in_parts == 0) != (r == 0)) /* which of two filters refuses first depends on the pieces */
        abort();
    if (r == 0 && (!same(&whole, &parts) ||
                   redact(REDACT_SECRETS, whole.data, whole.length, size, false, &again) != 0))
        abort();
    return 0;
}
