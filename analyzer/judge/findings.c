/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From observations to findings. One cause, one finding: what a rule sees again, on the same or
 * another host, is counted and kept as proof, and rules that name their symptoms (`explains:`) get
 * them hung under them.
 */
#include "analyzer/judge/judge_private.h"

/* Proof that is kept: enough to believe it and to see when it began and ended. */
#define EVIDENCE_FIRST 5
#define EVIDENCE_LAST  5

struct draft {
    const struct rule *rule;
    const char *key;
    bool certain;
    bool *hosts;
    int64_t count, first_seen, last_seen;
    const struct finding_value *values;
    size_t value_count;
    VEC(struct evidence) evidence;
    size_t ring_next;
};

struct dropped {
    const struct rule *rule;
    int64_t observations;
};

struct finding_builder {
    struct arena *arena;
    VEC(struct dropped) dropped;
    const struct database_host *hosts;
    size_t host_count;
    VEC(struct draft) drafts;
};

int finding_builder_new(struct arena *arena, const struct database_host *hosts, size_t host_count,
                        struct finding_builder **ret, struct err *err)
{
    struct finding_builder *builder = calloc(1, sizeof *builder);
    if (!builder)
        return err_nomem(err);
    builder->arena = arena;
    builder->hosts = hosts;
    builder->host_count = host_count;
    *ret = builder;
    return 0;
}

void *finding_builder_free(struct finding_builder *builder)
{
    if (!builder)
        return NULL;
    for (size_t i = 0; i < builder->drafts.count; i++) {
        vec_free(&builder->drafts.items[i].evidence);
        free(builder->drafts.items[i].hosts);
    }
    vec_free(&builder->drafts);
    vec_free(&builder->dropped);
    free(builder);
    return NULL;
}

static struct draft *find_draft(const struct finding_builder *builder, const struct rule *rule,
                                const char *key)
{
    /* The newest are the likeliest: rules are evaluated one after the other. */
    for (size_t i = builder->drafts.count; i-- > 0;) {
        struct draft *draft = &builder->drafts.items[i];
        if (draft->rule == rule && strcmp(draft->key, key) == 0)
            return draft;
    }
    return NULL;
}

static int copy_values(struct arena *arena, const struct finding_value *values, size_t count,
                       const struct finding_value **ret, struct err *err)
{
    struct finding_value *copy = arena_array(arena, count + 1, sizeof *copy);
    if (!copy)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        copy[i].name = arena_strdup(arena, values[i].name);
        copy[i].text = arena_strdup(arena, values[i].text);
        if (!copy[i].name || !copy[i].text)
            return err_nomem(err);
    }
    *ret = copy;
    return 0;
}

static int new_draft(struct finding_builder *builder, const struct rule *rule, const char *key,
                     const struct observation *observation, struct draft **ret, struct err *err)
{
    struct draft *draft = vec_push(&builder->drafts);
    if (!draft)
        return err_nomem(err);
    draft->rule = rule;
    draft->certain = true;
    draft->first_seen = draft->last_seen = TIME_UNKNOWN;
    draft->key = arena_strdup(builder->arena, key);
    draft->hosts = calloc(builder->host_count + 1, sizeof *draft->hosts);
    if (!draft->key || !draft->hosts)
        return err_nomem(err);
    draft->value_count = observation->value_count;
    *ret = draft;
    return copy_values(builder->arena, observation->values, observation->value_count,
                       &draft->values, err);
}

/* The first few and the last few; what lies between is only counted. */
static int add_evidence(struct finding_builder *builder, struct draft *draft,
                        const struct observation *o, struct err *err)
{
    struct evidence *slot;
    if (draft->evidence.count < EVIDENCE_FIRST + EVIDENCE_LAST) {
        slot = vec_push(&draft->evidence);
        if (!slot)
            return err_nomem(err);
    } else {
        slot = &draft->evidence.items[EVIDENCE_FIRST + draft->ring_next];
        draft->ring_next = (draft->ring_next + 1) % EVIDENCE_LAST;
    }
    slot->host = o->host >= 0 ? builder->hosts[o->host].name : "";
    slot->path = arena_strdup(builder->arena, o->path ? o->path : "");
    slot->text = arena_strdup(builder->arena, o->text ? o->text : "");
    slot->before = arena_strdup(builder->arena, o->before ? o->before : "");
    slot->after = arena_strdup(builder->arena, o->after ? o->after : "");
    slot->match = o->match;
    slot->match_length = o->match_length;
    slot->line = o->line;
    slot->time = o->time;
    return slot->path && slot->text && slot->before && slot->after ? 0 : err_nomem(err);
}

