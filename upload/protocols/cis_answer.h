/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Answers of a Health Check service: small JSON objects, read as leniently as XenCenter's later
 * clients read them and no more. What is handed on is safe in a URL's query and in a header.
 * (Source: XenCenter's classes for health check uploads.)
 */
#pragma once

#include <stdbool.h>

#include "common/err.h"
#include "common/strbuf.h"

/*
 * {"id": "..."}: text or a whole number, of at most `size` - 1 printable ASCII characters and not
 * empty. ERR_PARSE.
 */
int cis_read_id(const struct strbuf *body, char *ret, size_t size, struct err *err);

/*
 * {"status": ...}: nothing at all, or an object with or without a status. Anything else, such as
 * the page of a proxy, does not say that the server has the bytes: ERR_PARSE. *ret_incomplete is
 * true for the one status that says that more is expected.
 */
int cis_read_status(const struct strbuf *body, bool *ret_incomplete, struct err *err);

/* {"token": "..."}, the name in any case; text like an id. `body` is not in the error. ERR_PARSE.
 */
int cis_read_token(const struct strbuf *body, char *ret, size_t size, struct err *err);
