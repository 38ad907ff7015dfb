/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Errors as values. Text that does not fit is cut: an error must never cause another one.
 */
#include "common/err.h"

#include <errno.h>
#include <stdarg.h>

static int record(struct err *err, int code, const char *format, va_list arguments)
{
    if (!err || err->code != ERR_OK)
        return code;
    err->code = code;
    vsnprintf(err->text, sizeof err->text, format, arguments);
    return code;
}

int err_set(struct err *err, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record(err, code, format, arguments);
    va_end(arguments);
    return code;
}

int err_set_errno(struct err *err, int sysno, const char *format, ...)
{
    int code = sysno == ENOMEM                     ? ERR_NOMEM
               : sysno == ENOENT                   ? ERR_NOTFOUND
               : sysno == EACCES || sysno == EPERM ? ERR_DENIED
                                                   : ERR_IO;
    if (!err || err->code != ERR_OK)
        return code;
    va_list arguments;
    va_start(arguments, format);
    record(err, code, format, arguments);
    va_end(arguments);
    err->sysno = sysno;
    size_t used = strlen(err->text);
    char reason[128];
    snprintf(err->text + used, sizeof err->text - used, ": %s",
             strerror_r(sysno, reason, sizeof reason));
    return code;
}

int err_set_at(struct err *err, int code, const char *where, int line, int column,
               const char *format, ...)
{
    if (!err || err->code != ERR_OK)
        return code;
    va_list arguments;
    va_start(arguments, format);
    record(err, code, format, arguments);
    va_end(arguments);
    size_t length = strlen(where);
    size_t room = sizeof err->where - 1;
    const char *tail = length > room ? where + (length - room) : where;
    snprintf(err->where, sizeof err->where, "%s", tail);
    err->line = line;
    err->column = column;
    return code;
}

int err_prefix(struct err *err, int code, const char *format, ...)
{
    if (code == ERR_OK || !err || err->code == ERR_OK)
        return code;
    char text[sizeof err->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t used = strlen(text);
    if (used < sizeof text)
        snprintf(text + used, sizeof text - used, ": %s", err->text);
    memcpy(err->text, text, sizeof text);
    return code;
}

int err_pass(struct err *err, int code, const struct err *from)
{
    if (code == ERR_OK || !err || err->code != ERR_OK)
        return code;
    *err = *from;
    return err->code = code;
}

int err_nomem(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

const char *err_message(const struct err *err, char *buffer, size_t size)
{
    if (!err->where[0])
        snprintf(buffer, size, "%s", err->text);
    else if (err->line && err->column)
        snprintf(buffer, size, "%s:%d:%d: %s", err->where, err->line, err->column, err->text);
    else if (err->line)
        snprintf(buffer, size, "%s:%d: %s", err->where, err->line, err->text);
    else
        snprintf(buffer, size, "%s: %s", err->where, err->text);
    return buffer;
}

void err_clear(struct err *err)
{
    if (err)
        memset(err, 0, sizeof *err);
}