static size_t count_drafts(const struct finding_builder *builder, const struct rule *rule)
{
    size_t count = 0;
    for (size_t i = 0; i < builder->drafts.count; i++)
        count += builder->drafts.items[i].rule == rule;
    return count;
}

static int drop(struct finding_builder *builder, const struct rule *rule, struct err *err)
{
    size_t count = builder->dropped.count;
    struct dropped *last = count ? &builder->dropped.items[count - 1] : NULL;
    if (!last || last->rule != rule) {
        last = vec_push(&builder->dropped);
        if (!last)
            return err_nomem(err);
        last->rule = rule;
    }
    last->observations++;
    return 0;
}

int64_t finding_builder_dropped(const struct finding_builder *builder, const struct rule *rule)
{
    for (size_t i = 0; i < builder->dropped.count; i++)
        if (builder->dropped.items[i].rule == rule)
            return builder->dropped.items[i].observations;
    return 0;
}

int finding_builder_add(struct finding_builder *builder, const struct rule *rule, const char *key,
                        bool certain, const struct observation *o, struct err *err)
{
    struct draft *draft = find_draft(builder, rule, key);
    if (!draft && count_drafts(builder, rule) == FINDINGS_PER_RULE)
        return drop(builder, rule, err);
    int r = draft ? 0 : new_draft(builder, rule, key, o, &draft, err);
    if (r < 0)
        return r;
    draft->certain &= certain;
    draft->count += o->count;
    for (size_t i = 0; i < builder->host_count; i++)
        if (o->affects == (int)i || o->affects < 0)
            draft->hosts[i] = true;
    if (o->time != TIME_UNKNOWN) {
        if (draft->first_seen == TIME_UNKNOWN || o->time < draft->first_seen)
            draft->first_seen = o->time;
        if (draft->last_seen == TIME_UNKNOWN || o->time > draft->last_seen)
            draft->last_seen = o->time;
    }
    return o->path || o->text ? add_evidence(builder, draft, o, err) : 0;
}

void finding_builder_count(struct finding_builder *builder, const struct rule *rule,
                           const char *key, int64_t events)
{
    struct draft *draft = find_draft(builder, rule, key);
    if (draft)
        draft->count += events;
}

static const char *value_of(const struct finding_value *values, size_t count, const char *name,
                            size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(values[i].name) == length && memcmp(values[i].name, name, length) == 0)
            return values[i].text;
    return NULL;
}

const char *finding_title(struct arena *arena, const char *title,
                          const struct finding_value *values, size_t count)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (const char *p = title; *p;) {
        const char *close = *p == '{' ? strchr(p, '}') : NULL;
        const char *value = close ? value_of(values, count, p + 1, (size_t)(close - p - 1)) : NULL;
        if (value) {
            strbuf_adds(&text, value);
            p = close + 1;
        } else {
            strbuf_addc(&text, *p++);
        }
    }
    return strbuf_ok(&text) ? arena_strdup(arena, text.data) : NULL;
}

static int fill_hosts(struct finding_builder *builder, const struct draft *draft,
                      struct finding *finding, struct err *err)
{
    const char **names = arena_array(builder->arena, builder->host_count + 1, sizeof *names);
    if (!names)
        return err_nomem(err);
    for (size_t i = 0; i < builder->host_count; i++)
        if (draft->hosts[i])
            names[finding->host_count++] = builder->hosts[i].name;
    finding->hosts = names;
    return 0;
}

/* Evidence in the order it was found: the ring may start in the middle of its places. */
static int fill_evidence(struct finding_builder *builder, const struct draft *draft,
                         struct finding *finding, struct err *err)
{
    size_t count = draft->evidence.count;
    struct evidence *evidence = arena_array(builder->arena, count + 1, sizeof *evidence);
    if (!evidence)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        size_t from = i;
        if (i >= EVIDENCE_FIRST)
            from = EVIDENCE_FIRST + (i - EVIDENCE_FIRST + draft->ring_next) % EVIDENCE_LAST;
        evidence[i] = draft->evidence.items[from < count ? from : i];
    }
    finding->evidence = evidence;
    finding->evidence_count = count;
    return 0;
}

