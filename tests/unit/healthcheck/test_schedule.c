/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The due-date logic as a table: schedule-cases.yaml has the cases, and says how to read them.
 */
#include "healthcheck/schedule/keys.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/doc.h"
#include "common/io.h"
#include "common/units.h"
#include "healthcheck/times/times.h"

#define CASES       SOURCE_DIR "/tests/unit/healthcheck/schedule-cases.yaml"
#define ARENA_BYTES (8 << 20)
#define FEWEST      60
#define OWN         "11111111-2222-4333-8444-555555555555"
#define BERLIN      "CET-1CEST,M3.5.0,M10.5.0/3"

static const char *text(const struct doc_node *map, const char *key)
{
    const struct doc_node *node = doc_get(map, key);
    return node ? node->text : NULL;
}

static int64_t when(const struct doc_node *map, const char *key)
{
    int64_t s;
    const char *value = text(map, key);
    if (!value)
        return SCHEDULE_NEVER;
    if (!times_read_short(value, &s))
        fail_msg("'%s' is no time", value);
    return s;
}

static int number(const struct doc_node *map, const char *key, int otherwise)
{
    int64_t value;
    const char *digits = text(map, key);
    return digits && units_integer(digits, &value) ? (int)value : otherwise;
}

static struct config *make_config(const struct doc_node *keys)
{
    struct config *config = config_new();
    struct err err = ERR_INIT;
    if (keys && keys->kind == DOC_SCALAR)
        return config;
    config_set(config, CONFIG_ENROLLMENT, "true", &err);
    config_set(config, CONFIG_INTERVAL, "14", &err);
    config_set(config, CONFIG_DAY, "2", &err);
    config_set(config, CONFIG_HOUR, "3", &err);
    config_set(config, CONFIG_RETRY, "7", &err);
    for (size_t i = 0; keys && i < keys->count; i++) {
        const struct doc_node *value = keys->items[i];
        bool absent = value->plain && strcmp(value->text, "~") == 0;
        config_set(config, keys->keys[i]->text, absent ? NULL : value->text, &err);
    }
    assert_int_equal(err.code, 0);
    return config;
}

static void make_facts(const struct doc_node *item, struct schedule_facts *facts,
                       struct strbuf *notes)
{
    const struct doc_node *local = doc_get(item, "local");
    const char *role = text(item, "role");
    struct config *config = make_config(doc_get(item, "keys"));
    *facts = (struct schedule_facts){.now_s = when(item, "now"),
                                     .own_uuid = OWN,
                                     .role = SCHEDULE_COORDINATOR,
                                     .pending_s = when(item, "pending")};
    if (role)
        facts->role = strcmp(role, "supporter") == 0 ? SCHEDULE_SUPPORTER : SCHEDULE_STANDALONE;
    keys_read(config, &facts->pool, notes);
    facts->local = (struct schedule_local){.enabled = local != NULL,
                                           .every_days = number(local, "every", 7),
                                           .weekday = number(local, "day", -1),
                                           .hour = number(local, "hour", 3),
                                           .retry_s = number(local, "retry", 86400),
                                           .last_success_s = when(local, "success"),
                                           .last_failure_s = when(local, "failure")};
    config_free(config);
}

static void assert_part(const char *name, const char *field, const char *whole, const char *part)
{
    if (part && (*part ? !strstr(whole, part) : *whole))
        fail_msg("%s: the %s is '%s', not '...%s...'", name, field, whole, part);
}

static void assert_case(const struct doc_node *item)
{
    struct schedule_facts facts;
    struct schedule_decision decision;
    char at[TIMES_SHORT_BYTES] = "never";
    CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
    const char *name = text(item, "name"), *expect = text(item, "expect");
    setenv("TZ", text(item, "zone") ? text(item, "zone") : BERLIN, 1);
    tzset();
    make_facts(item, &facts, &notes);
    schedule_decide(&facts, &decision);
    if (strcmp(schedule_action_name(decision.action), expect) != 0)
        fail_msg("%s: %s (%s), expected %s", name, schedule_action_name(decision.action),
                 decision.reason, expect);
    if (decision.next != SCHEDULE_NOTHING)
        times_write_short(decision.next_s, at);
    if (text(item, "next"))
        assert_part(name, "next", schedule_action_name(decision.next), text(item, "next"));
    assert_part(name, "next time", at, text(item, "at"));
    assert_part(name, "reason", decision.reason, text(item, "reason"));
    assert_part(name, "note", notes.data, text(item, "notes"));
    assert_true(decision.reason[0]);
    /* What is due now is what comes next; what comes next lies ahead. */
    if (decision.action != SCHEDULE_NOTHING)
        assert_int_equal(decision.next_s, facts.now_s);
    else if (decision.next != SCHEDULE_NOTHING)
        assert_true(decision.next_s > facts.now_s && decision.next_reason[0]);
}

static void every_case_of_the_table_is_decided_as_it_says(void **state)
{
    static const char *const keys[] = {"name",   "now",   "zone",   "role", "pending",
                                       "keys",   "local", "expect", "next", "at",
                                       "reason", "notes", NULL};
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    CLEANUP(arena_cleanup) struct arena *arena = arena_new(ARENA_BYTES);
    const struct doc_node *root;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(io_read_file(AT_FDCWD, CASES, ARENA_BYTES, &bytes, &err), 0);
    if (doc_parse(arena, CASES, bytes.data, bytes.length, &root, &err) < 0)
        fail_msg("%s:%d: %s", CASES, err.line, err.text);
    assert_true(root->count >= FEWEST);
    for (size_t i = 0; i < root->count; i++) {
        if (doc_check_keys(root->items[i], keys, &err) < 0)
            fail_msg("%s:%d: %s", CASES, err.line, err.text);
        assert_case(root->items[i]);
    }
}

static void a_lock_is_read_as_it_was_written(void **state)
{
    char lock[KEYS_LOCK_BYTES], owner[SCHEDULE_OWNER_BYTES];
    int64_t s = 0;
    (void)state;
    keys_write_lock(OWN, 1795330162, lock);
    assert_string_equal(lock, OWN "|2026-11-22T06:49:22.0000000Z");
    assert_true(keys_read_lock(lock, owner, &s));
    assert_string_equal(owner, OWN);
    assert_int_equal(s, 1795330162);
    assert_false(keys_read_lock(NULL, owner, &s));
    assert_false(keys_read_lock("", owner, &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_of_the_table_is_decided_as_it_says),
        cmocka_unit_test(a_lock_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
