/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which names announce a secret, and which values are none in spite of their name. One list for all
 * filters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum secret_kind {
    SECRET_NONE,
    SECRET_ANY,         /* whatever the value is */
    SECRET_UNLESS_PATH, /* often the file that holds it is named instead */
    SECRET_UNLESS_SHORT_NUMBER,
    SECRET_SESSION, /* an identifier that opens a session; short numbers are other identifiers */
    SECRET_HEADER,  /* a header of HTTP; the same word names harmless things elsewhere */
    SECRET_SHAPED,  /* only Base64 of user and password, or of a key of Ceph */
    SECRET_QUERY,   /* only as the parameter of a URL: a signature that grants access */
};

/* What a key of this name holds. Of a dotted name only the last part counts. */
enum secret_kind secret_kind(const char *name, size_t length);

/* Whether a key or field of this name holds a secret: "CHAPpassword", "wlb_passwd", "x-token"... */
bool secret_name(const char *name, size_t length);

/* Whether the value only points to a secret that is kept elsewhere: "OpaqueRef:..." or a UUID. */
bool secret_is_reference(const char *value, size_t length);

/* Whether a path begins at `value`, perhaps behind blanks: where a file is usual it is none. */
bool secret_begins_path(const char *value, const char *end);

/*
 * Whether a value under a key of this name and kind may be seen: nothing, a switch ("no"), a mask,
 * a reference, a path where one is usual.
 */
bool secret_value_is_harmless(enum secret_kind kind, const char *name, size_t name_length,
                              const char *value, size_t length);
