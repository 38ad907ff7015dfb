/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * expat calls back; the first problem stops it. Only three levels mean anything (the answer, its
 * fields, and the fields of a part), so the state is the depth and the names of the open elements.
 * Text of all other elements is passed over without being kept.
 */
#include "upload/protocols/s3_xml.h"

#include <ctype.h>
#include <expat.h>

#include "common/escape.h"
#include "common/strbuf.h"
#include "common/units.h"
#include "common/vec.h"

#define MAX_DEPTH    12
#define MAX_ELEMENTS 20000 /* a page of a thousand parts with their checksums has 12 000 */
#define MAX_TEXT     2048  /* of one element */
#define MAX_WORD     60    /* of a text for people */

enum place { PLACE_NOWHERE, PLACE_FIELD, PLACE_PART_FIELD };

struct parser {
    XML_Parser expat;
    struct s3_reply *reply;
    VEC(struct s3_part) parts;
    size_t depth, elements;
    bool in_part;
    char field[48]; /* of the element whose text is being read */
    enum place place;
    struct strbuf text;
    struct err *err;
    int result;
};

static void fail(struct parser *parser, int code, const char *text)
{
    if (parser->result < 0)
        return;
    parser->result = err_set(parser->err, code, "the server's XML is not understood: %s", text);
    XML_StopParser(parser->expat, XML_FALSE);
}

/* "s3:Error" is "Error" to us. */
static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

/* Ids and tags: whole or not at all. */
static void keep_exact(struct parser *parser, char *to, size_t size)
{
    const struct strbuf *text = &parser->text;
    if (text->length >= size) {
        fail(parser, ERR_PARSE, "an id or a tag is too long");
        return;
    }
    for (size_t i = 0; i < text->length; i++) {
        if ((unsigned char)text->data[i] < 0x20 || text->data[i] == 0x7f) {
            fail(parser, ERR_PARSE, "an id or a tag has control characters");
            return;
        }
    }
    memcpy(to, text->data, text->length + 1);
}

static void keep_etag(struct parser *parser, char to[S3_MAX_ETAG])
{
    struct strbuf *text = &parser->text;
    size_t length = text->length;
    if (length >= 2 && text->data[0] == '"' && text->data[length - 1] == '"') {
        strbuf_truncate(text, length - 1);
        strbuf_consume(text, 1);
    }
    keep_exact(parser, to, S3_MAX_ETAG);
}

static void keep_for_people(struct parser *parser, char *to, size_t size)
{
    struct strbuf words CLEANUP(strbuf_release) = STRBUF_INIT;
    for (const char *text = parser->text.data; *text != '\0';) {
        size_t word = strcspn(text, " \t\r\n");
        if (word > MAX_WORD)
            strbuf_adds(&words, "(...)");
        else
            escape_terminal(&words, text, word, false);
        text += word;
        if (*text != '\0')
            strbuf_addc(&words, ' ');
        text += strspn(text, " \t\r\n");
    }
    if (!strbuf_ok(&words))
        parser->result = err_nomem(parser->err);
    else
        snprintf(to, size, "%s", words.data);
}

static int64_t number_of(struct parser *parser, int64_t maximum)
{
    int64_t number = 0;
    if (!units_integer(parser->text.data, &number) || number < 0 || number > maximum) {
        fail(parser, ERR_PARSE, "a number is none");
        return 0;
    }
    return number;
}

static void take_part_field(struct parser *parser, const char *name)
{
    struct s3_part *part = &parser->parts.items[parser->parts.count - 1];
    if (strcmp(name, "PartNumber") == 0)
        part->number = (int)number_of(parser, S3_MAX_PARTS);
    else if (strcmp(name, "Size") == 0)
        part->size = number_of(parser, INT64_MAX);
    else if (strcmp(name, "ETag") == 0)
        keep_etag(parser, part->etag);
}

static void take_field(struct parser *parser, const char *name)
{
    struct s3_reply *reply = parser->reply;
    if (strcmp(name, "UploadId") == 0)
        keep_exact(parser, reply->upload_id, sizeof reply->upload_id);
    else if (strcmp(name, "ETag") == 0)
        keep_etag(parser, reply->etag);
    else if (strcmp(name, "Code") == 0)
        keep_for_people(parser, reply->code, sizeof reply->code);
    else if (strcmp(name, "Message") == 0)
        keep_for_people(parser, reply->message, sizeof reply->message);
    else if (strcmp(name, "Region") == 0)
        keep_for_people(parser, reply->region, sizeof reply->region);
    else if (strcmp(name, "Endpoint") == 0)
        keep_for_people(parser, reply->endpoint, sizeof reply->endpoint);
    else if (strcmp(name, "IsTruncated") == 0)
        reply->truncated = strcmp(parser->text.data, "true") == 0;
    else if (strcmp(name, "NextPartNumberMarker") == 0 && parser->text.length > 0)
        reply->next_marker = (int)number_of(parser, S3_MAX_PARTS);
}

