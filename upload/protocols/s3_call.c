/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * S3 answers with a status and, mostly, a code in XML. The code is more exact: 400 may mean a wrong
 * region, a token that expired, or bytes that were damaged on the way. Codes that call for
 * something other than their status are in one table ("Amazon S3 API Reference", "List of error
 * codes"); all else is judged by status. Redirects are never followed: a signature is made for one
 * host, and a server that names another must not get the file.
 */
#include "upload/protocols/s3_call.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <strings.h>

#include "common/hex.h"
#include "upload/protocols/transfer.h"

#define HEX_SHA256 65
#define BASE64_MD5 25

struct digests {
    char sha256[HEX_SHA256], md5[BASE64_MD5];
};

static int digest(const struct s3 *s3, const struct s3_call *call, const EVP_MD *kind,
                  enum source_digest of_source, unsigned char bytes[DIGEST_BYTES], struct err *err)
{
    const struct strbuf *body = call->body;
    size_t length;
    if (call->sends_source)
        return source_digest(s3->transfer->source, of_source, call->offset, call->length, bytes,
                             &length, err);
    if (EVP_Digest(body ? body->data : "", body ? body->length : 0, bytes, NULL, kind, NULL) != 1)
        return err_nomem(err);
    return 0;
}

static int digest_body(const struct s3 *s3, const struct s3_call *call, struct digests *ret,
                       struct err *err)
{
    unsigned char bytes[DIGEST_BYTES];
    int r = digest(s3, call, EVP_sha256(), SOURCE_SHA256, bytes, err);
    if (r < 0)
        return r;
    hex_write(bytes, 32, ret->sha256);
    r = digest(s3, call, EVP_md5(), SOURCE_MD5, bytes, err);
    if (r < 0)
        return r;
    EVP_EncodeBlock((unsigned char *)ret->md5, bytes, 16);
    return 0;
}

static int put_question(struct s3 *s3, const struct s3_call *call, const struct digests *digests,
                        struct net_answer *answer, struct err *err)
{
    struct strbuf url CLEANUP(strbuf_release) = STRBUF_INIT;
    char sha256[96], md5[64];
    const char *headers[5] = {sha256};
    size_t count = 1;
    strbuf_adds(&url, s3->place.url);
    if (call->query)
        strbuf_addf(&url, "?%s", call->query);
    if (!strbuf_ok(&url))
        return err_nomem(err);
    snprintf(sha256, sizeof sha256, "x-amz-content-sha256: %s", digests->sha256);
    snprintf(md5, sizeof md5, "Content-MD5: %s", digests->md5);
    if (call->sends_source || call->body)
        headers[count++] = md5;
    if (call->body)
        headers[count++] = "Content-Type: application/xml";
    else if (call->sends_source && !call->query)
        headers[count++] = "Content-Type: application/octet-stream";
    if (call->header)
        headers[count++] = call->header;
    struct net_request request = {.method = call->method,
                                  .url = url.data,
                                  .headers = headers,
                                  .auth = NET_AUTH_SIGV4,
                                  .region = s3->place.region};
    if (call->sends_source) {
        request.source = s3->transfer->source;
        request.offset = call->offset;
        request.length = call->length;
        request.ends_early = true;
    } else if (call->body) {
        request.body = call->body->data;
        request.body_length = call->body->length;
    }
    return transfer_ask(s3->transfer, &request, answer, err);
}

static const struct {
    const char *name;
    int code;
    const char *text;
} known_codes[] = {
    {"RequestTimeTooSkewed", ERR_DENIED,
     "the clocks of this host and of the server differ by more than 15 minutes; set this host's "
     "clock (chronyc tracking tells how far it is off)"},
    {"SignatureDoesNotMatch", ERR_DENIED,
     "the server computes another signature: the secret key is wrong, or something on the way "
     "changes requests"},
    {"InvalidAccessKeyId", ERR_DENIED, "the server does not know this access key"},
    {"ExpiredToken", ERR_DENIED, "the session token has expired; get new keys"},
    {"InvalidToken", ERR_DENIED, "the session token does not belong to these keys"},
    {"TokenRefreshRequired", ERR_DENIED, "the session token must be renewed; get new keys"},
    {"AccessDenied", ERR_DENIED,
     "these keys may not do that; they need s3:PutObject, s3:AbortMultipartUpload and "
     "s3:ListMultipartUploadParts for the bucket"},
    {"NoSuchBucket", ERR_NOTFOUND, "there is no such bucket; check the URL and --endpoint"},
    {"NoSuchUpload", ERR_NOTFOUND, "the server has forgotten the upload"},
    {"BadDigest", ERR_AGAIN, "bytes were damaged on the way"},
    {"XAmzContentSHA256Mismatch", ERR_AGAIN, "bytes were damaged on the way"},
    {"IncompleteBody", ERR_AGAIN, "bytes were lost on the way"},
    {"RequestTimeout", ERR_AGAIN, "the bytes came too slowly"},
    {"InvalidPart", ERR_AGAIN, "the server has lost a part"},
    {"InternalError", ERR_AGAIN, "the server is in trouble"},
    {"SlowDown", ERR_AGAIN, "the server is busy"},
    {"ServiceUnavailable", ERR_AGAIN, "the server is busy"},
    {"OperationAborted", ERR_AGAIN, "the server is working on the same object"},
    {"EntityTooSmall", ERR_LIMIT,
     "the server does not take parts this small: use a larger --chunk-size"},
    {"EntityTooLarge", ERR_LIMIT, "the server does not take objects or parts this large"},
};

/* A bucket of another region: AWS names it in a header or in the XML. */
static int elsewhere(const struct s3 *s3, const struct net_answer *answer,
                     const struct s3_reply *reply, const char *what, struct err *err)
{
    const char *region = net_header(answer, "x-amz-bucket-region");
    if (!region || !*region)
        region = reply->region;
    bool is_region = *region && strlen(region) < 32 &&
                     region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
    if (is_region && strcasecmp(region, s3->place.region) != 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: the bucket '%s' is in the region '%s', not in '%s'; use --region %s",
                       what, s3->place.bucket, region, s3->place.region, region);
    if (answer->status >= 300 && answer->status < 400)
        return err_set(
            err, ERR_UNSUPPORTED,
            "%s: the server wants to be asked at another place%s%s (%s%sstatus %d), which is "
            "never followed; check --region and --endpoint",
            what, *reply->endpoint ? ", " : "", reply->endpoint, reply->code,
            *reply->code ? ", " : "", answer->status);
    return 0;
}

int s3_judge(struct s3 *s3, const struct net_answer *answer, const struct s3_reply *reply,
             const char *what, struct err *err)
{
    s3->transfer->retry_after_s = answer->retry_after_s;
    s3->upload_is_gone = strcmp(reply->code, "NoSuchUpload") == 0;
    s3->part_is_lost = strcmp(reply->code, "InvalidPart") == 0;
    for (size_t i = 0; i < ARRAY_SIZE(known_codes); i++)
        if (strcmp(reply->code, known_codes[i].name) == 0)
            return err_set(err, known_codes[i].code, "%s: %s (%s)", what, known_codes[i].text,
                           reply->code);
    int r = elsewhere(s3, answer, reply, what, err);
    if (r < 0)
        return r;
    if (answer->status >= 200 && answer->status < 300)
        return err_set(err, ERR_UNSUPPORTED, "%s: the server says %s: %s", what,
                       *reply->code ? reply->code : "that it failed", reply->message);
    r = net_judge(answer, what, err);
    if (*reply->code)
        err_prefix(err, r, "%s (%s)", reply->code, reply->message);
    return r;
}

/* Any answer but 2xx. Without XML (HEAD, a proxy) the status has to do. */
static int judge_status(struct s3 *s3, const struct s3_call *call, const struct net_answer *answer,
                        struct err *err)
{
    struct s3_reply reply CLEANUP_S3_REPLY = {0};
    if (s3_reply_parse(answer->body.data, answer->body.length, &reply, NULL) == 0 &&
        strcmp(reply.root, "Error") != 0)
        s3_reply_release(&reply);
    return s3_judge(s3, answer, &reply, call->what, err);
}

int s3_ask(struct s3 *s3, const struct s3_call *call, struct net_answer *answer, struct err *err)
{
    struct digests digests;
    s3->upload_is_gone = s3->part_is_lost = false;
    int r = digest_body(s3, call, &digests, err);
    if (r == 0)
        r = put_question(s3, call, &digests, answer, err);
    if (r < 0)
        return r;
    if (answer->status < 200 || answer->status >= 300)
        return judge_status(s3, call, answer, err);
    return 0;
}
