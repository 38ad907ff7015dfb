/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/cli/page.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "common/escape.h"
#include "common/io.h"

#define INDENT "    "

/* Where the output is no terminal a page is still read by a person. */
#define FILE_WIDTH 100

int page_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO))
        return 0;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

bool page_is_coloured(void)
{
    const char *unwanted = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return page_width() > 0 && !(unwanted && *unwanted) &&
           !(terminal && strcmp(terminal, "dumb") == 0);
}

void page_begin(struct page *page)
{
    int width = page_width();
    *page = (struct page){.text = STRBUF_INIT};
    page->writer = (struct text_writer){.out = &page->text,
                                        .colour = page_is_coloured(),
                                        .width = width ? width : FILE_WIDTH};
}

void page_release(struct page *page)
{
    strbuf_release(&page->text);
}

int page_print(struct page *page, struct err *err)
{
    if (!strbuf_ok(&page->text))
        return err_nomem(err);
    int failure = io_write_all(STDOUT_FILENO, page->text.data, page->text.length);
    return failure < 0 ? err_set_errno(err, -failure, "cannot write standard output") : 0;
}

void page_heading(struct page *page, const char *heading)
{
    if (page->text.length)
        strbuf_addc(&page->text, '\n');
    textw_styled(&page->writer, STYLE_HEADING, "%s", heading);
    strbuf_addc(&page->text, '\n');
}

void page_prose(struct page *page, const char *text)
{
    textw_prose(&page->writer, INDENT, text);
}

void page_item(struct page *page, const char *label, const char *format, ...)
{
    CLEANUP(strbuf_release) struct strbuf first = STRBUF_INIT, text = STRBUF_INIT;
    va_list arguments;
    va_start(arguments, format);
    strbuf_vaddf(&text, format, arguments);
    va_end(arguments);
    strbuf_adds(&first, INDENT);
    escape_terminal(&first, label, strlen(label), false);
    textw_wrapped(&page->writer, STYLE_NONE, first.data, text.data, text.length);
}

void page_code(struct page *page, const char *text)
{
    for (const char *p = text; *p;) {
        size_t length = strcspn(p, "\n");
        strbuf_adds(&page->text, INDENT INDENT);
        escape_terminal(&page->text, p, length, true);
        strbuf_addc(&page->text, '\n');
        p += length + (p[length] == '\n');
    }
}
