/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reading and applying suppressions. A finding may be about several hosts and a suppression about
 * one of them, so a finding is suppressed when every one of its hosts is.
 */
#include "analyzer/rules/suppress.h"

#include <fcntl.h>
#include <time.h>

#include "common/io.h"
#include "common/vec.h"

/* The file's own limit is 1 MiB (common/doc.c); this is for its tree. */
#define SUPPRESSIONS_MEMORY (64 * 1024 * 1024)
#define FILE_MAX            (1024 * 1024)

/* Each is compared with each finding; a site that has more should change its rules instead. */
#define SUPPRESSIONS_MAX 10000

struct suppression {
    const struct doc_node *node; /* its place */
    const char *rule, *reason, *owner, *expires;
    const char *const *hosts;   /* NULL-ended, or NULL: any */
    const char *const *objects; /* NULL-ended, or NULL: any */
    int64_t ends;               /* first second it does not work; INT64_MAX: never */
    bool used, partly;
};

struct suppressions {
    struct arena *arena;
    VEC(struct suppression) items;
};

/* "2027-03-31" to the first second after that day (UTC). */
static int read_date(const struct doc_node *node, const char **ret, int64_t *ret_ends,
                     struct err *err)
{
    struct tm tm = {0};
    char again[16] = "";
    const char *end = node->kind == DOC_SCALAR ? strptime(node->text, "%Y-%m-%d", &tm) : NULL;
    struct tm date = tm;
    time_t day = end && !*end ? timegm(&date) : -1;
    if (day != -1)
        strftime(again, sizeof again, "%Y-%m-%d", &date);
    if (!end || strcmp(again, node->text) != 0)
        return doc_fail(node, err, "expected a day of the calendar such as 2027-03-31");
    *ret = node->text;
    *ret_ends = (int64_t)day + 24 * 3600;
    return 0;
}

static int optional_list(struct suppressions *set, const struct doc_node *map, const char *key,
                         const char *const **ret, struct err *err)
{
    const struct doc_node *node = doc_get(map, key);
    size_t count = 0;
    int r = node ? doc_strings(node, set->arena, ret, &count, err) : 0;
    if (r == 0 && node && count == 0)
        return doc_fail(node, err, "the list is empty; leave '%s' out if any will do", key);
    return r;
}

static int required(const struct doc_node *map, const char *key, const char *why, const char **ret,
                    struct err *err)
{
    const struct doc_node *node = doc_get(map, key);
    return node ? doc_string(node, ret, err)
                : doc_fail(map, err, "a suppression needs a '%s': %s", key, why);
}

static int load_item(struct suppressions *set, const struct doc_node *node, struct err *err)
{
    static const char *const keys[] = {"rule",  "host",    "object", "reason",
                                       "owner", "expires", NULL};
    struct suppression item = {.node = node, .ends = INT64_MAX};
    const struct doc_node *owner = doc_get(node, "owner"), *expires = doc_get(node, "expires");
    int r = doc_check_keys(node, keys, err);
    if (r == 0)
        r = required(node, "rule", "the id of the rule whose findings it is about", &item.rule,
                     err);
    if (r == 0)
        r = required(node, "reason", "it is shown with the finding", &item.reason, err);
    if (r == 0)
        r = optional_list(set, node, "host", &item.hosts, err);
    if (r == 0)
        r = optional_list(set, node, "object", &item.objects, err);
    if (r == 0 && owner)
        r = doc_string(owner, &item.owner, err);
    if (r == 0 && expires)
        r = read_date(expires, &item.expires, &item.ends, err);
    if (r < 0)
        return r;
    struct suppression *slot = vec_push(&set->items);
    if (!slot)
        return err_nomem(err);
    *slot = item;
    return 0;
}

static int load_document(struct suppressions *set, const char *name, const char *bytes,
                         size_t length, struct err *err)
{
    const struct doc_node *root;
    int r = doc_parse(set->arena, name, bytes, length, &root, err);
    if (r < 0)
        return r;
    if (root->kind != DOC_LIST)
        return doc_fail(root, err,
                        "expected a list of suppressions: '- rule: ...' with a 'reason'");
    for (size_t i = 0; r == 0 && i < root->count; i++)
        r = set->items.count == SUPPRESSIONS_MAX
                ? doc_fail(root->items[i], err,
                           "more than %d suppressions; leave the rule out (--skip) instead",
                           SUPPRESSIONS_MAX)
                : load_item(set, root->items[i], err);
    return r;
}

static int new_set(struct suppressions **ret, struct err *err)
{
    struct suppressions *set = calloc(1, sizeof *set);
    if (!set || !(set->arena = arena_new(SUPPRESSIONS_MEMORY))) {
        suppressions_free(set);
        return err_nomem(err);
    }
    *ret = set;
    return 0;
}

int suppressions_parse(const char *name, const char *bytes, size_t length,
                       struct suppressions **ret, struct err *err)
{
    struct suppressions *set = NULL;
    int r = new_set(&set, err);
    if (r == 0)
        r = load_document(set, name, bytes, length, err);
    if (r < 0) {
        suppressions_free(set);
        return r;
    }
    *ret = set;
    return 0;
}

int suppressions_load(const char *const *paths, struct suppressions **ret, struct err *err)
{
    struct suppressions *set = NULL;
    int r = new_set(&set, err);
    for (; r == 0 && paths && *paths; paths++) {
        CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
        r = io_read_file(AT_FDCWD, *paths, FILE_MAX, &bytes, err);
        if (r == 0)
            r = load_document(set, *paths, bytes.data, bytes.length, err);
    }
    if (r < 0) {
        suppressions_free(set);
        return r;
    }
    *ret = set;
    return 0;
}

