/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Two files with a schema each. One that is damaged costs the past, never the next check: it is set
 * aside, and said.
 */
#include "healthcheck/history/history.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HISTORY_NAME   "history.json"
#define HISTORY_SCHEMA "xenhealth-history/1"
#define PENDING_NAME   "pending.json"
#define PENDING_SCHEMA "xenhealth-pending/1"
#define MAX_CHECKS     10000

static int write_json(const struct store *store, const char *name, const json_t *json,
                      struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_MAX(STORE_MAX_BYTES);
    char *dump = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
    if (!dump)
        return err_nomem(err);
    strbuf_adds(&text, dump);
    strbuf_addc(&text, '\n');
    free(dump);
    if (!strbuf_ok(&text))
        return err_set(err, ERR_LIMIT, "'%s' would be too large", name);
    return store_write(store, name, &text, err);
}

static bool exists(const struct store *store, const char *name)
{
    return faccessat(store_fd(store), name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* NULL without an error: there is no such file. */
static int read_json(const struct store *store, const char *name, const char *schema, json_t **ret,
                     struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    json_error_t why;
    int r = store_read(store, name, &text, err);
    *ret = NULL;
    if (r < 0 || (text.length == 0 && !exists(store, name)))
        return r;
    if (text.length == 0)
        return err_set(err, ERR_PARSE, "it is empty");
    json_t *json = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, &why);
    const char *is = json_string_value(json_object_get(json, "schema"));
    if (json && is && strcmp(is, schema) == 0) {
        *ret = json;
        return 0;
    }
    json_decref(json);
    return json ? err_set(err, ERR_PARSE, "it has no schema '%s'", schema)
                : err_set(err, ERR_PARSE, "line %d: %s", why.line, why.text);
}

/* Not ours, larger than anything that we write, or no file at all. */
static bool is_damage(int r)
{
    return r == ERR_PARSE || r == ERR_LIMIT || r == ERR_UNSUPPORTED;
}

static void complain(const struct store *store, const char *name, bool set_aside,
                     const struct err *why, struct strbuf *notes)
{
    char text[700];
    if (set_aside)
        store_set_aside(store, name, err_message(why, text, sizeof text), notes);
    else
        strbuf_addf(notes, "%s/%s is damaged: %s.\n", store_path(store), name,
                    err_message(why, text, sizeof text));
}

static int take_checks(const json_t *list, struct history *history, struct err *err)
{
    size_t count = json_array_size(list), i;
    const json_t *each;
    int r = 0;
    if (!json_is_array(list) || count > MAX_CHECKS)
        return err_set(err, ERR_PARSE, "it has no list of checks");
    history->checks = calloc(count + 1, sizeof *history->checks);
    if (!history->checks)
        return err_nomem(err);
    json_array_foreach(list, i, each) if (r == 0) r =
        check_from_json(each, &history->checks[history->count++], err);
    return r;
}

int history_load(const struct store *store, bool set_aside, struct history *ret,
                 struct strbuf *notes, struct err *err)
{
    json_auto_t *json = NULL;
    struct history history = {NULL, 0, false};
    struct err why = ERR_INIT;
    int r = read_json(store, HISTORY_NAME, HISTORY_SCHEMA, &json, &why);
    if (r == 0 && json)
        r = take_checks(json_object_get(json, "checks"), &history, &why);
    if (r < 0)
        history_release(&history);
    bool damaged = is_damage(r);
    if (damaged) {
        complain(store, HISTORY_NAME, set_aside, &why, notes);
        r = 0;
    } else if (r < 0) {
        return err_pass(err, r, &why);
    }
    history.lost = damaged || exists(store, HISTORY_NAME STORE_ASIDE);
    *ret = history;
    return r;
}

void history_release(struct history *history)
{
    for (size_t i = 0; i < history->count; i++)
        check_release(&history->checks[i]);
    free(history->checks);
    *history = (struct history){NULL, 0, false};
}

static int history_save(const struct store *store, const struct history *history, struct err *err)
{
    json_auto_t *json = json_pack("{s:s}", "schema", HISTORY_SCHEMA);
    json_t *list = json_array();
    bool failed = json_object_set_new(json, "checks", list) < 0;
    for (size_t i = 0; !failed && i < history->count; i++)
        failed = json_array_append_new(list, check_to_json(&history->checks[i])) < 0;
    return failed ? err_nomem(err) : write_json(store, HISTORY_NAME, json, err);
}

static struct check *same_check(const struct history *history, const struct check *check)
{
    for (size_t i = history->count; i-- > 0;)
        if (history->checks[i].started_s == check->started_s)
            return &history->checks[i];
    return NULL;
}

static int add(struct history *history, struct check *check, struct err *err)
{
    struct check *more = reallocarray(history->checks, history->count + 1, sizeof *more);
    if (!more)
        return err_nomem(err);
    history->checks = more;
    more[history->count++] = *check;
    return 0;
}

static void forget_old(struct history *history, size_t limit)
{
    size_t drop = history->count > limit ? history->count - limit : 0;
    for (size_t i = 0; i < drop; i++)
        check_release(&history->checks[i]);
    history->count -= drop;
    memmove(history->checks, history->checks + drop, history->count * sizeof *history->checks);
    for (size_t i = 0; i + HISTORY_FINDINGS < history->count; i++)
        check_forget_findings(&history->checks[i]);
}

int history_put(const struct store *store, struct history *history, const struct check *check,
                size_t limit, struct err *err)
{
    struct check copy, *same = same_check(history, check);
    int r = check_copy(check, &copy, err);
    if (r == 0 && same) {
        check_release(same);
        *same = copy;
    } else if (r == 0) {
        r = add(history, &copy, err);
    }
    if (r < 0) {
        check_release(&copy);
        return r;
    }
    forget_old(history, limit);
    return history_save(store, history, err);
}

static const struct check *nth_analysed(const struct history *history, unsigned n)
{
    for (size_t i = history->count; i-- > 0;)
        if (history->checks[i].analysed && n-- == 0)
            return &history->checks[i];
    return NULL;
}

const struct check *history_last(const struct history *history)
{
    return nth_analysed(history, 0);
}

const struct check *history_previous(const struct history *history)
{
    return nth_analysed(history, 1);
}

void history_times(const struct history *history, int64_t *ret_success_s, int64_t *ret_failure_s)
{
    const struct check *last = history_last(history);
    const struct check *newest = history->count ? &history->checks[history->count - 1] : NULL;
    *ret_success_s = last ? last->started_s : SCHEDULE_NEVER;
    *ret_failure_s = newest && !newest->analysed ? newest->started_s : SCHEDULE_NEVER;
}

int pending_load(const struct store *store, bool set_aside, struct check *ret, bool *ret_found,
                 struct strbuf *notes, struct err *err)
{
    json_auto_t *json = NULL;
    struct err why = ERR_INIT;
    memset(ret, 0, sizeof *ret);
    *ret_found = false;
    int r = read_json(store, PENDING_NAME, PENDING_SCHEMA, &json, &why);
    if (r == 0 && json)
        r = check_from_json(json_object_get(json, "check"), ret, &why);
    *ret_found = r == 0 && json;
    if (r < 0)
        check_release(ret);
    if (is_damage(r)) {
        complain(store, PENDING_NAME, set_aside, &why, notes);
        return 0;
    }
    return err_pass(err, r, &why);
}

int pending_save(const struct store *store, const struct check *check, struct err *err)
{
    json_auto_t *json =
        json_pack("{s:s, s:o}", "schema", PENDING_SCHEMA, "check", check_to_json(check));
    return write_json(store, PENDING_NAME, json, err);
}

int pending_drop(const struct store *store, struct err *err)
{
    return store_remove(store, PENDING_NAME, err);
}
