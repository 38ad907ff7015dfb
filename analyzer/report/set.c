/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The report set: hosts, sources and problems, and the questions that may be asked about them.
 *
 * Hosts are found by walking over all of them, which is fast enough since their number is limited;
 * the last one found is tried first, as members of a host come together.
 */
#include "analyzer/report/set.h"

#include "analyzer/report/crew.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names, problems and lists of absent files of a run; reached by hostile input only. */
#define ARENA_CEILING (256u << 20)

#define ROOT_MAX         4096

const char *problem_kind_name(enum problem_kind kind)
{
    switch (kind) {
    case PROBLEM_TRUNCATED:
        return "truncated";
    case PROBLEM_DAMAGED:
        return "damaged";
    case PROBLEM_REFUSED:
        return "refused";
    case PROBLEM_OMITTED:
        return "omitted";
    case PROBLEM_TIMEOUT:
        return "timeout";
    case PROBLEM_MISSING_HOST:
        return "missing-host";
    case PROBLEM_SUSPICIOUS:
        return "suspicious";
    case PROBLEM_CLOCK:
        return "clock";
    case PROBLEM_STALE:
        return "stale";
    }
    return "unknown";
}

int report_set_new(const struct report_limits *limits, struct report_set **ret, struct err *err)
{
    struct report_set *set = calloc(1, sizeof *set);
    if (!set)
        return err_nomem(err);
    set->arena = arena_new(ARENA_CEILING);
    if (!set->arena) {
        free(set);
        return err_nomem(err);
    }
    if (budget_ahead_new(&set->budget, err) < 0 || path_index_new(&set->known, err) < 0) {
        budget_ahead_free(&set->budget);
        arena_free(set->arena);
        free(set);
        return ERR_NOMEM;
    }
    set->jobs = 1;
    set->budget.limits = limits ? *limits : report_default_limits;
    *ret = set;
    return 0;
}

void *report_set_free(struct report_set *set)
{
    if (!set)
        return NULL;
    for (size_t i = 0; i < set->hosts.count; i++)
        vec_free(&set->hosts.items[i]->capabilities);
    vec_free(&set->sources);
    vec_free(&set->hosts);
    vec_free(&set->problems);
    vec_free(&set->absent_patterns);
    vec_free(&set->expected);
    vec_free(&set->taught);
    path_index_free(set->known);
    key_set_release(&set->members);
    key_set_release(&set->absent);
    key_set_release(&set->sought);
    key_set_release(&set->empty);
    key_set_release(&set->promised);
    vec_free(&set->promises);
    arena_free(set->arena);
    budget_ahead_free(&set->budget);
    free(set);
    return NULL;
}

void report_set_jobs(struct report_set *set, int jobs)
{
    set->jobs = jobs;
}

const char *set_text(struct report_set *set, const char *text, size_t maximum)
{
    return arena_memdup(set->arena, text, strnlen(text, maximum));
}

struct source_state *set_add_source(struct report_set *set, const char *path)
{
    struct source_state *source = arena_alloc(set->arena, sizeof *source);
    if (!source || !(source->report.path = set_text(set, path, ROOT_MAX)))
        return NULL;
    struct source_state **slot = vec_push(&set->sources);
    if (!slot)
        return NULL;
    return *slot = source;
}

static struct host_state *find_host(const struct report_set *set, const char *path, size_t length)
{
    for (size_t i = set->hosts.count; i-- > 0;) {
        struct host_state *host = set->hosts.items[i];
        if (host->report.source != set->sources.count - 1)
            break;
        if (strncmp(host->report.root, path, length) == 0 && host->report.root[length] == '\0')
            return host;
    }
    return NULL;
}

