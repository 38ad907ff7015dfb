/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What each kind of error means to who started us.
 */
#include "upload/cli/status.h"

enum status status_of(int code)
{
    static const unsigned char table[] = {
        [-ERR_OK] = STATUS_DONE,
        [-ERR_NOMEM] = STATUS_LATER,
        [-ERR_IO] = STATUS_FAILED,
        [-ERR_NOTFOUND] = STATUS_FAILED,
        [-ERR_DENIED] = STATUS_DENIED,
        [-ERR_PARSE] = STATUS_FAILED,
        [-ERR_LIMIT] = STATUS_FAILED,
        [-ERR_TIMEOUT] = STATUS_LATER,
        [-ERR_USAGE] = STATUS_USAGE,
        [-ERR_UNSUPPORTED] = STATUS_FAILED,
        [-ERR_CANCELLED] = STATUS_INTERRUPTED,
        [-ERR_BUG] = STATUS_FAILED,
        [-ERR_EXISTS] = STATUS_FAILED,
        [-ERR_AGAIN] = STATUS_LATER,
    };
    return code <= 0 && (size_t)-code < ARRAY_SIZE(table) ? (enum status)table[-code]
                                                          : STATUS_FAILED;
}
