/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Tokens, keys and passwords, from files that only their owner can read.
 *
 * Never from the command line or the environment: both can be read by others, and both end up in
 * reports. The texts of errors hold nothing of the content. What was read is wiped by
 * secret_forget(); a program that holds secrets calls secret_guard_process() first.
 */
#pragma once

#include "common/err.h"
#include "common/strbuf.h"

#define SECRET_MAX_BYTES 4096 /* a file; tokens of services are shorter than 2 KiB */

/* How a refusal begins of credentials that name another server (for=): whoever runs xen-upload knows it by this. */
#define SECRET_ELSEWHERE "its credentials are for "

/* A line `key=value` that a file may hold. */
struct secret_field {
    const char *key;
    char *value; /* where it goes, NUL-terminated; "" when the file has no such line */
    size_t size;
};

/*
 * Lines "key=value" (all behind the first sign belongs to the value, which is not empty), empty
 * lines and comments with #; anything else is refused with its number. The last field has a NULL
 * key. A byte order mark before the first line is passed over, here and in secret_read_text().
 * ERR_DENIED when the file is not ours or root's, or others may read it, or it is a link;
 * ERR_PARSE; ERR_NOTFOUND; ERR_IO. Nothing is written to the fields then.
 *
 * Credentials that systemd passes on (LoadCredential=) belong to root and are opened to the
 * service's user by an ACL, whose mask looks like the group's right to read: that is no "others".
 */
int secret_read_fields(const char *path, const struct secret_field *fields, struct err *err);

/* The whole file as one text without blanks and line ends around it. ERR_PARSE when it is empty,
 * too long, or holds control characters; otherwise as above. */
int secret_read_text(const char *path, char *value, size_t size, struct err *err);

/* The same conditions for a file that a library reads by itself (a private key). */
int secret_check_file(const char *path, struct err *err);

void secret_forget(void *memory, size_t size);

/* free() and strbuf_release(), wiped first. What a buffer left behind while it grew is not wiped:
 * reserve what it will need. */
void secret_free(void *memory);
void secret_release(struct strbuf *buffer);

/* No core dump, no debugger of the same user. */
void secret_guard_process(void);
