/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Fills a view from the report set and the facts. Facts differ from release to release, so several
 * are tried for one line of the inventory; what no report tells stays "".
 */
#include "analyzer/render/view.h"

#include "analyzer/database/facts.h"
#include "common/units.h"

struct filler {
    struct view *view;
    const struct render_input *input;
    const char *host; /* whose facts are asked */
};

/* The first of two facts that is known, copied. NULL when memory is out. */
static const char *fact(const struct filler *filler, const char *name, const char *other)
{
    const char *text = "";
    if (filler->input->database) {
        text = facts_get(filler->input->database, filler->host, name);
        if (!*text && other)
            text = facts_get(filler->input->database, filler->host, other);
    }
    return arena_strdup(filler->view->arena, text);
}

/* "a b", or the one that is there. `between` joins them when both are. */
static const char *join(const struct filler *filler, const char *a, const char *b,
                        const char *between)
{
    if (!a || !b)
        return NULL;
    if (!*a || !*b)
        return *a ? a : b;
    return arena_printf(filler->view->arena, "%s%s%s", a, between, b);
}

/* A fact that is a number of `unit` bytes, for people. */
static const char *memory_fact(const struct filler *filler, const char *name, int64_t unit)
{
    const char *text = fact(filler, name, NULL);
    int64_t value, bytes;
    char buffer[32];
    if (!text || !*text || !units_integer(text, &value) || value < 0 ||
        __builtin_mul_overflow(value, unit, &bytes))
        return text;
    return arena_strdup(filler->view->arena, units_format_bytes(bytes, buffer, sizeof buffer));
}

static int fill_facts(const struct filler *filler, struct view_host *host, struct err *err)
{
    const char *brand = fact(filler, "product_brand", NULL);
    bool is_xen = brand && *brand;
    host->product = is_xen ? brand : fact(filler, "os_name", "os_id");
    host->version = is_xen ? fact(filler, "product_version", "product_version_text")
                           : fact(filler, "os_version", NULL);
    host->xen = fact(filler, "xen_version", NULL);
    host->kernel = fact(filler, "kernel_version", NULL);
    host->role = fact(filler, "pool_role", NULL);
    host->machine = join(filler, fact(filler, "system_vendor", NULL),
                         fact(filler, "system_product", NULL), " ");
    host->bios =
        join(filler, fact(filler, "bios_version", NULL), fact(filler, "bios_date", NULL), ", ");
    host->cpu = join(filler, fact(filler, "cpus", NULL), fact(filler, "cpu_model", NULL), " x ");
    host->memory = join(filler, memory_fact(filler, "machine_memory_mb", 1024 * 1024),
                        memory_fact(filler, "dom0_memory_kb", 1024), ", control domain ");
    if (!host->product || !host->version || !host->xen || !host->kernel || !host->role ||
        !host->machine || !host->bios || !host->cpu || !host->memory)
        return err_nomem(err);
    return 0;
}

static int score_of(const struct verdict *verdict, const char *host)
{
    for (size_t i = 0; i < verdict->host_score_count; i++)
        if (strcmp(verdict->host_scores[i].name, host) == 0)
            return verdict->host_scores[i].value;
    return -1;
}

static int fill_hosts(struct view *view, const struct render_input *input, struct err *err)
{
    size_t count = report_set_host_count(input->reports);
    view->hosts = arena_array(view->arena, count + 1, sizeof *view->hosts);
    if (!view->hosts)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        const struct report_host *from = report_set_host(input->reports, i);
        struct view_host *host = &view->hosts[view->host_count++];
        struct filler filler = {view, input, from->name};
        *host = (struct view_host){
            .name = from->name,
            .source = report_set_source(input->reports, from->source)->path,
            .taken = from->taken,
            .taken_is_known = from->taken_is_known,
            .entries = from->entries,
            .bytes = from->bytes,
            .score = score_of(view->verdict, from->name),
        };
        int r = fill_facts(&filler, host, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A problem of a whole source is shown with its first host, so that it is shown once. */
static int host_of_problem(const struct report_set *reports, const struct report_problem *problem)
{
    if (problem->host >= 0)
        return problem->host;
    for (size_t i = 0; i < report_set_host_count(reports); i++)
        if (report_set_host(reports, i)->source == problem->source)
            return (int)i;
    return -1;
}

static int fill_problems(struct view *view, const struct report_set *reports, struct err *err)
{
    size_t sources = report_set_source_count(reports);
    size_t problems = report_set_problem_count(reports);
    view->sources = arena_array(view->arena, sources + 1, sizeof *view->sources);
    view->problems = arena_array(view->arena, problems + 1, sizeof *view->problems);
    if (!view->sources || !view->problems)
        return err_nomem(err);
    for (size_t i = 0; i < sources; i++)
        view->sources[view->source_count++] = report_set_source(reports, i)->path;
    for (size_t i = 0; i < problems; i++) {
        const struct report_problem *problem = report_set_problem(reports, i);
        view->problems[view->problem_count++] = (struct view_problem){
            .kind = problem_kind_name(problem->kind),
            .host = host_of_problem(reports, problem),
            .subject = problem->host >= 0 ? report_set_host(reports, (size_t)problem->host)->name
                                          : report_set_source(reports, problem->source)->path,
            .source = report_set_source(reports, problem->source)->path,
            .path = problem->path,
            .text = problem->text,
        };
    }
    return 0;
}

int view_build(const struct render_input *input, struct view **ret, struct err *err)
{
    struct view *view;
    int r = view_new(input->verdict, &view, err);
    if (r < 0)
        return r;
    view->min_severity = input->min_severity;
    view->colour = input->colour;
    view->width = input->width;
    r = fill_hosts(view, input, err);
    if (r == 0)
        r = fill_problems(view, input->reports, err);
    if (r == 0)
        r = view_arrange(view, err);
    if (r == 0)
        r = view_weigh(view, err);
    if (r < 0) {
        view_free(view);
        return r;
    }
    *ret = view;
    return 0;
}
