/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * healthcheck.yaml: what is read, what is refused and where, and that the sample tells the truth.
 */
#include "healthcheck/settings/settings.h"

#include <ctype.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/io.h"

#define SAMPLE      SOURCE_DIR "/packaging/healthcheck.yaml"
#define ARENA_BYTES (8 << 20)

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(ARENA_BYTES);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena = arena_free(arena);
    return 0;
}

static struct settings parse(const char *text)
{
    struct settings settings;
    struct err err = ERR_INIT;
    if (settings_parse(arena, "t.yaml", text, strlen(text), &settings, &err) < 0)
        fail_msg("'%s': %s", text, err.text);
    return settings;
}

static void nothing_at_all_means_the_defaults(void **state)
{
    static const char *const texts[] = {"", "# nothing\n", "\n  \n# a\n#b", "schedule:\n",
                                        "schedule:\nkeep:\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct settings settings = parse(texts[i]);
        assert_true(settings.schedule.enabled);
        assert_int_equal(settings.schedule.every_days, 7);
        assert_int_equal(settings.xapi.confirm_s, 10);
        assert_null(settings.collect.arguments[0]);
    }
}

static void every_key_is_read(void **state)
{
    struct settings s =
        parse("schedule: {enabled: false, every: 14d, day: Friday, hour: 23, retry: 2h}\n"
              "collect: {pool: false, arguments: [--entries=a, --jobs, '1'], time_limit: 10m}\n"
              "analyze: {arguments: --skip=x, time_limit: 90}\n"
              "keep: {reports: 3, budget: 1G, free: 500M, runs: 50}\n"
              "upload: {arguments: [--rate, 1M], spool: /s, time_limit: 1h}\n"
              "metrics: {prometheus: /m/x.prom}\n"
              "xapi: {root: /r, confirm: 0}\n");
    (void)state;
    assert_false(s.schedule.enabled);
    assert_int_equal(s.schedule.every_days, 14);
    assert_int_equal(s.schedule.weekday, 5);
    assert_int_equal(s.schedule.hour, 23);
    assert_int_equal(s.schedule.retry_s, 7200);
    assert_false(s.collect.pool);
    assert_string_equal(s.collect.arguments[1], "--jobs");
    assert_null(s.collect.arguments[3]);
    assert_int_equal(s.collect.time_limit_s, 600);
    assert_string_equal(s.analyze.arguments[0], "--skip=x");
    assert_int_equal(s.analyze.time_limit_s, 90);
    assert_int_equal(s.keep.reports, 3);
    assert_int_equal(s.keep.bytes, 1 << 30);
    assert_int_equal(s.keep.free_bytes, 500 << 20);
    assert_int_equal(s.keep.runs, 50);
    assert_string_equal(s.upload.arguments[0], "--rate");
    assert_string_equal(s.upload.spool, "/s");
    assert_int_equal(s.upload.time_limit_s, 3600);
    assert_string_equal(s.prometheus, "/m/x.prom");
    assert_string_equal(s.xapi.root, "/r");
    assert_int_equal(s.xapi.confirm_s, 0);
}

