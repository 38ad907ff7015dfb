/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Services answered XenCenter with names in any case and with ids that are numbers, and .NET puts a
 * byte order mark in front of UTF-8; so all of that is understood. The texts of errors quote
 * nothing of an answer: it may be a token.
 */
#include "upload/protocols/cis_answer.h"

#include <jansson.h>
#include <strings.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

static json_t *load(const struct strbuf *body)
{
    const char *text = body->data;
    size_t length = body->length, mark = sizeof BYTE_ORDER_MARK - 1;
    if (length >= mark && memcmp(text, BYTE_ORDER_MARK, mark) == 0) {
        text += mark;
        length -= mark;
    }
    return json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
}

/* Exactly this name, or else the first that differs only in case. */
static json_t *find(json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    const char *key;
    json_t *other;
    if (value)
        return value;
    json_object_foreach(object, key, other)
    {
        if (strcasecmp(key, name) == 0)
            return other;
    }
    return NULL;
}

static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] < 0x21 || text[i] > 0x7e)
            return false;
    }
    return length > 0;
}

static int take_text(json_t *value, const char *name, char *ret, size_t size, struct err *err)
{
    char number[24];
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        text = number;
        length = strlen(number);
    }
    if (!text)
        return err_set(err, ERR_PARSE, "the server's answer has no '%s' that is a text", name);
    if (!is_plain(text, length))
        return err_set(err, ERR_PARSE, "the server's '%s' is empty or holds odd characters", name);
    if (length >= size)
        return err_set(err, ERR_PARSE, "the server's '%s' is longer than %zu characters", name,
                       size - 1);
    memcpy(ret, text, length + 1);
    return 0;
}

static int read_text(const struct strbuf *body, const char *name, char *ret, size_t size,
                     struct err *err)
{
    json_auto_t *answer = load(body);
    if (!json_is_object(answer))
        return err_set(err, ERR_PARSE,
                       "the server's answer is no JSON object; is this a Health Check service?");
    return take_text(find(answer, name), name, ret, size, err);
}

int cis_read_id(const struct strbuf *body, char *ret, size_t size, struct err *err)
{
    return read_text(body, "id", ret, size, err);
}

int cis_read_token(const struct strbuf *body, char *ret, size_t size, struct err *err)
{
    return read_text(body, "token", ret, size, err);
}

int cis_read_status(const struct strbuf *body, bool *ret_incomplete, struct err *err)
{
    json_auto_t *answer = body->length ? load(body) : json_object();
    if (!json_is_object(answer))
        return err_set(err, ERR_PARSE, "the server's answer to a chunk is no JSON object");
    const char *status = json_string_value(find(answer, "status"));
    *ret_incomplete = status && strcasecmp(status, "incomplete") == 0;
    return 0;
}
