/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The structure of explanations and advice, as rule authors write them: lines, blank lines between paragraphs,
 * lists ("- " or "1. "), and commands, indented by four blanks or between backticks. No markup language: text
 * without any of this simply is paragraphs.
 */
#pragma once

#include <stdbool.h>

#include "common/compiler.h"

enum prose_kind {
    PROSE_PARAGRAPH, /* one line of it */
    PROSE_BULLET,
    PROSE_NUMBER,
    PROSE_CODE, /* one line, without its indentation */
    PROSE_BLANK,
};

/* One line; an item's indented continuation lines come as PROSE_PARAGRAPH with `continues` set. */
struct prose_line {
    enum prose_kind kind;
    bool continues;
    int number;       /* PROSE_NUMBER: as written */
    const char *text; /* points into the prose; without marker and indentation */
    size_t length;
};

struct prose {
    const char *rest; /* set this to the text to begin */
    bool has_begun, in_list;
};

/* Steps to the next line. False at the end. Blank lines at both ends are skipped. */
bool prose_next(struct prose *prose, struct prose_line *ret);

/* A stretch of a line: plain text, or what stands between two backticks. */
struct prose_span {
    bool is_code;
    const char *text;
    size_t length;
};

/*
 * Steps from `*rest` to the next stretch before `end`; there are no empty ones. False at the end. A
 * lone backtick, or two with nothing between them, are themselves.
 */
bool prose_span_next(const char **rest, const char *end, struct prose_span *ret);