static void on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct parser *parser = context;
    (void)attributes;
    if (parser->result < 0)
        return;
    if (parser->depth == MAX_DEPTH || ++parser->elements > MAX_ELEMENTS) {
        fail(parser, ERR_LIMIT, "too many elements, or nested too deeply");
        return;
    }
    const char *local = local_name(name);
    parser->depth++;
    parser->place = PLACE_NOWHERE;
    strbuf_clear(&parser->text);
    if (parser->depth == 1) {
        snprintf(parser->reply->root, sizeof parser->reply->root, "%s", local);
    } else if (parser->depth == 2 && strcmp(local, "Part") == 0) {
        struct s3_part *part = vec_push(&parser->parts);
        parser->in_part = part != NULL;
        if (!part)
            fail(parser, ERR_NOMEM, "memory is exhausted");
    } else if (parser->depth == 2 || (parser->depth == 3 && parser->in_part)) {
        parser->place = parser->depth == 2 ? PLACE_FIELD : PLACE_PART_FIELD;
        snprintf(parser->field, sizeof parser->field, "%s", local);
    }
}

static void on_text(void *context, const XML_Char *text, int length)
{
    struct parser *parser = context;
    if (parser->result == 0 && parser->place != PLACE_NOWHERE)
        strbuf_add(&parser->text, text, (size_t)length);
}

static void on_end(void *context, const XML_Char *name)
{
    struct parser *parser = context;
    (void)name;
    if (parser->result < 0 || parser->depth == 0)
        return;
    if (parser->place != PLACE_NOWHERE && !strbuf_ok(&parser->text))
        fail(parser, ERR_LIMIT, "an element holds too much text");
    else if (parser->place == PLACE_FIELD)
        take_field(parser, parser->field);
    else if (parser->place == PLACE_PART_FIELD)
        take_part_field(parser, parser->field);
    parser->place = PLACE_NOWHERE;
    if (--parser->depth == 1)
        parser->in_part = false;
}

static void on_doctype(void *context, const XML_Char *name, const XML_Char *system_id,
                       const XML_Char *public_id, int has_internal_subset)
{
    (void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
    fail(context, ERR_PARSE, "it has a document type, which S3 never sends");
}

static int parse(struct parser *parser, const char *bytes, size_t length)
{
    /* While it works, a server sends blanks to keep the connection; some do before the XML. */
    while (length > 0 && isspace((unsigned char)*bytes))
        bytes++, length--;
    if (length == 0)
        return err_set(parser->err, ERR_PARSE, "the server's answer is empty where XML belongs");
    XML_SetUserData(parser->expat, parser);
    XML_SetElementHandler(parser->expat, on_start, on_end);
    XML_SetCharacterDataHandler(parser->expat, on_text);
    XML_SetStartDoctypeDeclHandler(parser->expat, on_doctype);
    enum XML_Status status = XML_Parse(parser->expat, bytes, (int)length, XML_TRUE);
    if (parser->result == 0 && status != XML_STATUS_OK)
        fail(parser, ERR_PARSE, XML_ErrorString(XML_GetErrorCode(parser->expat)));
    return parser->result;
}

int s3_reply_parse(const char *bytes, size_t length, struct s3_reply *ret, struct err *err)
{
    if (length > INT32_MAX)
        return err_set(err, ERR_LIMIT, "the server's answer is too long");
    struct s3_reply reply = {0};
    struct parser parser = {.expat = XML_ParserCreate(NULL),
                            .reply = &reply,
                            .text = STRBUF_INIT_MAX(MAX_TEXT),
                            .err = err};
    if (!parser.expat)
        return err_nomem(err);
    int r = parse(&parser, bytes, length);
    XML_ParserFree(parser.expat);
    strbuf_release(&parser.text);
    if (r < 0) {
        vec_free(&parser.parts);
        return r;
    }
    reply.parts = parser.parts.items;
    reply.count = parser.parts.count;
    *ret = reply;
    return 0;
}

void s3_reply_release(struct s3_reply *reply)
{
    free(reply->parts);
    *reply = (struct s3_reply){0};
}
