/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * expat calls back; the first problem stops it. Defaults of attributes can come from a DTD, so the
 * bytes of all attributes count like text: nothing a file holds can become much more than the file.
 */
#include "collector/catalog/plugin_xml.h"

#include <expat.h>

#include "common/strbuf.h"
#include "common/vec.h"

#define MAX_DEPTH    32
#define MAX_ELEMENTS 4096
#define MAX_BYTES    (2 * PLUGIN_XML_BYTES) /* of text and attributes that are kept */

struct open_element {
    size_t number;
    struct strbuf text;
};

struct parser {
    XML_Parser expat;
    struct arena *arena;
    const char *name;
    VEC(struct plugin_element) elements;
    struct open_element open[MAX_DEPTH];
    size_t depth, bytes;
    struct err *err;
    int result;
};

static void fail(struct parser *parser, int code, const char *text)
{
    if (parser->result < 0)
        return;
    parser->result =
        err_set_at(parser->err, code, parser->name, (int)XML_GetCurrentLineNumber(parser->expat),
                   (int)XML_GetCurrentColumnNumber(parser->expat) + 1, "%s", text);
    XML_StopParser(parser->expat, XML_FALSE);
}

/* Counts bytes that are to be kept; false beyond the limit. */
static bool afford(struct parser *parser, size_t bytes)
{
    parser->bytes += bytes;
    if (parser->bytes <= MAX_BYTES)
        return true;
    fail(parser, ERR_LIMIT, "the file holds too much text");
    return false;
}

static const char *const *copy_attributes(struct parser *parser, const XML_Char **attributes)
{
    size_t count = 0;
    while (attributes[count])
        count++;
    const char **copy = arena_array(parser->arena, count + 1, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        if (!afford(parser, strlen(attributes[i]) + 1))
            return NULL;
        copy[i] = arena_strdup(parser->arena, attributes[i]);
        if (!copy[i])
            return NULL;
    }
    return copy;
}

static void on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct parser *parser = context;
    if (parser->result < 0)
        return;
    if (parser->depth == MAX_DEPTH || parser->elements.count == MAX_ELEMENTS) {
        fail(parser, ERR_LIMIT, "the file has too many elements or they are nested too deeply");
        return;
    }
    if (!afford(parser, strlen(name) + 1))
        return;
    struct plugin_element *element = vec_push(&parser->elements);
    if (!element) {
        parser->result = err_nomem(parser->err);
        return;
    }
    element->name = arena_strdup(parser->arena, name);
    element->line = (int)XML_GetCurrentLineNumber(parser->expat);
    element->attributes = copy_attributes(parser, attributes);
    element->text = "";
    if (parser->result == 0 && (!element->name || !element->attributes))
        fail(parser, ERR_NOMEM, "memory is exhausted");
    parser->open[parser->depth++] =
        (struct open_element){parser->elements.count - 1, STRBUF_INIT_MAX(MAX_BYTES)};
}

static void on_text(void *context, const XML_Char *text, int length)
{
    struct parser *parser = context;
    if (parser->result == 0 && parser->depth > 0 && afford(parser, (size_t)length))
        strbuf_add(&parser->open[parser->depth - 1].text, text, (size_t)length);
}

static void on_end(void *context, const XML_Char *name)
{
    struct parser *parser = context;
    (void)name;
    if (parser->result < 0 || parser->depth == 0)
        return;
    struct open_element *open = &parser->open[--parser->depth];
    const char *text = strbuf_ok(&open->text) ? arena_strdup(parser->arena, open->text.data) : NULL;
    strbuf_release(&open->text);
    if (text)
        parser->elements.items[open->number].text = text;
    else
        fail(parser, ERR_NOMEM, "memory is exhausted");
}

static void on_entity(void *context, const XML_Char *name, int is_parameter, const XML_Char *value,
                      int value_length, const XML_Char *base, const XML_Char *system_id,
                      const XML_Char *public_id, const XML_Char *notation)
{
    (void)name, (void)is_parameter, (void)value, (void)value_length, (void)base;
    (void)system_id, (void)public_id, (void)notation;
    fail(context, ERR_PARSE, "entity declarations are not accepted");
}

static int parse(struct parser *parser, const char *bytes, size_t length)
{
    XML_SetUserData(parser->expat, parser);
    XML_SetElementHandler(parser->expat, on_start, on_end);
    XML_SetCharacterDataHandler(parser->expat, on_text);
    XML_SetEntityDeclHandler(parser->expat, on_entity);
    enum XML_Status status = XML_Parse(parser->expat, bytes, (int)length, XML_TRUE);
    if (parser->result == 0 && status != XML_STATUS_OK)
        fail(parser, ERR_PARSE, XML_ErrorString(XML_GetErrorCode(parser->expat)));
    while (parser->depth > 0)
        strbuf_release(&parser->open[--parser->depth].text);
    return parser->result;
}

int plugin_xml_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
                     struct plugin_document *ret, struct err *err)
{
    if (length > PLUGIN_XML_BYTES)
        return err_set_at(err, ERR_LIMIT, name, 0, 0, "the file has more than %d bytes",
                          PLUGIN_XML_BYTES);
    struct parser parser = {
        .expat = XML_ParserCreate(NULL), .arena = arena, .name = name, .err = err};
    if (!parser.expat)
        return err_nomem(err);
    int r = parse(&parser, bytes, length);
    XML_ParserFree(parser.expat);
    struct plugin_element *kept =
        r == 0 ? arena_array(arena, parser.elements.count + 1, sizeof *kept) : NULL;
    if (r == 0 && !kept)
        r = err_nomem(err);
    if (r == 0) {
        memcpy(kept, parser.elements.items, parser.elements.count * sizeof *kept);
        *ret = (struct plugin_document){kept, parser.elements.count};
    }
    vec_free(&parser.elements);
    return r;
}

const char *plugin_attribute(const struct plugin_element *element, const char *name)
{
    for (const char *const *a = element->attributes; *a; a += 2)
        if (strcmp(a[0], name) == 0)
            return a[1];
    return NULL;
}