int set_host(struct report_set *set, const char *path, size_t length, struct host_state **ret,
             struct err *err)
{
    struct host_state *host = find_host(set, path, length);
    if (host) {
        *ret = host;
        return 0;
    }
    if (set->hosts.count == HOSTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d hosts in one run", HOSTS_MAX);
    host = arena_alloc(set->arena, sizeof *host);
    const char *root = arena_memdup(set->arena, path, length);
    struct host_state **slot = host && root ? vec_push(&set->hosts) : NULL;
    if (!slot)
        return err_nomem(err);
    host->report = (struct report_host){
        .index = (unsigned)set->hosts.count - 1,
        .source = (unsigned)set->sources.count - 1,
        .name = root,
        .root = root,
        .uptime = "",
    };
    *ret = *slot = host;
    return 0;
}

struct host_state *set_host_above(struct report_set *set, const char *path)
{
    struct host_state *best = NULL;
    for (size_t i = set->hosts.count; i-- > 0;) {
        struct host_state *host = set->hosts.items[i];
        if (host->report.source != set->sources.count - 1)
            break;
        size_t length = strlen(host->report.root);
        bool is_above = length == 0
                            ? host->is_solid
                            : strncmp(path, host->report.root, length) == 0 && path[length] == '/';
        if (is_above && (!best || length > strlen(best->report.root)))
            best = host;
    }
    return best;
}

#define PROBLEM_TEXT_MAX 512

/* `path` and `text` are borrowed. */
static void keep_problem(struct report_set *set, struct report_problem problem, const char *text)
{
    problem.path = set_text(set, problem.path, PROBLEM_PATH_MAX);
    problem.text = set_text(set, text, PROBLEM_TEXT_MAX);
    struct report_problem *slot = problem.path && problem.text ? vec_push(&set->problems) : NULL;
    if (slot)
        *slot = problem;
}

static bool has_problem(const struct report_set *set, enum problem_kind kind, int host,
                        const char *path)
{
    for (size_t i = set->problems.count; i-- > 0;) {
        const struct report_problem *problem = &set->problems.items[i];
        if (problem->kind == kind && problem->host == host && strcmp(problem->path, path) == 0)
            return true;
    }
    return false;
}

/* A problem on its way to its place between what is found in members. */
struct note {
    struct parcel parcel; /* first */
    struct report_set *set;
    enum problem_kind kind;
    int host;
    bool once;
    const char *path;
    char text[PROBLEM_TEXT_MAX];
    char path_bytes[];
};

static void add_problem(struct report_set *set, const struct note *note)
{
    enum problem_kind kind = note->kind;
    /* Once problems are no longer kept it does not matter whether one is counted twice. */
    if (note->once && set->problems_of_kind[kind] < PROBLEMS_MAX &&
        has_problem(set, kind, note->host, note->path))
        return;
    if (set->problems_of_kind[kind]++ >= PROBLEMS_MAX)
        return;
    struct report_problem problem = {
        .kind = kind,
        .host = note->host,
        .source = note->host < 0 ? (unsigned)set->sources.count - 1
                                 : set->hosts.items[note->host]->report.source,
        .path = note->path,
    };
    keep_problem(set, problem, note->text);
}

static int deliver_note(struct parcel *parcel, struct err *err)
{
    (void)err;
    struct note *note = (struct note *)parcel;
    add_problem(note->set, note);
    return 0;
}

static void dispose_note(struct parcel *parcel)
{
    free(parcel);
}

/* Adds it, or sends it on its way when members in front of it are still being read. */
static void place_problem(struct report_set *set, const struct note *note)
{
    if (!set->crew || crew_is_delivering(set->crew)) {
        add_problem(set, note);
        return;
    }
    size_t length = strnlen(note->path, PROBLEM_PATH_MAX), size = sizeof *note + length + 1;
    struct note *copy = malloc(size);
    if (!copy)
        return;
    *copy = *note;
    copy->parcel =
        (struct parcel){.size = size, .deliver = deliver_note, .dispose = dispose_note};
    memcpy(copy->path_bytes, note->path, length);
    copy->path_bytes[length] = '\0';
    copy->path = copy->path_bytes;
    crew_post(set->crew, &copy->parcel, NULL);
}

void set_problem(struct report_set *set, enum problem_kind kind, int host, const char *path,
                 const char *format, ...)
{
    struct note note = {.set = set, .kind = kind, .host = host, .path = path};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note.text, sizeof note.text, format, arguments);
    va_end(arguments);
    place_problem(set, &note);
}

