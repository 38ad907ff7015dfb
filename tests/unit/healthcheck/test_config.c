/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The map that we share with XenCenter: what is not ours comes out as it went in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/strbuf.h"
#include "healthcheck/xapi/config.h"
#include "healthcheck/xapi/secret.h"

static int load(const char *text, struct config **ret, struct err *err)
{
    json_auto_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    return config_from_json(object, ret, err);
}

static void assert_is(const struct config *config, const char *expected)
{
    json_auto_t *is = config_to_json(config), *wanted = json_loads(expected, 0, NULL);
    assert_non_null(wanted);
    assert_true(json_equal(is, wanted));
}

static void unknown_keys_stay_when_others_change(void **state)
{
    (void)state;
    CLEANUP(config_cleanup) struct config *config = NULL;
    assert_int_equal(load("{\"Enrollment\":\"true\",\"x.y\":\"\\u00e9 \\\"\\n\",\"\\u2028\":\"\"}",
                          &config, NULL),
                     0);
    assert_int_equal(config_set(config, CONFIG_LOCK, "uuid|time", NULL), 0);
    assert_int_equal(config_set(config, CONFIG_ENROLLMENT, "false", NULL), 0);
    assert_is(config, "{\"Enrollment\":\"false\",\"x.y\":\"\\u00e9 \\\"\\n\",\"\\u2028\":\"\","
                      "\"UploadLock\":\"uuid|time\"}");
    assert_int_equal(config_set(config, CONFIG_LOCK, NULL, NULL), 0);
    assert_int_equal(config_set(config, "never.there", NULL, NULL), 0);
    assert_int_equal(config_count(config), 3);
    assert_null(config_get(config, CONFIG_LOCK));
}

static void keys_are_told_apart_by_case_and_by_emptiness(void **state)
{
    (void)state;
    CLEANUP(config_cleanup) struct config *config = NULL;
    assert_int_equal(load("{\"enrollment\":\"true\",\"UploadLock\":\"\"}", &config, NULL), 0);
    assert_null(config_get(config, CONFIG_ENROLLMENT));
    assert_string_equal(config_get(config, CONFIG_LOCK), "");
    assert_null(config_get(config, CONFIG_REQUEST));
}

static void values_are_found_in_either_case(void **state)
{
    (void)state;
    CLEANUP(config_cleanup) struct config *config = NULL;
    assert_int_equal(load("{\"a\":\"0AbC\"}", &config, NULL), 0);
    assert_true(config_has_value(config, "0aBc"));
    assert_false(config_has_value(config, "0aB"));
    assert_false(config_has_value(config, "a"));
}

static void a_map_that_holds_more_than_texts_is_refused_whole(void **state)
{
    (void)state;
    static const char *const cases[] = {"[]",           "\"x\"",           "{\"a\":1}",
                                        "{\"a\":null}", "{\"a\":[\"b\"]}", "{\"a\":{\"b\":\"c\"}}"};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct config *config = NULL;
        json_auto_t *object = json_loads(cases[i], JSON_DECODE_ANY, NULL);
        assert_int_equal(config_from_json(object, &config, NULL), ERR_PARSE);
        assert_null(config);
    }
    struct config *config = NULL;
    json_auto_t *nul = json_loads("{\"a\":\"x\\u0000y\"}", JSON_ALLOW_NUL, NULL);
    assert_int_equal(config_from_json(nul, &config, NULL), ERR_PARSE);
    assert_int_equal(config_from_json(NULL, &config, NULL), ERR_PARSE);
    assert_null(config);
}

static void more_than_anybody_needs_is_refused(void **state)
{
    (void)state;
    CLEANUP(config_cleanup) struct config *config = config_new();
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (int i = 0; i <= CONFIG_MAX_VALUE; i++)
        strbuf_addc(&text, 'v');
    assert_int_equal(config_set(config, "key", text.data, NULL), ERR_LIMIT);
    assert_int_equal(config_set(config, text.data, "value", NULL), ERR_LIMIT);
    assert_int_equal(config_set(config, "", "value", NULL), ERR_LIMIT);
    assert_int_equal(config_set(config, "key", "\xff", NULL), ERR_PARSE);
    assert_int_equal(config_count(config), 0);
    for (int i = 0; i < CONFIG_MAX_KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(config_set(config, key, "", NULL), 0);
    }
    assert_int_equal(config_set(config, "one.more", "", NULL), ERR_LIMIT);
    assert_int_equal(config_set(config, "k7", "changed", NULL), 0);
}

static void only_a_uuid_is_a_uuid(void **state)
{
    (void)state;
    assert_true(xapi_is_uuid("0f0e0d0c-0b0a-4908-8706-050403020100"));
    assert_true(xapi_is_uuid("0F0E0D0C-0B0A-4908-8706-05040302ABCD"));
    static const char *const others[] = {"",
                                         "-",
                                         "0f0e0d0c-0b0a-4908-8706-05040302010",
                                         "0f0e0d0c-0b0a-4908-8706-0504030201000",
                                         "0f0e0d0c-0b0a-4908-8706-05040302010g",
                                         "0f0e0d0c00b0a-4908-8706-050403020100",
                                         "OpaqueRef:NULL",
                                         "0f0e0d0c-0b0a-4908-8706-050403020100\n"};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(xapi_is_uuid(others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_keys_stay_when_others_change),
        cmocka_unit_test(keys_are_told_apart_by_case_and_by_emptiness),
        cmocka_unit_test(values_are_found_in_either_case),
        cmocka_unit_test(a_map_that_holds_more_than_texts_is_refused_whole),
        cmocka_unit_test(more_than_anybody_needs_is_refused),
        cmocka_unit_test(only_a_uuid_is_a_uuid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
