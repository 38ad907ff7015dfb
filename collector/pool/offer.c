/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Each host is asked for what it offers itself. The clients ask all for what all have in common,
 * since one choice is made for all; then a host with an old tool or one plugin less would cost the
 * others their logs.
 */
#include "collector/pool/offer.h"

#include <expat.h>

#include "common/io.h"

#define MAX_XML  (1 << 20)
#define MAX_KEYS 500
#define MAX_KEY  64

/* Large, and of use to few. */
static const char *const left_out[] = {"blobs", "vncterm", "xapi-debug"};

/* The newest logs only. */
static const char *const brief[] = {
    "host-crashdump-logs", "system-logs",       "tapdisk-logs",   "xapi",
    "xcp-rrdd-plugins",    "xenserver-install", "xenserver-logs",
};

struct reader {
    XML_Parser parser;
    struct strbuf *entries;
    bool all, refused;
    int count;
};

static bool is_listed(const char *const *list, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], key) == 0)
            return true;
    return false;
}

static bool is_key(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "._-");
    return length > 0 && length <= MAX_KEY && text[length] == '\0';
}

static void XMLCALL on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *reader = context;
    const char *key = NULL;
    bool checked = true;
    if (strcmp(name, "capability") != 0)
        return;
    for (; attributes[0]; attributes += 2)
        if (strcmp(attributes[0], "key") == 0)
            key = attributes[1];
        else if (strcmp(attributes[0], "default-checked") == 0)
            checked = strcmp(attributes[1], "no") != 0;
    if (!key || !is_key(key) || ++reader->count > MAX_KEYS || (!checked && !reader->all) ||
        is_listed(left_out, ARRAY_SIZE(left_out), key))
        return;
    strbuf_addf(reader->entries, "%s%s%s", reader->entries->length ? "," : "", key,
                is_listed(brief, ARRAY_SIZE(brief), key) ? ":2" : "");
}

static void XMLCALL on_doctype(void *context, const XML_Char *name, const XML_Char *external,
                               const XML_Char *public, int has_internal)
{
    struct reader *reader = context;
    (void)name, (void)external, (void)public, (void)has_internal;
    reader->refused = true;
    XML_StopParser(reader->parser, XML_FALSE);
}

int offer_to_entries(const char *xml, bool all, struct strbuf *entries, struct err *err)
{
    size_t length = strnlen(xml, MAX_XML + 1);
    struct reader reader = {.parser = XML_ParserCreate("UTF-8"), .entries = entries, .all = all};
    if (!reader.parser)
        return err_nomem(err);
    XML_SetUserData(reader.parser, &reader);
    XML_SetStartElementHandler(reader.parser, on_start);
    XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
    bool parsed = length <= MAX_XML &&
                  XML_Parse(reader.parser, xml, (int)length, XML_TRUE) == XML_STATUS_OK &&
                  !reader.refused;
    XML_ParserFree(reader.parser);
    if (!strbuf_ok(entries))
        return err_nomem(err);
    if (!parsed || entries->length == 0)
        return err_set(err, ERR_PARSE, "the host's list of capabilities cannot be read");
    return 0;
}
