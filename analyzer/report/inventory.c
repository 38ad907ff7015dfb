/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * inventory.xml by expat, in pieces as they come.
 *
 * A document type declaration is refused outright, since everything that makes XML dangerous
 * (entities that grow, external files) begins with one. expat keeps its own limits on top of that.
 */
#include "analyzer/report/inventory.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (64 << 20) /* the largest inventories of real reports are a few megabytes */
#define DEPTH_MAX 16         /* a real one is two deep */

struct inventory_parser {
    XML_Parser expat;
    struct inventory_listener listener;
    struct err refused; /* why a handler stopped the parser */
    int64_t fed;
    int depth;
};

static void refuse(struct inventory_parser *parser, int code, const char *text)
{
    err_set(&parser->refused, code, "%s", text);
    XML_StopParser(parser->expat, XML_FALSE);
}

static void on_doctype(void *context, const XML_Char *name, const XML_Char *system_id,
                       const XML_Char *public_id, int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    refuse(context, ERR_PARSE, "it has a document type declaration, which no inventory needs");
}

static const char *attribute(const XML_Char **attributes, const char *name)
{
    for (; *attributes; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return "";
}

static void on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct inventory_parser *parser = context;
    const struct inventory_listener *listener = &parser->listener;

    if (++parser->depth > DEPTH_MAX)
        refuse(parser, ERR_LIMIT, "its elements are nested too deeply");
    else if (parser->depth == 1 && strcmp(name, "system-status-inventory") != 0)
        refuse(parser, ERR_PARSE, "it is XML, but no inventory");
    else if (parser->depth == 2 && strcmp(name, "system-summary") == 0)
        listener->summary(listener->context, attribute(attributes, "hostname"),
                          attribute(attributes, "date"), attribute(attributes, "uptime"));
    else if (parser->depth == 2 && strcmp(name, "inventory-entry") == 0)
        listener->entry(listener->context, attribute(attributes, "capability"),
                        attribute(attributes, "filename"));
}

static void on_end(void *context, const XML_Char *name)
{
    (void)name;
    ((struct inventory_parser *)context)->depth--;
}

int inventory_parser_new(const struct inventory_listener *listener, struct inventory_parser **ret,
                         struct err *err)
{
    struct inventory_parser *parser = calloc(1, sizeof *parser);
    if (!parser)
        return err_nomem(err);
    parser->listener = *listener;
    parser->expat = XML_ParserCreate(NULL);
    if (!parser->expat) {
        free(parser);
        return err_nomem(err);
    }
    XML_SetUserData(parser->expat, parser);
    XML_SetElementHandler(parser->expat, on_start, on_end);
    XML_SetStartDoctypeDeclHandler(parser->expat, on_doctype);
    *ret = parser;
    return 0;
}

void *inventory_parser_free(struct inventory_parser *parser)
{
    if (parser) {
        XML_ParserFree(parser->expat);
        free(parser);
    }
    return NULL;
}

static int parse(struct inventory_parser *parser, const char *bytes, size_t length, bool is_final,
                 struct err *err)
{
    if (XML_Parse(parser->expat, bytes, (int)length, is_final) == XML_STATUS_OK)
        return 0;
    if (parser->refused.code != ERR_OK)
        return err_set(err, parser->refused.code, "%s", parser->refused.text);
    return err_set(err, ERR_PARSE, "%s in line %lu",
                   XML_ErrorString(XML_GetErrorCode(parser->expat)),
                   (unsigned long)XML_GetCurrentLineNumber(parser->expat));
}

int inventory_parser_feed(struct inventory_parser *parser, const char *bytes, size_t length,
                          struct err *err)
{
    parser->fed += (int64_t)length;
    if (parser->fed > BYTES_MAX || length > BYTES_MAX)
        return err_set(err, ERR_LIMIT, "it is larger than %d MiB", BYTES_MAX >> 20);
    return parse(parser, bytes, length, false, err);
}

int inventory_parser_finish(struct inventory_parser *parser, struct err *err)
{
    return parse(parser, "", 0, true, err);
}
