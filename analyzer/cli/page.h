/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a command shows of rules and tables: laid out like a manual page, wrapped to the terminal.
 * Rules may come from a stranger, so every text is escaped.
 */
#pragma once

#include "analyzer/render/text_writer.h"
#include "common/err.h"

struct page {
    struct strbuf text;
    struct text_writer writer;
};

/* For standard output: its width, and colours if it is a terminal that wants them. */
void page_begin(struct page *page);
void page_release(struct page *page);

/* Writes the page to standard output. */
int page_print(struct page *page, struct err *err);

/* A heading with a blank line above. */
void page_heading(struct page *page, const char *heading);

/* Paragraphs, lists and commands as rules have them (prose.h). */
void page_prose(struct page *page, const char *text);

/* One paragraph; further lines are indented behind `label`, which may be "". */
void page_item(struct page *page, const char *label, const char *format, ...) PRINTF_LIKE(3, 4);

/* Lines as they are: SQL, patterns. */
void page_code(struct page *page, const char *text);

/* The columns of standard output; 0 when it is no terminal. */
int page_width(void);

/* Whether it is a terminal that shows colours, to somebody who wants them (https://no-color.org). */
bool page_is_coloured(void);
