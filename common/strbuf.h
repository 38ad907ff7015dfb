/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A growing byte string with a stated maximum.
 *
 * `data` is never NULL and always ends in a NUL that `length` does not count; it may hold NULs.
 * Appending never fails visibly: when memory or the maximum runs out the buffer keeps what it has
 * and remembers the failure, which strbuf_ok() tells once, at the end.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

#include "common/compiler.h"

struct strbuf {
    char *data;
    size_t length;
    size_t capacity; /* 0: `data` is the shared empty string */
    size_t maximum;  /* largest length; STRBUF_UNLIMITED for none */
    bool failed;
};

#define STRBUF_UNLIMITED ((size_t)-1)

extern char strbuf_empty[1];
#define STRBUF_INIT                                                                                \
    {                                                                                              \
        strbuf_empty, 0, 0, STRBUF_UNLIMITED, false                                                \
    }
#define STRBUF_INIT_MAX(max)                                                                       \
    {                                                                                              \
        strbuf_empty, 0, 0, (max), false                                                           \
    }

void strbuf_add(struct strbuf *buffer, const void *bytes, size_t length);
void strbuf_adds(struct strbuf *buffer, const char *text);
void strbuf_addc(struct strbuf *buffer, char c);
void strbuf_addf(struct strbuf *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
void strbuf_vaddf(struct strbuf *buffer, const char *format, va_list arguments);

/* Makes room for `extra` more bytes. Returns false (and remembers it) when there is none. */
bool strbuf_reserve(struct strbuf *buffer, size_t extra);

/* Removes the first `count` bytes. */
void strbuf_consume(struct strbuf *buffer, size_t count);

/* Cuts the buffer back to its first `length` bytes; nothing happens when it has fewer. */
void strbuf_truncate(struct strbuf *buffer, size_t length);

/* Empties the buffer but keeps its memory; forgets a failure. */
void strbuf_clear(struct strbuf *buffer);

/* True when everything that was appended is there. */
bool strbuf_ok(const struct strbuf *buffer);

/* Gives the bytes to the caller, who frees them, and leaves the buffer empty. NULL after a failure.
 */
char *strbuf_take(struct strbuf *buffer) MUST_USE;

void strbuf_release(struct strbuf *buffer);
