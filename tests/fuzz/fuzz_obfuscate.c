/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * However a stream is cut the result must be the same, and no learnt name may be left in it.
 */
#include <stdint.h>

#include "collector/obfuscate/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct key key = {"a key of thirty-two bytes, or so"};

static size_t replace(void *context, const struct match *match, char out[SCAN_REPLACEMENT])
{
    ++*(int *)context;
    if (match->kind == MATCH_ADDRESS) {
        struct address address = address_map(&key, &match->address->address);
        return recognise_format(match->address, &address, out, SCAN_REPLACEMENT);
    }
    const char *text = match->kind == MATCH_NAME ? match->name->pseudonym : "label";
    return (size_t)snprintf(out, SCAN_REPLACEMENT, "%s", text);
}

static size_t count_names(void *context, const struct match *match, char out[SCAN_REPLACEMENT])
{
    (void)out;
    *(int *)context += match->kind == MATCH_NAME;
    return SCAN_KEEP;
}

static int append(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)err;
    strbuf_add(context, bytes, length);
    return 0;
}

static int scan(const struct names *names, scan_visitor visit, const void *bytes, size_t length,
                size_t step, struct strbuf *out)
{
    int found = 0;
    struct scanner scanner = {.names = names,
                              .visit = visit,
                              .visit_context = &found,
                              .sink = out ? append : NULL,
                              .sink_context = out};
    scanner_init(&scanner);
    for (size_t at = 0, n; at < length; at += n) {
        n = length - at < step ? length - at : step;
        if (scanner_write(&scanner, (const char *)bytes + at, n, NULL) < 0)
            abort();
    }
    if (scanner_finish(&scanner, NULL) < 0)
        abort();
    scanner_release(&scanner);
    return found;
}

static struct names *learn(void)
{
    static const char *const texts[] = {"web1", "web1 old", "R&D \"box\"", "B\xc3\xbcro", "a b c"};
    struct names *names;
    if (names_new(&key, &names, NULL) < 0 || names_add(names, NAME_HOST, "xenhost7", 8, NULL) < 0 ||
        names_add(names, NAME_DOMAIN, "corp.example", 12, NULL) < 0)
        abort();
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (names_add(names, NAME_VM, texts[i], strlen(texts[i]), NULL) < 0)
            abort();
    if (names_freeze(names, NULL) < 0)
        abort();
    return names;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct names *names;
    struct strbuf whole = STRBUF_INIT, parts = STRBUF_INIT;
    if (size < 2)
        return 0;
    names = names ? names : learn();
    int a = scan(names, replace, data, size, size, &whole);
    int b = scan(names, replace, data, size, 1 + data[0] % 9, &parts);
    if (a != b || whole.length != parts.length ||
        memcmp(whole.data, parts.data, whole.length) != 0 ||
        scan(names, count_names, whole.data, whole.length, 4096, NULL) > 0)
        abort();
    strbuf_release(&whole);
    strbuf_release(&parts);
    return 0;
}
