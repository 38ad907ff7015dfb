/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The table of formats.
 */
#include "analyzer/render/render.h"

#include "analyzer/render/view.h"

static int render_view(const struct render_input *input, struct strbuf *out, struct err *err,
                       int (*as)(const struct view *, struct strbuf *, struct err *))
{
    struct view *view;
    int r = view_build(input, &view, err);
    if (r < 0)
        return r;
    r = as(view, out, err);
    view_free(view);
    return r;
}

static int render_text(const struct render_input *input, struct strbuf *out, struct err *err)
{
    return render_view(input, out, err, view_as_text);
}

static int render_json(const struct render_input *input, struct strbuf *out, struct err *err)
{
    return render_view(input, out, err, view_as_json);
}

static int render_html(const struct render_input *input, struct strbuf *out, struct err *err)
{
    return render_view(input, out, err, view_as_html);
}

static int render_markdown(const struct render_input *input, struct strbuf *out, struct err *err)
{
    return render_view(input, out, err, view_as_markdown);
}

static int render_junit(const struct render_input *input, struct strbuf *out, struct err *err)
{
    return render_view(input, out, err, view_as_junit);
}

static int render_sarif(const struct render_input *input, struct strbuf *out, struct err *err)
{
    return render_view(input, out, err, view_as_sarif);
}

static int render_prometheus(const struct render_input *input, struct strbuf *out, struct err *err)
{
    return render_view(input, out, err, view_as_prometheus);
}

static int render_nagios(const struct render_input *input, struct strbuf *out, struct err *err)
{
    return render_view(input, out, err, view_as_nagios);
}

static const struct renderer renderers[] = {
    {.name = "text", .media = "terminal", .render = render_text},
    {.name = "json", .media = "data", .render = render_json},
    {.name = "html", .media = "page", .shows_overview = true, .render = render_html},
    {.name = "markdown", .media = "tickets", .render = render_markdown},
    {.name = "junit", .media = "build servers", .render = render_junit},
    {.name = "sarif", .media = "code scanning", .render = render_sarif},
    {.name = "prometheus", .media = "metrics", .render = render_prometheus},
    {.name = "nagios", .media = "monitoring", .render = render_nagios},
};

const struct renderer *render_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(renderers); i++)
        if (strcmp(renderers[i].name, name) == 0)
            return &renderers[i];
    return NULL;
}

const char *const *render_names(void)
{
    static const char *names[ARRAY_SIZE(renderers) + 1];
    for (size_t i = 0; i < ARRAY_SIZE(renderers); i++)
        names[i] = renderers[i].name;
    return names;
}
