/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The main command: read the reports, judge, show. A report that cannot be read is said and left
 * out; the others count.
 *
 * All of this happens in the sandbox (confined.h), possibly more than once: what belongs to the
 * user, rules and other files of theirs, is opened in prepare(); after it nothing can be opened any
 * more.
 */
#include <time.h>

#include "analyzer/cli/commands.h"
#include "analyzer/cli/confined.h"
#include "analyzer/cli/page.h"
#include "analyzer/cli/parts.h"
#include "analyzer/database/embedded.h"
#include "analyzer/judge/analysis.h"
#include "analyzer/judge/baseline.h"
#include "analyzer/judge/explain.h"
#include "analyzer/render/render.h"
#include "analyzer/rules/site.h"
#include "common/escape.h"
#include "common/io.h"

/* One set of reports on its way to a verdict: those of now, or those of the baseline. */
struct pass {
    struct database *database;
    struct analysis *analysis;
    struct report_set *reports;
    struct database_host *hosts;
    struct verdict *verdict;
    string_list read; /* REPORTs that could be read */
};

struct session {
    struct confined *confined;
    struct options *options;
    struct parts parts;
    struct suppressions *suppressions;
    struct difference_plan *differences; /* NULL: there is no baseline */
    struct pass now, past;
    struct explanation *explanation; /* NULL: findings are asked, not why */
};

static void pass_release(struct pass *pass)
{
    vec_free(&pass->read);
    verdict_free(pass->verdict);
    free(pass->hosts);
    report_set_free(pass->reports);
    analysis_free(pass->analysis);
    database_free(pass->database);
}

static void session_release(struct session *session)
{
    explanation_free(session->explanation);
    pass_release(&session->past);
    pass_release(&session->now);
    difference_plan_free(session->differences);
    suppressions_free(session->suppressions);
    parts_release(&session->parts);
}

/*
 * Where compiled patterns are kept: the user's cache (XDG base directory specification), the
 * system's for root. False when the user has no home.
 */
static bool cache_directory(struct strbuf *ret)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (geteuid() == 0)
        strbuf_adds(ret, "/var/cache/xenhealth");
    else if (cache && cache[0] == '/')
        strbuf_addf(ret, "%s/xenhealth", cache);
    else if (home && home[0] == '/')
        strbuf_addf(ret, "%s/.cache/xenhealth", home);
    return ret->length > 0 && strbuf_ok(ret);
}

/* Whether some output shows the lines around a proof; others need not pay for them. */
static bool shows_context(const struct options *options)
{
    for (size_t i = 0; !options->query && i < options->outputs.count; i++)
        if (render_find(options->outputs.items[i].format)->shows_context)
            return true;
    return false;
}

/* The same for what is more than findings. */
static bool shows_overview(const struct options *options)
{
    for (size_t i = 0; !options->query && i < options->outputs.count; i++)
        if (render_find(options->outputs.items[i].format)->shows_overview)
            return true;
    return false;
}

/* Both passes ask the same rules; what is only shown concerns that of now. */
static int prepare_pass(struct session *session, struct pass *pass, struct err *err)
{
    const struct options *options = session->options;
    bool is_now = pass == &session->now;
    const char *file = is_now ? session->confined->outputs->database.temporary : NULL;
    int r = report_set_new(&report_default_limits, &pass->reports, err);
    if (r == 0)
        report_set_jobs(pass->reports, options->jobs);
    if (r == 0)
        r = parts_teach(&session->parts, pass->reports, err);
    if (r == 0)
        r = database_open(session->parts.tables, file, &pass->database, err);
    if (r < 0)
        return r;
    CLEANUP(strbuf_release) struct strbuf cache = STRBUF_INIT;
    struct analysis_parts parts = {
        .rules = session->parts.rules,
        .tables = session->parts.tables,
        .facts = session->parts.facts,
        .lists = session->parts.lists,
        .formats = session->parts.formats,
        .database = pass->database,
        .reports = pass->reports,
        .query = is_now ? options->query : NULL,
        .cache = cache_directory(&cache) ? cache.data : NULL,
        .context = is_now && shows_context(options),
        .all_tables = is_now && options->export != NULL,
        .overview = is_now && shows_overview(options) ? &session->parts.overview : NULL,
        .suppressions = is_now ? session->suppressions : NULL,
        .differences = session->differences,
        .threads = options->jobs > 1,
        .now = (int64_t)time(NULL),
    };
    return analysis_new(&parts, &pass->analysis, err);
}

/* It watches the members go by, so one thread must read them. */
static int prepare_explanation(struct session *session, struct err *err)
{
    const struct rule *rule = rule_set_find(session->parts.rules, session->options->explain);
    report_set_jobs(session->now.reports, 1);
    return rule ? explanation_new(session->now.analysis, rule, &session->explanation, err)
                : rule_set_no_such_rule(session->parts.rules, session->options->explain, err);
}

