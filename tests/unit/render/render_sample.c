/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * render_sample FORMAT [PAYLOAD-FILE]: prints the made-up result. Tests that parse a whole document
 * in another language drive it; it is also how to look at a page while working on it.
 */
#include <fcntl.h>

#include "common/io.h"
#include "sample_view.h"

static int print(const char *format, const struct view *view)
{
    static const struct {
        const char *name;
        int (*render)(const struct view *, struct strbuf *, struct err *);
    } formats[] = {
        {"text", view_as_text},       {"colour", view_as_text},         {"html", view_as_html},
        {"json", view_as_json},       {"markdown", view_as_markdown},   {"junit", view_as_junit},
        {"sarif", view_as_sarif},     {"prometheus", view_as_prometheus},
        {"nagios", view_as_nagios},
    };
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    struct err err = ERR_INIT;
    int r = ERR_USAGE;
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcmp(formats[i].name, format) == 0)
            r = formats[i].render(view, &out, &err);
    if (r == 0)
        r = io_write_all(STDOUT_FILENO, out.data, out.length);
    return r < 0;
}

int main(int argc, char **argv)
{
    CLEANUP(strbuf_release) struct strbuf payload = STRBUF_INIT;
    struct err err = ERR_INIT;
    bool is_clean = argc == 3 && strcmp(argv[2], "--clean") == 0;
    if (argc < 2 || argc > 3) {
        fputs("usage: render_sample FORMAT|colour [PAYLOAD-FILE|--clean]\n", stderr);
        return 2;
    }
    if (argc == 3 && !is_clean && io_read_file(AT_FDCWD, argv[2], 65536, &payload, &err) < 0) {
        fprintf(stderr, "render_sample: %s\n", err.text);
        return 1;
    }
    struct view *view = is_clean ? sample_new_clean(46) : sample_new(payload.data, SEVERITY_INFO);
    if (!view)
        return 1;
    view->colour = strcmp(argv[1], "colour") == 0;
    int r = print(argv[1], view);
    sample_free(view);
    return r;
}
