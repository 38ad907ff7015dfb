/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is a URL, what it means, and how the others are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "upload/protocols/protocol.h"

#define SECRET "hunter2secret"

static const struct transfer_options none,
    with_endpoint = {.s3_endpoint = "https://s3.here:9000/", .s3_region = "us-east-1"};

static void urls_mean_a_protocol_and_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *url, *protocol, *http, *origin;
        const struct transfer_options *options;
    } cases[] = {
        {"tus+https://host/files/", "tus", "https://host/files/", "https://host", &none},
        {"tus+https://host:8443/f?a=" SECRET, "tus", "https://host:8443/f?a=" SECRET,
         "https://host:8443", &none},
        {"TUS+HTTPS://host/f", "tus", "HTTPS://host/f", "HTTPS://host", &none},
        {"tus+https://[2001:db8::1]:443/f#part", "tus", "https://[2001:db8::1]:443/f",
         "https://[2001:db8::1]:443", &none},
        {"tus+https://[::1]/f", "tus", "https://[::1]/f", "https://[::1]", &none},
        {"tus+http://127.0.0.1:1080/files", "tus", "http://127.0.0.1:1080/files",
         "http://127.0.0.1:1080", &none},
        {"cis+https://rttf.example/feeds/api/", "cis", "https://rttf.example/feeds/api/",
         "https://rttf.example", &none},
        {"s3://bucket/a/key.zip", "s3", NULL, "https://s3.here:9000", &with_endpoint},
        {"file:///mnt/share/", "file", NULL, "file:///mnt/share/", &none},
        {"file://localhost/mnt/a%20b", "file", NULL, "file://localhost/mnt/a%20b", &none},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct target target;
        struct err err = ERR_INIT;
        if (target_parse(cases[i].url, cases[i].options, &target, &err) < 0)
            fail_msg("%s: %s", cases[i].url, err.text);
        assert_string_equal(target.protocol->name, cases[i].protocol);
        assert_string_equal(target.origin, cases[i].origin);
        assert_null(strchr(target.url, '#'));
        if (cases[i].http)
            assert_string_equal(target.http, cases[i].http);
        target_release(&target);
        assert_null(target.url);
    }
}

static void what_is_no_url_is_refused_with_what_would_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *url, *told;
    } cases[] = {
        {"", "empty"},
        {"/mnt/share", "file:///FOLDER/"},
        {"host:/mnt/share", "sftp://HOST/PATH"},
        {"user@host:reports", "sftp://HOST/PATH"},
        {"reports", "needs a scheme"},
        {"host/path?x=://", "needs a scheme"},
        {"https:/host/" SECRET, "two slashes belong behind the scheme: https://HOST/PATH"},
        {"tus+https:" SECRET, "tus+https://HOST/PATH"},
        {"file:/mnt/share", "file:///FOLDER/"},
        {"://host/", "needs a scheme"},
        {"tus+htps://host/", "do you mean 'tus+https://'"},
        {"flie:///mnt/", "do you mean 'file://'"},
        {"gopher-and-more://host/", "there are tus+https://"},
        {"tus+https://user:" SECRET "@host/", "password"},
        {"tus+https://:" SECRET "@host/", "password"},
        {"tus+https://user@host/", "username="},
        {"tus+https:///path", "no host"},
        {"tus+https://?" SECRET, "no host"},
        {"tus+https://ho_st\\x/", "cannot stand in a URL"},
        {"tus+https://host name/", "%20"},
        {"tus+https://h\xc3\xa9te/", "xn--"},
        {"tus+https://h\xc3\xa9te", "xn--"},
        {"tus+https://host/\xc3\xa9t\xc3\xa9", "%C3"},
        {"tus+https://host/\x01", "%01"},
        {"tus+https://host:0/", "port"},
        {"tus+https://host:65536/", "port"},
        {"tus+https://host:99999999999999999999/", "port"},
        {"tus+https://host:/", "port"},
        {"tus+https://host:80x/", "port"},
        {"tus+https://[::1/", "no host"},
        {"tus+https://[]/", "no host"},
        {"tus+https://[::1]x/", "no host"},
        {"tus+https://a,b/", "no host"},
        {"file://server/share", "three slashes"},
        {"file:///mnt/%", "%25"},
        {"file:///mnt/%0", "%25"},
        {"file:///mnt/%00", "%00"},
        {"file:///mnt/%zz", "%25"},
        {"file:///mnt/?" SECRET, "%3F"},
        {"https://host/%zz" SECRET, "%25"},
        {"https://host/?" SECRET "=%", "%25"},
        {"sftp://host", "no path"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct target target = {.url = (char *)"untouched"};
        struct err err = ERR_INIT;
        int r = target_parse(cases[i].url, &none, &target, &err);
        if (r != ERR_USAGE || !strstr(err.text, cases[i].told))
            fail_msg("'%s': %d %s", cases[i].url, r, err.text);
        if (strstr(err.text, SECRET) || strchr(err.text, '\n'))
            fail_msg("'%s' tells too much: %s", cases[i].url, err.text);
        assert_string_equal(target.url, "untouched");
    }
}

static void the_longest_url_is_taken_and_a_longer_one_is_not(void **state)
{
    (void)state;
    char url[4096 + 2];
    struct target target;
    struct err err = ERR_INIT;
    memset(url, 'a', sizeof url);
    memcpy(url, "file:///a", 9);
    memset(url + 20, '/', 1); /* a name is shorter than a path */
    url[sizeof url - 1] = '\0';
    assert_int_equal(target_parse(url, &none, &target, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, "4096"));
    memcpy(url, "tus+https://", 12);
    url[sizeof url - 2] = '\0';
    assert_int_equal(target_parse(url, &none, &target, NULL), 0);
    target_release(&target);
}

/* Schemes must be unlike: what is found first would hide the other. */
static void each_scheme_belongs_to_one_protocol(void **state)
{
    (void)state;
    for (size_t i = 0; protocols[i]; i++) {
        assert_non_null(protocols[i]->send);
        assert_non_null(protocols[i]->describe);
        assert_true(protocols[i]->name[0] && protocols[i]->summary[0]);
        for (size_t j = i + 1; protocols[j]; j++)
            for (const char *const *a = protocols[i]->schemes; *a; a++)
                for (const char *const *b = protocols[j]->schemes; *b; b++)
                    assert_string_not_equal(*a, *b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_mean_a_protocol_and_a_place),
        cmocka_unit_test(what_is_no_url_is_refused_with_what_would_be_right),
        cmocka_unit_test(the_longest_url_is_taken_and_a_longer_one_is_not),
        cmocka_unit_test(each_scheme_belongs_to_one_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
