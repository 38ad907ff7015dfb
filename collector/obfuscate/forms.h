/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The ways in which a name is written: as it is, in XML, in XAPI's database, in JSON, in OCaml's
 * and Python's quotes, in URLs, in mount tables, in file names, with
 * numeric entities of XML, in Base64 as a whole.
 */
#pragma once

#include "common/strbuf.h"

#define FORM_COUNT 14

/* Writes form number `form` of the name; false when it is no other than the name itself. */
bool form_write(int form, const char *name, size_t length, struct strbuf *out);