void *suppressions_free(struct suppressions *set)
{
    if (!set)
        return NULL;
    vec_free(&set->items);
    arena_free(set->arena);
    free(set);
    return NULL;
}

size_t suppressions_count(const struct suppressions *set)
{
    return set->items.count;
}

static bool contains(const char *const *list, const char *word)
{
    for (; *list; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

static bool is_about(const struct suppression *item, const struct finding *finding)
{
    if (strcmp(item->rule, finding->rule) != 0)
        return false;
    for (size_t i = 0; item->objects && i < finding->value_count; i++)
        if (contains(item->objects, finding->values[i].text))
            return true;
    return !item->objects;
}

static bool covers_host(const struct suppression *item, const char *host)
{
    return !item->hosts || contains(item->hosts, host);
}

static bool covers_any(const struct suppression *item, const struct finding *finding)
{
    for (size_t i = 0; i < finding->host_count; i++)
        if (covers_host(item, finding->hosts[i]))
            return true;
    return !item->hosts;
}

/* The suppression that works for a finding on a host (NULL: a finding without hosts). */
static const struct suppression *find_working(const struct suppressions *set,
                                              const struct finding *finding, const char *host,
                                              int64_t now)
{
    for (size_t i = 0; i < set->items.count; i++) {
        const struct suppression *item = &set->items.items[i];
        if (now < item->ends && is_about(item, finding) &&
            (host ? covers_host(item, host) : !item->hosts))
            return item;
    }
    return NULL;
}

static void suppress(const struct suppressions *set, struct finding *finding, int64_t now)
{
    const struct suppression *first =
        find_working(set, finding, finding->host_count ? finding->hosts[0] : NULL, now);
    for (size_t i = 1; first && i < finding->host_count; i++)
        if (!find_working(set, finding, finding->hosts[i], now))
            first = NULL;
    if (!first)
        return;
    finding->suppressed = first->reason;
    finding->suppressed_owner = first->owner;
    finding->suppressed_until = first->expires;
}

/* Remembers what each suppression did, for the notes. */
static void take_stock(struct suppressions *set, const struct finding *finding)
{
    for (size_t i = 0; i < set->items.count; i++) {
        struct suppression *item = &set->items.items[i];
        if (!is_about(item, finding) || !covers_any(item, finding))
            continue;
        item->used = true;
        item->partly |= !finding->suppressed;
    }
}

static int add_note(struct verdict *verdict, const struct suppression *item, const char *text,
                    struct err *err)
{
    const struct doc_node *node = item->node;
    struct note *note = &verdict->notes[verdict->note_count];
    note->place = arena_printf(verdict->arena, "%s:%d:%d", node->file, node->line, node->column);
    note->text = text;
    if (!note->place || !text)
        return err_nomem(err);
    verdict->note_count++;
    return 0;
}

static int note_unknown(struct verdict *verdict, const struct suppression *item,
                        const struct rule_set *rules, struct err *err)
{
    const char *nearest = rule_set_nearest(rules, item->rule);
    return add_note(verdict, item,
                    arena_printf(verdict->arena,
                                 "the suppression does nothing: there is no rule "
                                 "'%s'%s%s%s",
                                 item->rule, nearest ? "; did you mean '" : "",
                                 nearest ? nearest : "", nearest ? "'?" : ""),
                    err);
}

static int note(struct verdict *verdict, const struct suppression *item,
                const struct rule_set *rules, int64_t now, struct err *err)
{
    struct arena *arena = verdict->arena;
    if (now >= item->ends && item->used)
        return add_note(verdict, item,
                        arena_printf(arena,
                                     "the suppression of '%s' expired on %s; its findings count "
                                     "again: solve them, or decide anew and change the date",
                                     item->rule, item->expires),
                        err);
    if (!rule_set_knows(rules, item->rule))
        return note_unknown(verdict, item, rules, err);
    if (!rule_set_find(rules, item->rule))
        return 0;
    if (!item->used)
        return add_note(verdict, item,
                        arena_printf(arena,
                                     "the suppression of '%s' fits no finding; remove it if the "
                                     "trouble is over, or check 'host' and 'object'",
                                     item->rule),
                        err);
    if (item->partly && now < item->ends)
        return add_note(verdict, item,
                        arena_printf(arena,
                                     "the suppression of '%s' fits a finding that other hosts have "
                                     "too, so it is shown; name them all to suppress it",
                                     item->rule),
                        err);
    return 0;
}

int suppressions_apply(struct suppressions *set, const struct rule_set *rules, int64_t now,
                       struct verdict *verdict, struct err *err)
{
    struct note *notes =
        arena_array(verdict->arena, verdict->note_count + set->items.count + 1, sizeof *notes);
    if (!notes)
        return err_nomem(err);
    if (verdict->note_count)
        memcpy(notes, verdict->notes, verdict->note_count * sizeof *notes);
    verdict->notes = notes;
    for (size_t i = 0; i < verdict->finding_count; i++) {
        suppress(set, &verdict->findings[i], now);
        take_stock(set, &verdict->findings[i]);
    }
    int r = 0;
    for (size_t i = 0; r == 0 && i < set->items.count; i++)
        r = note(verdict, &set->items.items[i], rules, now, err);
    return r;
}
