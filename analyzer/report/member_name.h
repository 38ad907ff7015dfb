/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Names of members: one normal form, and what their suffixes mean. Names are bytes; their encoding
 * is the renderers' affair.
 */
#pragma once

#include "analyzer/report/report.h"
#include "common/strbuf.h"

enum member_name_result {
    MEMBER_NAME_OK,
    MEMBER_NAME_EMPTY,  /* nothing is left: "", ".", "/" */
    MEMBER_NAME_ESCAPE, /* has a ".." component, also with backslashes */
    MEMBER_NAME_LONG,   /* longer or deeper than the limits */
};

/* Leaves out leading and double slashes and "." components. `out` is replaced. */
enum member_name_result member_name_normalise(const char *name, const struct report_limits *limits,
                                              struct strbuf *out);

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_OTHER };

/* How a single file is compressed by its suffix; *length is that of the name without the suffix. */
enum compression member_name_compression(const char *name, size_t *length);

/* True for what we open as an archive inside a report; *length is that of the name without the
 * suffix. */
bool member_name_is_archive(const char *name, size_t *length);

/* The last component. */
const char *member_name_base(const char *name);
