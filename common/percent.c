/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a user wrote in a URL is decoded once and encoded again in one way: S3 computes signatures
 * over it, and over SFTP the same path goes in a URL and, plain, in commands.
 */
#include "common/percent.h"

#include "common/hex.h"

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

void percent_encode(struct strbuf *out, const char *text, size_t length, bool keep_slash)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\0' && (strchr(UNRESERVED, text[i]) || (keep_slash && text[i] == '/')))
            strbuf_addc(out, text[i]);
        else
            strbuf_addf(out, "%%%02X", (unsigned char)text[i]);
    }
}

int percent_decode(const char *text, struct strbuf *out, struct err *err)
{
    for (; *text != '\0'; text++) {
        if (*text != '%') {
            strbuf_addc(out, *text);
            continue;
        }
        int high = hex_value(text[1]), low = high < 0 ? -1 : hex_value(text[2]);
        if (low < 0)
            return err_set(err, ERR_USAGE,
                           "a %% in the URL needs two hexadecimal digits: write %%25 for the sign");
        strbuf_addc(out, (char)(high * 16 + low));
        text += 2;
    }
    return strbuf_ok(out) ? 0 : err_nomem(err);
}