void set_problem_once(struct report_set *set, enum problem_kind kind, int host, const char *path,
                      const char *format, ...)
{
    struct note note = {.set = set, .kind = kind, .host = host, .once = true, .path = path};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(note.text, sizeof note.text, format, arguments);
    va_end(arguments);
    place_problem(set, &note);
}

void set_closing_problem(struct report_set *set, enum problem_kind kind, unsigned source,
                         const char *format, ...)
{
    struct report_problem problem = {.kind = kind, .host = -1, .source = source, .path = ""};
    char text[PROBLEM_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    keep_problem(set, problem, text);
}

size_t report_set_host_count(const struct report_set *set)
{
    return set->hosts.count;
}

const struct report_host *report_set_host(const struct report_set *set, size_t index)
{
    return &set->hosts.items[index]->report;
}

size_t report_set_source_count(const struct report_set *set)
{
    return set->sources.count;
}

const struct report_source *report_set_source(const struct report_set *set, size_t index)
{
    return &set->sources.items[index]->report;
}

size_t report_set_problem_count(const struct report_set *set)
{
    return set->problems.count;
}

const struct report_problem *report_set_problem(const struct report_set *set, size_t index)
{
    return &set->problems.items[index];
}

void report_set_add_problem(struct report_set *set, enum problem_kind kind, unsigned host,
                            const char *path, const char *text)
{
    set_problem_once(set, kind, (int)host, path, "%s", text);
}

int report_set_teach(struct report_set *set, const char *pattern, const char *capability,
                     struct err *err)
{
    struct taught_source taught = {.capability = arena_strdup(set->arena, capability)};
    int rc = path_pattern_compile(set->arena, pattern, &taught.pattern, err);
    if (rc < 0)
        return rc;
    struct taught_source *slot = taught.capability ? vec_push(&set->taught) : NULL;
    if (!slot)
        return err_nomem(err);
    *slot = taught;
    return report_set_know(set, &taught.pattern, err);
}

int report_set_know(struct report_set *set, const struct path_pattern *pattern, struct err *err)
{
    unsigned number;
    return path_index_add(set->known, pattern, &number, err);
}

bool report_host_collected(const struct report_set *set, size_t index, const char *capability)
{
    const struct host_state *host = set->hosts.items[index];
    for (size_t i = 0; i < host->capabilities.count; i++)
        if (strcmp(host->capabilities.items[i], capability) == 0)
            return true;
    return false;
}

bool report_host_proves_empty(const struct report_set *set, size_t index, const char *path)
{
    return key_set_has(&set->empty, (unsigned)index, path);
}

bool report_host_lost(const struct report_set *set, size_t index, const char *path)
{
    return key_set_has(&set->promised, (unsigned)index, path) &&
           !key_set_has(&set->members, (unsigned)index, path);
}

bool report_host_proves_absent(const struct report_set *set, size_t index, const char *path)
{
    unsigned host = (unsigned)index;
    if (key_set_has(&set->members, host, path) || key_set_has(&set->sought, host, path))
        return false;
    if (key_set_has(&set->absent, host, path))
        return true;
    if (key_set_has(&set->promised, host, path))
        return false;
    for (size_t i = 0; i < set->absent_patterns.count; i++)
        if (set->absent_patterns.items[i].host == host &&
            path_pattern_match(&set->absent_patterns.items[i].pattern, path, NULL))
            return true;
    if (!set->hosts.items[index]->report.has_inventory)
        return false;
    for (size_t i = 0; i < set->taught.count; i++)
        if (path_pattern_match(&set->taught.items[i].pattern, path, NULL) &&
            report_host_collected(set, index, set->taught.items[i].capability))
            return true;
    return false;
}
