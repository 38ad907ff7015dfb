/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A key is any UTF-8 text, a URL is not: what the user wrote is decoded first and encoded again in
 * the one way that the signature is computed over. A plus is a plus in a path.
 */
#include "upload/protocols/s3_place.h"

#include <ctype.h>
#include <strings.h>

#include "common/escape.h"
#include "common/percent.h"
#include "common/url_text.h"
#include "upload/protocols/s3_xml.h"

#define MAX_KEY      1024 /* bytes; S3's limit */
#define PART_STEP    (1 << 20)
#define LARGEST_PART ((int64_t)5 << 30)

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

int64_t s3_part_bytes(int64_t size, int64_t wished)
{
    int64_t part = wished > 0 ? wished : S3_PART_BYTES;
    int64_t least = size / S3_MAX_PARTS + (size % S3_MAX_PARTS != 0);
    if (part < least)
        part = (least + PART_STEP - 1) / PART_STEP * PART_STEP;
    return part < LARGEST_PART ? part : LARGEST_PART;
}

static int check_key(const struct strbuf *key, struct err *err)
{
    if (key->length > MAX_KEY)
        return err_set(err, ERR_USAGE, "the key has more than %d bytes, which S3 does not take",
                       MAX_KEY);
    for (size_t i = 0; i < key->length;) {
        unsigned point, length = escape_utf8_length(key->data + i, key->length - i, &point);
        if (length == 0 || point < 0x20 || point == 0x7f)
            return err_set(err, ERR_USAGE,
                           "the key is no UTF-8 text without control characters, as S3 wants it: "
                           "choose another with --name or in the URL");
        i += length;
    }
    for (const char *part = key->data;; part++) {
        size_t length = strcspn(part, "/");
        if ((length == 1 || length == 2) && strspn(part, ".") == length)
            return err_set(
                err, ERR_USAGE,
                "the key has a '%.*s' between slashes, which proxies and servers resolve "
                "in different ways",
                (int)length, part);
        part += length;
        if (*part == '\0')
            return 0;
    }
}

static int read_key(const char *path, const char *name, struct strbuf *key, struct err *err)
{
    if (path[strcspn(path, "?")] == '?')
        return err_set(
            err, ERR_USAGE,
            "s3:// takes no query: write %%3F for a question mark in the key, and give a "
            "presigned URL as https://");
    int r = percent_decode(*path == '/' ? path + 1 : path, key, err);
    if (r < 0)
        return r;
    if (key->length == 0 || key->data[key->length - 1] == '/')
        strbuf_adds(key, name);
    return strbuf_ok(key) ? check_key(key, err) : err_nomem(err);
}

static int check_bucket(const char *name, size_t length, struct err *err)
{
    if (length < 3 || length >= sizeof((struct s3_place *)0)->bucket ||
        !isalnum((unsigned char)*name))
        return err_set(err, ERR_USAGE, "the URL needs a bucket of 3 to 63 signs: s3://BUCKET/KEY");
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-._", name[i]))
            return err_set(err, ERR_USAGE,
                           "a bucket's name has letters, digits, '-' and '.': s3://BUCKET/KEY");
    return 0;
}

static int read_region(const char *given, char region[64], struct err *err)
{
    if (!given)
        given = S3_REGION;
    size_t length = strlen(given);
    bool fits = length > 0 && length < 64;
    for (size_t i = 0; fits && i < length; i++)
        fits = isalnum((unsigned char)given[i]) || given[i] == '-' || given[i] == '_';
    if (!fits)
        return err_set(err, ERR_USAGE,
                       "--region takes a name like eu-central-1: letters, digits and '-'");
    memcpy(region, given, length + 1);
    return 0;
}

/* Without the slashes at its end. */
static int read_endpoint(const char *given, size_t *ret_length, struct err *err)
{
    size_t length = strlen(given);
    struct url_text parts;
    if (strncasecmp(given, "https://", 8) != 0 && strncasecmp(given, "http://", 7) != 0)
        return err_set(err, ERR_USAGE, "--endpoint takes a URL like https://HOST[:PORT]");
    while (given[length - 1] == '/')
        length--;
    int r = url_text_check_signs(given, err);
    if (r == 0 && url_text_split(given, &parts))
        r = url_text_check_authority(&parts, false, err);
    /* Of the path each sign is signed as it stands. */
    for (size_t i = url_text_origin_length(given); r == 0 && i < length; i++)
        if (!strchr(UNRESERVED "/", given[i]))
            r = err_set(err, ERR_USAGE, "the URL has more than a server and a plain path");
    if (r == 0)
        *ret_length = length;
    return err_prefix(err, r, "--endpoint");
}

static int build(const struct s3_place *place, const char *endpoint, const struct strbuf *key,
                 struct strbuf *url, struct err *err)
{
    const char *suffix = strncmp(place->region, "cn-", 3) == 0 ? ".cn" : "";
    if (endpoint) {
        size_t length = 0;
        int r = read_endpoint(endpoint, &length, err);
        if (r < 0)
            return r;
        strbuf_add(url, endpoint, length);
        strbuf_addf(url, "/%s/", place->bucket);
    } else if (strchr(place->bucket, '.')) {
        strbuf_addf(url, "https://s3.%s.amazonaws.com%s/%s/", place->region, suffix, place->bucket);
    } else {
        strbuf_addf(url, "https://%s.s3.%s.amazonaws.com%s/", place->bucket, place->region, suffix);
    }
    percent_encode(url, key->data, key->length, true);
    return strbuf_ok(url) ? 0 : err_nomem(err);
}

int s3_place_find(const struct target *target, const struct transfer_options *options,
                  const char *name, struct s3_place *ret, struct err *err)
{
    struct strbuf key CLEANUP(strbuf_release) = STRBUF_INIT;
    struct strbuf url CLEANUP(strbuf_release) = STRBUF_INIT;
    struct s3_place place = {.url = NULL};
    const char *bucket = strstr(target->url, "://") + 3;
    size_t length = strcspn(bucket, "/?");
    int r = check_bucket(bucket, length, err);
    if (r < 0)
        return r;
    memcpy(place.bucket, bucket, length);
    r = read_region(options->s3_region, place.region, err);
    if (r == 0)
        r = read_key(bucket + length, name, &key, err);
    if (r == 0)
        r = build(&place, options->s3_endpoint, &key, &url, err);
    if (r < 0)
        return r;
    place.url = strbuf_take(&url);
    *ret = place;
    return 0;
}

void s3_place_release(struct s3_place *place)
{
    free(place->url);
    place->url = NULL;
}
