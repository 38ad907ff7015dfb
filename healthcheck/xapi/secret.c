/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A secret's uuid is only known after a second call; when that fails, nobody but its mark knows it.
 */
#include "healthcheck/xapi/secret.h"

#include <string.h>

#define MARK        "xenhealth" /* key in other_config */
#define MAX_SECRETS 2000        /* each costs a call; pools have some dozens */

/* How XAPI says that there is none. */
static bool is_unknown(const char *code)
{
    return strcmp(code, "UUID_INVALID") == 0 || strcmp(code, "HANDLE_INVALID") == 0;
}

bool xapi_is_uuid(const char *text)
{
    static const char form[XAPI_UUID_BYTES] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t i = 0;
    for (; form[i] && text[i]; i++)
        if (form[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    return !form[i] && !text[i];
}

/* The reference is a json string. */
static int find(struct xapi *xapi, const char *uuid, json_t **ret, struct err *err)
{
    char code[64];
    struct err own = ERR_INIT;
    json_t *reference = NULL;
    if (!xapi_is_uuid(uuid))
        return err_set(err, ERR_PARSE,
                       "a secret of the pool is named by something that is no uuid");
    int r = xapi_call(xapi, "secret.get_by_uuid", json_pack("[s]", uuid), &reference, code, &own);
    if (r < 0 && is_unknown(code))
        return err_set(err, ERR_NOTFOUND, "XAPI has no secret '%s' any more", uuid);
    if (r == 0)
        *ret = reference;
    return err_pass(err, r, &own);
}

static int take_value(const json_t *result, char *value, size_t size, struct err *err)
{
    const char *text = json_string_value(result);
    size_t length = json_string_length(result);
    if (length == 0 || length >= size)
        return err_set(err, ERR_PARSE, "a secret of the pool is empty or longer than %zu bytes",
                       size - 1);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return err_set(err, ERR_PARSE, "a secret of the pool holds control characters");
    memcpy(value, text, length + 1);
    return 0;
}

int xapi_secret_get(struct xapi *xapi, const char *uuid, char *value, size_t size, struct err *err)
{
    json_auto_t *reference = NULL, *result = NULL;
    int r = find(xapi, uuid, &reference, err);
    if (r == 0)
        r = xapi_call(xapi, "secret.get_value", json_pack("[O]", reference), &result, NULL, err);
    return r == 0 ? take_value(result, value, size, err) : r;
}

static int destroy(struct xapi *xapi, json_t *reference, struct err *err)
{
    char code[64];
    struct err own = ERR_INIT;
    json_auto_t *result = NULL;
    int r = xapi_call(xapi, "secret.destroy", json_pack("[O]", reference), &result, code, &own);
    if (r < 0 && is_unknown(code))
        return 0;
    return err_pass(err, r, &own);
}

static int get_uuid(struct xapi *xapi, json_t *reference, char ret_uuid[XAPI_UUID_BYTES],
                    struct err *err)
{
    json_auto_t *uuid = NULL;
    int r = xapi_call(xapi, "secret.get_uuid", json_pack("[O]", reference), &uuid, NULL, err);
    const char *text = json_string_value(uuid);
    if (r == 0 && !(text && xapi_is_uuid(text)))
        r = err_set(err, ERR_PARSE, "XAPI does not tell the uuid of a secret");
    if (r == 0)
        memcpy(ret_uuid, text, XAPI_UUID_BYTES);
    return r;
}

int xapi_secret_create(struct xapi *xapi, const char *value, const char *mark,
                       char ret_uuid[XAPI_UUID_BYTES], struct err *err)
{
    json_auto_t *reference = NULL;
    json_t *record = json_pack("{s:s, s:{s:s}}", "value", value, "other_config", MARK, mark);
    int r = record
                ? xapi_call(xapi, "secret.create", json_pack("[o]", record), &reference, NULL, err)
                : err_set(err, ERR_PARSE, "a token that is no UTF-8 cannot be kept by XAPI");
    return r == 0 ? get_uuid(xapi, reference, ret_uuid, err) : r;
}

/* One that goes away meanwhile is not it. */
static int has_mark(struct xapi *xapi, json_t *reference, const char *mark, bool *ret,
                    struct err *err)
{
    char code[64];
    struct err own = ERR_INIT;
    json_auto_t *other = NULL;
    int r =
        xapi_call(xapi, "secret.get_other_config", json_pack("[O]", reference), &other, code, &own);
    const char *is = r == 0 ? json_string_value(json_object_get(other, MARK)) : NULL;
    *ret = is && strcmp(is, mark) == 0;
    if (r < 0 && is_unknown(code))
        return 0;
    return err_pass(err, r, &own);
}

int xapi_secret_find(struct xapi *xapi, const char *mark, char (*ret_uuids)[XAPI_UUID_BYTES],
                     size_t size, size_t *ret_count, struct err *err)
{
    json_auto_t *all = NULL;
    json_t *reference;
    size_t i, count = 0;
    int r = xapi_call(xapi, "secret.get_all", json_array(), &all, NULL, err);
    if (r == 0 && json_array_size(all) > MAX_SECRETS)
        return err_set(err, ERR_LIMIT, "XAPI has more than %d secrets", MAX_SECRETS);
    json_array_foreach(all, i, reference)
    {
        bool found = false;
        if (r == 0)
            r = has_mark(xapi, reference, mark, &found, err);
        if (found && count < size)
            r = get_uuid(xapi, reference, ret_uuids[count++], err);
    }
    if (r == 0)
        *ret_count = count;
    return r;
}

int xapi_secret_destroy(struct xapi *xapi, const char *uuid, struct err *err)
{
    json_auto_t *reference = NULL;
    struct err own = ERR_INIT;
    if (!xapi_is_uuid(uuid))
        return 0;
    int r = find(xapi, uuid, &reference, &own);
    if (r == ERR_NOTFOUND)
        return 0;
    return r == 0 ? destroy(xapi, reference, err) : err_pass(err, r, &own);
}