static int make_finding(struct finding_builder *builder, const struct draft *draft,
                        struct finding *ret, struct err *err)
{
    const struct rule *rule = draft->rule;
    struct arena *arena = builder->arena;
    const struct finding_value *values = draft->values;
    size_t count = draft->value_count;
    *ret = (struct finding){
        .rule = rule->id,
        .title = finding_title(arena, rule->title, values, count),
        .explanation = finding_title(arena, rule->explanation, values, count),
        .advice = finding_title(arena, rule->advice, values, count),
        .severity = rule->severity,
        .component = rule->component,
        .confidence = draft->certain || rule->confidence == CONFIDENCE_LOW ? rule->confidence
                                                                           : rule->confidence - 1,
        .count = draft->count,
        .first_seen = draft->first_seen,
        .last_seen = draft->last_seen,
        .links = rule->links,
        .values = values,
        .value_count = count,
        .explained_by = -1,
    };
    if (!ret->title || !ret->explanation || !ret->advice)
        return err_nomem(err);
    int r = fill_hosts(builder, draft, ret, err);
    return r < 0 ? r : fill_evidence(builder, draft, ret, err);
}

static int worst_first(const void *a, const void *b)
{
    const struct finding *left = a, *right = b;
    if (left->severity != right->severity)
        return left->severity > right->severity ? -1 : 1;
    int order = strcmp(left->component, right->component);
    if (!order)
        order = strcmp(left->rule, right->rule);
    return order ? order : strcmp(left->title, right->title);
}

static bool share_host(const struct finding *a, const struct finding *b)
{
    for (size_t i = 0; i < a->host_count; i++)
        for (size_t j = 0; j < b->host_count; j++)
            if (a->hosts[i] == b->hosts[j])
                return true;
    return false;
}

/* Whether both findings have the value `name`, and the same. */
static bool share_value(const struct finding *a, const struct finding *b, const char *name)
{
    const char *left = value_of(a->values, a->value_count, name, strlen(name));
    const char *right = value_of(b->values, b->value_count, name, strlen(name));
    return left && right && strcmp(left, right) == 0;
}

/* Whether `ancestor` is `finding` itself or above it: rules that explain each other must not make a
 * circle. */
static bool is_above(const struct verdict *verdict, int ancestor, int finding)
{
    for (; finding >= 0; finding = verdict->findings[finding].explained_by)
        if (finding == ancestor)
            return true;
    return false;
}

static bool is_symptom(const struct rule *cause, const struct finding *of,
                       const struct finding *what)
{
    for (size_t i = 0; i < cause->symptom_count; i++) {
        const struct rule_symptom *symptom = &cause->explains[i];
        if (strcmp(symptom->rule, what->rule) == 0)
            return share_host(of, what) && (!symptom->same || share_value(of, what, symptom->same));
    }
    return false;
}

static void link_causes(const struct finding_builder *builder, struct verdict *verdict)
{
    for (size_t c = 0; c < verdict->finding_count; c++) {
        const struct rule *cause = NULL;
        for (size_t i = 0; i < builder->drafts.count && !cause; i++)
            if (builder->drafts.items[i].rule->id == verdict->findings[c].rule)
                cause = builder->drafts.items[i].rule;
        for (size_t s = 0; cause && s < verdict->finding_count; s++)
            if (verdict->findings[s].explained_by < 0 &&
                is_symptom(cause, &verdict->findings[c], &verdict->findings[s]) &&
                !is_above(verdict, (int)s, (int)c))
                verdict->findings[s].explained_by = (int)c;
    }
}

int finding_builder_finish(struct finding_builder *builder, struct verdict *verdict,
                           struct err *err)
{
    verdict->findings =
        arena_array(verdict->arena, builder->drafts.count + 1, sizeof *verdict->findings);
    if (!verdict->findings)
        return err_nomem(err);
    for (size_t i = 0; i < builder->drafts.count; i++) {
        int r = make_finding(builder, &builder->drafts.items[i],
                             &verdict->findings[verdict->finding_count], err);
        if (r < 0)
            return r;
        verdict->finding_count++;
    }
    qsort(verdict->findings, verdict->finding_count, sizeof *verdict->findings, worst_first);
    link_causes(builder, verdict);
    return 0;
}
