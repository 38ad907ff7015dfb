/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One PUT or POST of the whole file. Nothing is resumed: whoever wants that uses another protocol.
 *
 * A URL whose query carries a signature (a presigned one of S3 or the like) is itself the
 * permission. Then no token is sent, which would make such a server refuse; and a query is never
 * shown, of any URL.
 */
#include "upload/protocols/transfer.h"

#include <inttypes.h>
#include <strings.h>

#include <openssl/evp.h>

#include "common/hex.h"
#include "common/percent.h"

#define BASE64_SHA256 (4 * ((DIGEST_BYTES + 2) / 3) + 1)

static const char *method_of(const struct transfer_options *options)
{
    return options->method ? options->method : "PUT";
}

/* A parameter of the query by which its maker signed it: of AWS, Google, Azure, CloudFront. */
static bool is_presigned(const char *url)
{
    static const char *const names[] = {"X-Amz-Signature", "X-Goog-Signature", "Signature", "sig"};
    const char *query = strchr(url, '?');
    for (const char *p = query ? query + 1 : ""; *p; p += strcspn(p, "&"), p += *p == '&')
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            size_t length = strlen(names[i]);
            if (strncasecmp(p, names[i], length) == 0 && p[length] == '=')
                return true;
        }
    return false;
}

/* Where a PUT leads to a folder ("https://host/dir/"), the file gets its name there. */
static int place(const struct transfer *transfer, struct strbuf *ret, struct err *err)
{
    const char *url = transfer->target->http;
    size_t length = strlen(url);
    const char *path = strchr(strstr(url, "://") + 3, '/'), *name = transfer_name(transfer);
    strbuf_adds(ret, url);
    if (strcmp(method_of(transfer->options), "PUT") == 0 && path && !strchr(url, '?') &&
        url[length - 1] == '/')
        percent_encode(ret, name, strlen(name), false);
    return strbuf_ok(ret) ? 0 : err_set(err, ERR_USAGE, "the URL is too long with the file's name");
}

static int https_check(const struct target *target, const struct transfer_options *options,
                       struct err *err)
{
    (void)target;
    if (!options)
        return 0;
    const char *method = method_of(options);
    return strcmp(method, "PUT") == 0 || strcmp(method, "POST") == 0
               ? 0
               : err_set(err, ERR_USAGE, "'--method' is PUT or POST");
}

static void https_describe(const struct transfer *transfer, struct strbuf *out)
{
    struct strbuf url = STRBUF_INIT_MAX(NET_MAX_URL);
    if (place(transfer, &url, NULL) == 0)
        strbuf_addf(out, "%s %.*s%s with all %" PRId64 " bytes in one request%s\n",
                    method_of(transfer->options), (int)strcspn(url.data, "?"), url.data,
                    strchr(url.data, '?') ? "?..." : "", source_size(transfer->source),
                    is_presigned(url.data) ? "; the URL is signed, so no token or password is sent"
                                           : "");
    strbuf_release(&url);
}

/* RFC 9530. */
static void write_digest(const struct source *source, char *line, size_t size)
{
    unsigned char digest[DIGEST_BYTES], base64[BASE64_SHA256];
    const char *hex = source_sha256(source);
    for (size_t i = 0; i < sizeof digest; i++)
        digest[i] = (unsigned char)(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
    EVP_EncodeBlock(base64, digest, sizeof digest);
    snprintf(line, size, "Content-Digest: sha-256=:%s:", base64);
}

static int ask(struct transfer *transfer, const char *url, struct net_answer *answer,
               struct err *err)
{
    char content_digest[32 + BASE64_SHA256], key[32 + 2 * DIGEST_BYTES];
    write_digest(transfer->source, content_digest, sizeof content_digest);
    snprintf(key, sizeof key, "Idempotency-Key: \"%s\"", source_sha256(transfer->source));
    const char *headers[4] = {"Content-Type: application/octet-stream", content_digest};
    /* A POST that is sent once more after a cut should not make a second file. */
    if (strcmp(method_of(transfer->options), "POST") == 0)
        headers[2] = key;
    const struct net_request request = {
        .method = method_of(transfer->options),
        .url = url,
        .headers = headers,
        .auth = is_presigned(url) ? NET_AUTH_NONE : NET_AUTH_BEARER,
        .source = transfer->source,
        .length = source_size(transfer->source),
    };
    return transfer_ask(transfer, &request, answer, err);
}

static int https_send(struct transfer *transfer, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf url = STRBUF_INIT_MAX(NET_MAX_URL);
    CLEANUP(net_answer_release) struct net_answer answer = {0};
    transfer_confirm(transfer, 0);
    int r = place(transfer, &url, err);
    if (r == 0)
        r = ask(transfer, url.data, &answer, err);
    if (r == 0)
        r = transfer_judge(transfer, &answer, "sending the file", err);
    if (r == 0)
        r = source_check(transfer->source, err);
    if (r == 0)
        transfer_confirm(transfer, source_size(transfer->source));
    return r;
}

const struct protocol protocol_https = {
    .name = "https",
    .schemes = (const char *const[]){"https", "http", NULL},
    .summary = "one PUT or POST, presigned URLs too; not resumable",
    .is_http = true,
    .check = https_check,
    .describe = https_describe,
    .send = https_send,
};
