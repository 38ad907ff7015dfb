/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a URL means. One of no known scheme is refused with what would be right. No text of an error
 * shows more of it than the scheme, as the rest may be a secret (presigned URLs, passwords).
 */
#include <strings.h>

#include "common/suggest.h"
#include "common/url_text.h"
#include "upload/protocols/protocol.h"

#define SCHEMES_MAX 32
#define SHOWN       40 /* signs of a wrong scheme that an error shows */

static const struct protocol *find(const char *scheme, size_t length)
{
    for (size_t i = 0; protocols[i]; i++)
        for (const char *const *s = protocols[i]->schemes; *s; s++)
            if (strlen(*s) == length && strncasecmp(*s, scheme, length) == 0)
                return protocols[i];
    return NULL;
}

static int unknown_scheme(const char *url, size_t length, struct err *err)
{
    const char *known[SCHEMES_MAX + 1] = {NULL};
    char word[SHOWN + 1], list[256] = "";
    size_t count = 0, used = 0;
    for (size_t i = 0; protocols[i]; i++)
        for (const char *const *s = protocols[i]->schemes; *s && count < SCHEMES_MAX; s++) {
            known[count] = *s;
            int n = snprintf(list + used, sizeof list - used, "%s%s://", count ? ", " : "", *s);
            used = n > 0 && used + (size_t)n < sizeof list ? used + (size_t)n : used;
            count++;
        }
    snprintf(word, sizeof word, "%.*s", length < SHOWN ? (int)length : SHOWN, url);
    const char *near = suggest_nearest(word, known);
    return near ? err_set(err, ERR_USAGE, "'%s://' is not known; do you mean '%s://'?", word, near)
                : err_set(err, ERR_USAGE, "'%s://' is not known; there are %s", word, list);
}

static int no_scheme(const char *url, struct err *err)
{
    const char *colon = strchr(url, ':'), *slash = strchr(url, '/');
    const struct protocol *meant = colon ? find(url, (size_t)(colon - url)) : NULL;
    if (meant)
        return err_set(err, ERR_USAGE, "two slashes belong behind the scheme: %.*s://%s",
                       (int)(colon - url), url,
                       meant == &protocol_file ? "/FOLDER/, three for a folder" : "HOST/PATH");
    if (*url == '/')
        return err_set(err, ERR_USAGE,
                       "the second name is no URL; for a folder of this host write "
                       "file:///FOLDER/");
    if (colon > url && (!slash || colon < slash))
        return err_set(err, ERR_USAGE,
                       "the second name is no URL; for SSH write sftp://HOST/PATH, with the user's "
                       "name in the file given with --credentials");
    return err_set(
        err, ERR_USAGE,
        "the second name is no URL: it needs a scheme, for example tus+https://HOST/PATH");
}

/* "https://host:port" of any URL. */
static char *origin_of(const char *url)
{
    return strndup(url, url_text_origin_length(url));
}

/* What people read as the place: the server for S3 is the endpoint, for `file` it is the path. */
static char *describe_place(const struct target *target, const struct transfer_options *options)
{
    if (target->protocol == &protocol_file)
        return strdup(target->url);
    if (!target->http && options && options->s3_endpoint && strstr(options->s3_endpoint, "://") &&
        strncasecmp(target->url, "s3://", 5) == 0)
        return origin_of(options->s3_endpoint);
    return origin_of(target->http ? target->http : target->url);
}

int target_parse(const char *url, const struct transfer_options *options, struct target *ret,
                 struct err *err)
{
    struct target target = {.protocol = NULL};
    struct url_text parts;
    int r = url_text_check_signs(url, err);
    if (r < 0)
        return r;
    if (!url_text_split(url, &parts))
        return no_scheme(url, err);
    target.protocol = find(url, parts.scheme);
    if (!target.protocol)
        return unknown_scheme(url, parts.scheme, err);
    r = url_text_check_authority(&parts, target.protocol == &protocol_file, err);
    if (r < 0)
        return r;
    target.url = strndup(url, strcspn(url, "#"));
    const char *plus = memchr(url, '+', parts.scheme);
    if (target.url && target.protocol->is_http)
        target.http = strdup(target.url + (plus ? plus + 1 - url : 0));
    if (target.url && (target.http || !target.protocol->is_http))
        target.origin = describe_place(&target, options);
    r = target.origin ? 0 : err_nomem(err);
    if (r == 0 && target.protocol->check)
        r = target.protocol->check(&target, options, err);
    if (r == 0)
        *ret = target;
    else
        target_release(&target);
    return r;
}

void target_release(struct target *target)
{
    free(target->url);
    free(target->http);
    free(target->origin);
    *target = (struct target){.protocol = NULL};
}