static void what_makes_no_sense_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        int line, column;
        const char *part;
    } rows[] = {
        {"shedule: {}\n", 1, 1, "schedule"},
        {"schedule:\n  evry: 7d\n", 2, 3, "every"},
        {"schedule: 7d\n", 1, 11, "map"},
        {"schedule:\n  every: 12h\n", 2, 10, "whole days"},
        {"schedule:\n  every: 0d\n", 2, 10, "whole days"},
        {"schedule:\n  every: 1000d\n", 2, 10, "366"},
        {"schedule:\n  day: Someday\n", 2, 8, "day of the week"},
        {"schedule:\n  hour: 24\n", 2, 9, "0 to 23"},
        {"schedule:\n  enabled: maybe\n", 2, 12, "true"},
        {"schedule:\n  retry: 10s\n", 2, 10, "600"},
        {"schedule:\n  hour: 3\n  hour: 4\n", 3, 3, "hour"},
        {"collect:\n  arguments: [report.zip]\n", 2, 14, "option"},
        {"collect:\n  arguments: [--jobs=1, --outdir=/tmp]\n", 2, 25, "--outdir"},
        {"collect:\n  arguments: [--outd=/tmp]\n", 2, 15, "--outdir"},
        {"analyze:\n  arguments: [--format, text]\n", 2, 15, "--format"},
        {"analyze:\n  arguments: [--fail-on=info]\n", 2, 15, "--fail-on"},
        {"upload:\n  arguments: [--queue, /x]\n", 2, 15, "--queue"},
        {"upload:\n  arguments: [--state, /x]\n", 2, 15, "--state"},
        {"collect:\n  time_limit: 2d\n", 2, 15, "86400"},
        {"keep:\n  reports: many\n", 2, 12, "number"},
        {"keep:\n  reports: -1\n", 2, 12, "0 to 1000"},
        {"keep:\n  budget: all\n", 2, 11, "size"},
        {"keep:\n  runs: 1\n", 2, 9, "2 to 10000"},
        {"upload:\n  spool: spool\n", 2, 10, "/..."},
        {"upload:\n  spool: \"/a\\nb\"\n", 2, 10, "path"},
        {"upload:\n  url: https://a/\n", 2, 3, "url"},
        {"metrics:\n  prometheus: [a]\n", 2, 15, "text"},
        {"xapi:\n  confirm: 1h\n", 2, 12, "600"},
        {"schedule: {hour: 3\n", 2, 1, ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct settings settings = {.keep = {.reports = 42}};
        struct err err = ERR_INIT;
        if (settings_parse(arena, "t.yaml", rows[i].text, strlen(rows[i].text), &settings, &err) >=
            0)
            fail_msg("%s was taken", rows[i].text);
        if (err.line != rows[i].line || err.column != rows[i].column ||
            !strstr(err.text, rows[i].part))
            fail_msg("%s: %d:%d: %s", rows[i].text, err.line, err.column, err.text);
        assert_int_equal(settings.keep.reports, 42);
    }
}

static void options_that_only_begin_like_ours_are_taken(void **state)
{
    struct settings s = parse("collect: {arguments: [--pool-host-limit=60]}\n");
    (void)state;
    assert_string_equal(s.collect.arguments[0], "--pool-host-limit=60");
}

/* Takes the # from lines that hold a key. */
static void uncomment(struct strbuf *text)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    for (char *line = text->data, *end; (end = strchr(line, '\n')); line = end + 1) {
        char *hash = strstr(line, "  #");
        bool is_key = hash == line && islower((unsigned char)line[3]);
        strbuf_adds(&out, is_key ? "  " : "");
        strbuf_add(&out, is_key ? line + 3 : line, (size_t)(end + 1 - (is_key ? line + 3 : line)));
    }
    strbuf_clear(text);
    strbuf_add(text, out.data, out.length);
}

static void the_sample_shows_every_key_with_its_default(void **state)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct settings defaults, as_it_is, shown;
    struct err err = ERR_INIT;
    (void)state;
    settings_default(&defaults);
    assert_int_equal(io_read_file(AT_FDCWD, SAMPLE, SETTINGS_MAX_BYTES, &text, &err), 0);
    as_it_is = parse(text.data);
    assert_memory_equal(&as_it_is, &defaults, sizeof defaults);
    uncomment(&text);
    shown = parse(text.data);
    assert_string_equal(shown.prometheus, "/var/lib/prometheus/node-exporter/xenhealth.prom");
    assert_string_equal(shown.upload.spool, defaults.upload.spool);
    assert_string_equal(shown.xapi.root, defaults.xapi.root);
    shown.prometheus = NULL; /* the only one without a default */
    shown.upload.spool = defaults.upload.spool;
    shown.xapi.root = defaults.xapi.root;
    assert_memory_equal(&shown, &defaults, sizeof defaults);
    assert_int_equal(strstr(text.data, "arguments:") != NULL, 1);
}

static void a_file_that_was_named_must_be_there(void **state)
{
    struct settings settings;
    struct err err = ERR_INIT;
    (void)state;
    assert_true(settings_load("/nowhere/healthcheck.yaml", arena, &settings, &err) < 0);
    assert_non_null(strstr(err.text, "/nowhere/healthcheck.yaml"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_at_all_means_the_defaults),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_makes_no_sense_is_refused_with_its_place),
        cmocka_unit_test(options_that_only_begin_like_ours_are_taken),
        cmocka_unit_test(the_sample_shows_every_key_with_its_default),
        cmocka_unit_test(a_file_that_was_named_must_be_there),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