static const struct report_visitor *visitor(const struct session *session, const struct pass *pass)
{
    return session->explanation && pass == &session->now ? explanation_visitor(session->explanation)
                                                         : analysis_visitor(pass->analysis);
}

static int prepare(struct session *session, struct err *err)
{
    struct options *options = session->options;
    static const char *const no_rule[] = {NULL};
    const char *const explained[] = {options->explain, NULL};
    struct rule_filter filter = {
        .only = options->query        ? no_rule
                : options->explain    ? explained
                : options->only.count ? options->only.items
                                      : NULL,
        .skip = options->skip.items,
        .component = options->component,
    };
    int r = parts_load(&session->parts, options->rules.items, options->default_rules, options->jobs,
                       err);
    if (r == 0 && options->site)
        r = site_apply(session->parts.rules, options->site, err);
    if (r == 0 && options->suppress.count)
        r = suppressions_load(options->suppress.items, &session->suppressions, err);
    if (r == 0)
        r = rule_set_select(session->parts.rules, &filter, err);
    if (r == 0 && options->baseline.count)
        r = difference_plan_load(embedded_differences, &session->differences, err);
    if (r == 0)
        r = prepare_pass(session, &session->now, err);
    if (r == 0 && options->baseline.count)
        r = prepare_pass(session, &session->past, err);
    if (r == 0 && options->explain)
        r = prepare_explanation(session, err);
    return r;
}

/* Said when all are read: by then we know that this try is not given up for another one. */
struct messages {
    VEC(char *) list;
};

static void messages_release(struct messages *messages)
{
    for (size_t i = 0; i < messages->list.count; i++)
        free(messages->list.items[i]);
    vec_free(&messages->list);
}

static int messages_add(struct messages *messages, const struct err *detail)
{
    char message[1024];
    char **slot = vec_push(&messages->list);
    return slot && (*slot = strdup(err_message(detail, message, sizeof message))) ? 0 : ERR_NOMEM;
}

static void messages_say(const struct messages *messages)
{
    for (size_t i = 0; i < messages->list.count; i++)
        say_error(messages->list.items[i]);
}

/* An error is one that ends the run; what could be read the passes know. */
static int read_reports(struct session *session, struct err *err)
{
    const struct inputs *inputs = session->confined->inputs;
    CLEANUP(messages_release) struct messages messages = {0};
    for (size_t i = 0; i < inputs->list.count; i++) {
        const struct input *input = &inputs->list.items[i];
        struct pass *pass = input->is_baseline ? &session->past : &session->now;
        struct err detail = ERR_INIT;
        if (!confined_takes(session->confined, i)) {
            const char *why = input->rejected ? input->rejected : input->failure;
            if (why && report_set_reject(pass->reports, input->path, why, err) < 0)
                return ERR_NOMEM;
            continue;
        }
        confined_reading(session->confined, i);
        int r = report_set_read_opened(pass->reports, input->path, input->fd,
                                       visitor(session, pass), &detail);
        const char **read = r == 0 ? vec_push(&pass->read) : NULL;
        if (read)
            *read = input->path;
        if (r == ERR_NOMEM || (r == 0 && !read) || (r < 0 && messages_add(&messages, &detail) < 0))
            return err_nomem(err);
    }
    confined_reading(session->confined, inputs->list.count);
    if (!session->confined->is_trial)
        messages_say(&messages);
    return 0;
}

static int judge(struct pass *pass, struct err *err)
{
    int r = report_set_finish(pass->reports, err);
    if (r < 0)
        return r;
    size_t count = report_set_host_count(pass->reports);
    pass->hosts = calloc(count + 1, sizeof *pass->hosts);
    if (!pass->hosts)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        const struct report_host *host = report_set_host(pass->reports, i);
        pass->hosts[i] = (struct database_host){
            .name = host->name,
            .source = report_set_source(pass->reports, host->source)->path,
            .uptime = host->uptime,
            .taken = host->taken,
            .taken_is_known = host->taken_is_known,
            .utc_offset = host->utc_offset,
            .booted = host->booted,
        };
    }
    r = analysis_judge(pass->analysis, pass->hosts, count, &pass->verdict, err);
    int64_t dropped = database_dropped(pass->database);
    if (r == 0 && dropped && count)
        report_set_add_problem(pass->reports, PROBLEM_REFUSED, 0, "",
                               "the tables are larger than fits; rows were left out");
    return r;
}

/* When the newest of the pass's reports was taken. */
static int64_t taken(const struct pass *pass)
{
    int64_t newest = TIME_UNKNOWN;
    for (size_t i = 0; i < report_set_host_count(pass->reports); i++)
        if (pass->hosts[i].taken > newest)
            newest = pass->hosts[i].taken;
    return newest;
}

static int compare(struct session *session, struct err *err)
{
    struct baseline_side now = {session->now.verdict, session->now.database};
    struct baseline_side past = {session->past.verdict, session->past.database};
    return baseline_compare(&now, &past, session->parts.rules, session->differences,
                            session->past.read.items, session->past.read.count,
                            taken(&session->past), err);
}

