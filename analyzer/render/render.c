/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The table of formats.
 */
#include "analyzer/render/render.h"

#include "analyzer/render/view.h"

static const struct renderer renderers[] = {
    {.name = "text", .media = "terminal", .as = view_as_text},
    {.name = "json", .media = "data", .as = view_as_json},
    {.name = "html",
     .media = "page",
     .shows_context = true,
     .shows_overview = true,
     .as = view_as_html},
    {.name = "markdown", .media = "tickets", .shows_context = true, .as = view_as_markdown},
    {.name = "junit", .media = "build servers", .as = view_as_junit},
    {.name = "sarif", .media = "code scanning", .as = view_as_sarif},
    {.name = "prometheus", .media = "metrics", .as = view_as_prometheus},
    {.name = "nagios", .media = "monitoring", .as = view_as_nagios},
};

int render_as(const struct renderer *renderer, const struct render_input *input, struct strbuf *out,
              struct err *err)
{
    struct view *view;
    int r = view_build(input, &view, err);
    if (r < 0)
        return r;
    r = renderer->as(view, out, err);
    view_free(view);
    return r;
}

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
