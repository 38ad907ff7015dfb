/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the headers of a tus server say, and what goes into ours.
 * (Source: the tus resumable upload protocol 1.0.0.)
 */
#pragma once

#include "upload/net/net.h"

#define TUS_VERSION "1.0.0"

/* What a server can do, of the answer to OPTIONS. */
struct tus_offer {
    bool creates, expires, terminates;
    const char *checksum; /* "sha256" or "sha1", the best that both can; NULL: none */
    int64_t max_size;     /* -1: it does not say */
};

/*
 * A server that names no extensions at all is asked to create an upload anyhow.
 * ERR_UNSUPPORTED: it speaks other versions only, or does not create uploads.
 */
int tus_read_offer(const struct net_answer *answer, struct tus_offer *ret, struct err *err);

/*
 * Upload-Offset of an upload of `size` bytes, checked together with Upload-Length when that is
 * there. ERR_PARSE: missing, no number, beyond the end; ERR_EXISTS: an upload of another length.
 */
int tus_read_offset(const struct net_answer *answer, int64_t size, int64_t *ret, struct err *err);

/* "filename BASE64,filetype BASE64,sha256 BASE64" */
void tus_add_metadata(struct strbuf *out, const char *name, const char *sha256);

/* Media type by the end of a report's name. */
const char *tus_file_type(const char *name);

void tus_add_base64(struct strbuf *out, const void *bytes, size_t length);
