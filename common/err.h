/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * An error as a value: what kind, where, and one sentence for a person.
 *
 * It lives on the caller's stack and holds no heap memory, so it works when memory is gone, in
 * threads and in tests. A function that can fail returns 0 or the (negative) code it has put into
 * *err, which is always its last parameter and may be NULL where the caller does not care. The
 * first error wins; on the way up err_prefix() puts context in front. Library code never prints an
 * error: the program's main does, once.
 */
#pragma once

#include "common/compiler.h"

enum err_code {
    ERR_OK = 0,
    ERR_NOMEM = -1,       /* memory is exhausted */
    ERR_IO = -2,          /* the system refused to read, write, open ... (errno is in sysno) */
    ERR_NOTFOUND = -3,    /* a named thing does not exist */
    ERR_DENIED = -4,      /* not allowed */
    ERR_PARSE = -5,       /* input is malformed (where, line, column say the place) */
    ERR_LIMIT = -6,       /* a stated limit was reached */
    ERR_TIMEOUT = -7,     /* it took longer than allowed */
    ERR_USAGE = -8,       /* the command line is wrong */
    ERR_UNSUPPORTED = -9, /* understood, but not something we do */
    ERR_CANCELLED = -10,  /* somebody asked us to stop */
    ERR_BUG = -11,        /* our own mistake */
    ERR_EXISTS = -12,     /* something of that name is there already */
    ERR_AGAIN = -13,      /* not now: the same may work later */
};

struct err {
    int code;         /* an err_code; ERR_OK when nothing happened */
    int sysno;        /* errno of the failing call, or 0 */
    int line, column; /* 1-based place in `where`, or 0 */
    char where[192];  /* file, rule or archive member; the tail is kept when it is too long */
    char text[512];   /* one sentence: what, cause, remedy; no newline */
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        0                                                                                          \
    }

/* Records an error unless one is recorded already. Returns `code`. */
int err_set(struct err *err, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same with errno `sysno`, whose text is appended: "cannot open 'x': No such file or
 * directory". */
int err_set_errno(struct err *err, int sysno, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same with a place: shown as "where:line:column: text". Zero line or column is left out. */
int err_set_at(struct err *err, int code, const char *where, int line, int column,
               const char *format, ...) PRINTF_LIKE(6, 7);

/* Of a call that returned `code`: puts "context: " in front of the recorded text, unless `code` is
 * 0. Returns `code`. */
int err_prefix(struct err *err, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * For a function that tried before it failed: records what `from` holds, as `code`, unless `code`
 * is 0 or an error is recorded already. Returns `code`.
 */
int err_pass(struct err *err, int code, const struct err *from);

/* Out of memory, in one call. Returns ERR_NOMEM. */
int err_nomem(struct err *err);

/* The whole message, place included, into `buffer`; returns `buffer`. */
const char *err_message(const struct err *err, char *buffer, size_t size);

void err_clear(struct err *err);