/* Who asked what changed must not take the silence for "nothing". */
static int note_lost_baseline(const struct session *session, struct err *err)
{
    struct verdict *verdict = session->now.verdict;
    const string_list *lost = &session->options->baseline;
    struct note *notes =
        arena_array(verdict->arena, verdict->note_count + lost->count, sizeof *notes);
    if (!notes)
        return err_nomem(err);
    if (verdict->note_count)
        memcpy(notes, verdict->notes, verdict->note_count * sizeof *notes);
    for (size_t i = 0; i < lost->count; i++)
        notes[verdict->note_count++] = (struct note){
            lost->items[i], "no baseline could be read, so nothing is said of what changed"};
    verdict->notes = notes;
    return 0;
}

static int give(const struct session *session, size_t output, const struct strbuf *bytes,
                struct err *err)
{
    const struct confined *confined = session->confined;
    return confined->is_trial ? 0 : output_write(&confined->outputs->files[output], bytes, err);
}

static int answer_query(const struct session *session, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf rows = STRBUF_INIT;
    int r = format_query(session->options, session->now.database, &rows, err);
    return r < 0 ? r : give(session, 0, &rows, err);
}

/* Headings at the margin, the rest below them. */
static void add_explanation(void *context, int level, const char *text)
{
    struct page *page = context;
    char label[16];
    if (level == 0) {
        CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
        escape_terminal(&safe, text, strlen(text), false);
        page_heading(page, safe.data);
        return;
    }
    snprintf(label, sizeof label, "%*s", 2 * (level - 1), "");
    page_item(page, label, "%s", text);
}

static int explain(const struct session *session, struct err *err)
{
    CLEANUP(page_release) struct page page;
    page_begin(&page);
    int r = explanation_tell(session->explanation, session->now.hosts,
                             report_set_host_count(session->now.reports), session->now.verdict,
                             add_explanation, &page, err);
    if (r == 0 && !strbuf_ok(&page.text))
        r = err_nomem(err);
    return r < 0 ? r : give(session, 0, &page.text, err);
}

static int show(const struct session *session, struct err *err)
{
    const struct options *options = session->options;
    for (size_t i = 0; i < options->outputs.count; i++) {
        const struct output *output = &options->outputs.items[i];
        int width = output->path ? 0 : page_width();
        struct render_input input = {
            .verdict = session->now.verdict,
            .reports = session->now.reports,
            .database = session->now.database,
            .min_severity = options->min_severity,
            .colour = width > 0 && page_is_coloured(),
            .width = width,
        };
        CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
        int r = render_as(render_find(output->format), &input, &bytes, err);
        if (r == 0 && !strbuf_ok(&bytes))
            r = err_nomem(err);
        if (r == 0)
            r = give(session, i, &bytes, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* The user's own files are the user's business, whoever reads the outputs. */
static void say_notes(const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->note_count; i++) {
        CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
        strbuf_addf(&line, "%s: %s", verdict->notes[i].place, verdict->notes[i].text);
        say_error(line.data);
    }
}

/* A monitoring plugin's states are its exit statuses, but 3 says here that there is no output. */
static int nagios_status(const struct verdict *verdict)
{
    enum nagios_state state = render_nagios_state(verdict);
    return state == NAGIOS_UNKNOWN ? EXIT_NOTHING_JUDGED : (int)state;
}

static int verdict_status(const struct session *session)
{
    if (options_has_nagios(session->options))
        return nagios_status(session->now.verdict);
    for (size_t i = 0; i < session->now.verdict->finding_count; i++) {
        const struct finding *finding = &session->now.verdict->findings[i];
        if (!finding->suppressed && (int)finding->severity >= session->options->fail_on)
            return EXIT_FINDINGS;
    }
    return EXIT_CLEAN;
}

static int run(struct session *session, struct err *err)
{
    int r = prepare(session, err);
    if (r == 0)
        r = confined_begin(session->confined, err);
    if (r < 0)
        return r;
    r = read_reports(session, err);
    if (r == 0 && session->past.read.count)
        r = judge(&session->past, err);
    if (r < 0 || !session->now.read.count)
        return r < 0 ? r : EXIT_NO_REPORT;
    r = judge(&session->now, err);
    if (r == 0 && session->past.read.count)
        r = compare(session, err);
    else if (r == 0 && session->options->baseline.count)
        r = note_lost_baseline(session, err);
    if (r < 0)
        return r;
    if (session->options->query)
        return answer_query(session, err);
    say_notes(session->now.verdict);
    r = session->explanation ? explain(session, err) : show(session, err);
    return r < 0 ? r : verdict_status(session);
}

static int analyze(struct confined *confined, struct err *err)
{
    struct session session = {.confined = confined, .options = confined->options};
    int status = run(&session, err);
    session_release(&session);
    return status;
}

int command_explain(struct options *options, struct err *err)
{
    return confined_run(options, analyze, err);
}

int command_analyze(struct options *options, struct err *err)
{
    libraries_warn();
    return confined_run(options, analyze, err);
}
