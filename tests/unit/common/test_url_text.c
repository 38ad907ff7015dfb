/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What all programs take for a URL. (What xen-upload makes of one: test_target.c, which has the
 * table of wrong ones, too.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/url_text.h"

static void a_url_has_a_scheme_a_server_and_the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *url, *authority, *origin;
    } cases[] = {
        {"tus+https://host:8443/f?a=b", "host:8443", "tus+https://host:8443"},
        {"https://[2001:db8::1]?q", "[2001:db8::1]", "https://[2001:db8::1]"},
        {"https://host", "host", "https://host"},
        {"file:///mnt/", "", "file://"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct url_text parts;
        const char *url = cases[i].url;
        assert_int_equal(url_text_check_signs(url, NULL), 0);
        assert_true(url_text_split(url, &parts));
        assert_int_equal(parts.scheme, strchr(url, ':') - url);
        assert_int_equal(parts.authority_length, strlen(cases[i].authority));
        assert_memory_equal(parts.authority, cases[i].authority, parts.authority_length);
        assert_int_equal(url_text_origin_length(url), strlen(cases[i].origin));
        assert_int_equal(url_text_check_authority(&parts, true, NULL), 0);
        assert_int_equal(url_text_public_length(url), strcspn(url, "?"));
    }
}

static void what_is_before_the_mark_must_be_a_scheme(void **state)
{
    (void)state;
    static const char *const none[] = {"host", "://host", "/a://b", "u@h://x", "a?b://c", "a:b"};
    struct url_text parts;
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        assert_false(url_text_split(none[i], &parts));
}

static void the_server_may_be_left_out_only_where_there_may_be_none(void **state)
{
    (void)state;
    struct url_text parts;
    assert_true(url_text_split("file:///mnt/", &parts));
    assert_int_equal(url_text_check_authority(&parts, false, NULL), ERR_USAGE);
}

static void only_signs_of_urls_are_taken_and_no_more_than_fit(void **state)
{
    (void)state;
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "-._~:/?#[]@!$&'()*+,;=%";
    char longest[URL_TEXT_MAX + 2];
    for (int c = 1; c < 256; c++) {
        const char text[] = {(char)c, '\0'};
        assert_int_equal(url_text_has_only_signs(text), strchr(good, c) != NULL);
    }
    memset(longest, 'a', sizeof longest);
    longest[URL_TEXT_MAX + 1] = '\0';
    assert_int_equal(url_text_check_signs(longest, NULL), ERR_USAGE);
    longest[URL_TEXT_MAX] = '\0';
    assert_int_equal(url_text_check_signs(longest, NULL), 0);
}

static void servers_are_compared_as_they_are_written(void **state)
{
    (void)state;
    assert_true(url_text_same_origin("tus+https://h:8/a", "https://H:8?b"));
    assert_true(url_text_same_origin("s3://bucket/a", "s3://bucket"));
    assert_true(url_text_same_origin("cis+https://h", "tus+https://h/"));
    assert_false(url_text_same_origin("https://h", "https://h:443"));
    assert_false(url_text_same_origin("https://h/", "http://h/"));
    assert_false(url_text_same_origin("https://h.example/", "https://h/"));
    assert_false(url_text_same_origin("https://h/", "https://h.example/"));
    assert_false(url_text_same_origin("https://h/", "sftp://h/"));
    assert_false(url_text_same_origin("https://h/", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_has_a_scheme_a_server_and_the_rest),
        cmocka_unit_test(what_is_before_the_mark_must_be_a_scheme),
        cmocka_unit_test(the_server_may_be_left_out_only_where_there_may_be_none),
        cmocka_unit_test(only_signs_of_urls_are_taken_and_no_more_than_fit),
        cmocka_unit_test(servers_are_compared_as_they_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
