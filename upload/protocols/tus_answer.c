/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Lists in headers are separated by commas, with or without blanks, in any case. A server's words
 * go into an error only when they are short and harmless.
 */
#include "upload/protocols/tus_answer.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <strings.h>

#include "common/escape.h"

#define MAX_QUOTED  60        /* bytes of a header that an error shows */
#define BASE64_STEP (3 * 256) /* bytes encoded at once; of 3, so that there is no padding */

static bool list_has(const char *list, const char *word)
{
    size_t length = strlen(word);
    while (list && *list) {
        list += strspn(list, ", \t");
        size_t end = strcspn(list, ",");
        size_t item = strcspn(list, ", \t");
        if (item == length && strncasecmp(list, word, length) == 0)
            return true;
        list += end;
    }
    return false;
}

static int refuse(struct err *err, int code, const char *what, const char *foreign)
{
    CLEANUP(strbuf_release) struct strbuf shown = STRBUF_INIT;
    size_t length = strlen(foreign);
    escape_terminal(&shown, foreign, length < MAX_QUOTED ? length : MAX_QUOTED, false);
    return err_set(err, code, "%s '%s'", what, shown.data);
}

int tus_read_offer(const struct net_answer *answer, struct tus_offer *ret, struct err *err)
{
    const char *versions = net_header(answer, "Tus-Version");
    const char *extensions = net_header(answer, "Tus-Extension");
    const char *algorithms = net_header(answer, "Tus-Checksum-Algorithm");
    if (versions && !list_has(versions, TUS_VERSION))
        return refuse(err, ERR_UNSUPPORTED,
                      "this program speaks tus " TUS_VERSION ", the server only", versions);
    struct tus_offer offer = {
        .creates = !extensions || list_has(extensions, "creation"),
        .expires = list_has(extensions, "expiration"),
        .terminates = list_has(extensions, "termination"),
        .max_size = net_header_number(answer, "Tus-Max-Size"),
    };
    if (!offer.creates)
        return refuse(err, ERR_UNSUPPORTED, "the tus server creates no uploads; its extensions are",
                      extensions);
    /* A server that has the extension must know sha1, also when it does not say so. */
    if (list_has(extensions, "checksum"))
        offer.checksum = list_has(algorithms, "sha256")                ? "sha256"
                         : !algorithms || list_has(algorithms, "sha1") ? "sha1"
                                                                       : NULL;
    *ret = offer;
    return 0;
}

int tus_read_offset(const struct net_answer *answer, int64_t size, int64_t *ret, struct err *err)
{
    const char *text = net_header(answer, "Upload-Offset");
    int64_t offset = net_header_number(answer, "Upload-Offset");
    int64_t length = net_header_number(answer, "Upload-Length");
    if (!text)
        return err_set(err, ERR_PARSE,
                       "the answer has no Upload-Offset; does the URL lead to a tus server?");
    if (offset < 0)
        return refuse(err, ERR_PARSE, "the server's Upload-Offset is no number:", text);
    if (length >= 0 && length != size)
        return err_set(err, ERR_EXISTS,
                       "the server's upload is of %" PRId64 " bytes, the file has %" PRId64, length,
                       size);
    if (offset > size)
        return err_set(err, ERR_PARSE,
                       "the server's Upload-Offset %" PRId64 " is beyond the file's %" PRId64
                       " bytes",
                       offset, size);
    *ret = offset;
    return 0;
}

void tus_add_base64(struct strbuf *out, const void *bytes, size_t length)
{
    const unsigned char *next = bytes;
    while (length > 0) {
        unsigned char text[BASE64_STEP / 3 * 4 + 1];
        size_t step = length < BASE64_STEP ? length : BASE64_STEP;
        int written = EVP_EncodeBlock(text, next, (int)step);
        strbuf_add(out, text, (size_t)written);
        next += step;
        length -= step;
    }
}

const char *tus_file_type(const char *name)
{
    static const struct {
        const char *end, *type;
    } types[] = {
        {".zip", "application/zip"},      {".tar", "application/x-tar"},
        {".tar.gz", "application/gzip"},  {".tgz", "application/gzip"},
        {".bz2", "application/x-bzip2"},  {".tar.xz", "application/x-xz"},
        {".tar.zst", "application/zstd"}, {".json", "application/json"},
    };
    size_t length = strlen(name);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        size_t end = strlen(types[i].end);
        if (length > end && strcasecmp(name + length - end, types[i].end) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

static void add_pair(struct strbuf *out, const char *key, const char *value)
{
    strbuf_addf(out, "%s%s ", out->length ? "," : "", key);
    tus_add_base64(out, value, strlen(value));
}

void tus_add_metadata(struct strbuf *out, const char *name, const char *sha256)
{
    CLEANUP(strbuf_release) struct strbuf metadata = STRBUF_INIT;
    add_pair(&metadata, "filename", name);
    add_pair(&metadata, "filetype", tus_file_type(name));
    add_pair(&metadata, "sha256", sha256);
    strbuf_add(out, metadata.data, metadata.length);
    if (!strbuf_ok(&metadata))
        out->failed = true;
}
