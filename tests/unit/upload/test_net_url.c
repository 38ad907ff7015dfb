/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where a token may go: what is the same server, and what only looks like it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "upload/net/net.h"
#include "upload/net/url.h"

static void a_place_on_the_same_server_is_resolved(void **state)
{
    (void)state;
    static const struct {
        const char *base, *location, *result;
    } cases[] = {
        {"https://h/files", "https://h/files/1", "https://h/files/1"},
        {"https://h/files", "/files/1", "https://h/files/1"},
        {"https://h/files/", "1", "https://h/files/1"},
        {"https://h/files", "1", "https://h/1"},
        {"https://h/a/b", "../c", "https://h/c"},
        {"https://h/a?x=1", "?y=2", "https://h/a?y=2"},
        {"https://h/a", "//h/b", "https://h/b"},
        {"https://h/a", "https://h:443/b", "https://h:443/b"},
        {"https://h:443/a", "https://h/b", "https://h/b"},
        {"https://h:8443/a", "https://h:8443/b", "https://h:8443/b"},
        {"https://h:8443/a", "/b", "https://h:8443/b"},
        {"https://h/a", "HTTPS://H/b", "https://H/b"},
        {"HTTPS://Host/a", "https://host/b", "https://host/b"},
        {"https://h/a", "/b#part", "https://h/b"},
        {"https://h/a", "/b@c:d", "https://h/b@c:d"},
        {"https://h/a", "/x//evil", "https://h/x//evil"},
        {"https://h/a", "/b?u=https://evil/", "https://h/b?u=https://evil/"},
        {"https://[::1]:8/a", "https://[::1]:8/b", "https://[::1]:8/b"},
        {"http://127.0.0.1:8/a", "http://127.0.0.1:8/b", "http://127.0.0.1:8/b"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_INIT;
        struct strbuf ret = STRBUF_INIT;
        net_same_origin(cases[i].base, cases[i].location, &ret, &err);
        assert_string_equal(err.text, "");
        assert_string_equal(ret.data, cases[i].result);
        strbuf_release(&ret);
    }
}

static void any_other_server_is_refused_and_named(void **state)
{
    (void)state;
    static const struct {
        const char *location, *host;
    } cases[] = {
        {"https://evil/b", "'evil:443'"},
        {"https://evil", "'evil:443'"},
        {"//evil/b", "'evil:443'"},
        {"///evil/b", NULL},
        {"http://h/b", "'h:80'"},
        {"http://h:443/b", "'h:443'"},
        {"https://h:444/b", "'h:444'"},
        {"https://h.evil/b", "'h.evil:443'"},
        {"https://evil.h/b", "'evil.h:443'"},
        {"https://h./b", "'h.:443'"},
        {"https://evil?h/b", "'evil:443'"},
        {"https://evil#@h/", "'evil:443'"},
        {"HTTPS://EVIL/", "'EVIL:443'"},
        {"https:evil/b", NULL},
        {"https:///evil/b", NULL},
        {"https://%65vil/b", NULL},
        {"https://2130706433/", "'127.0.0.1:443'"},
        {"https://[::1]/", "'::1:443'"},
        {"sftp://h/b", "'h:22'"},
        {"ftp://h/b", "'h:21'"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_INIT;
        struct strbuf ret = STRBUF_INIT;
        int r = net_same_origin("https://h/a", cases[i].location, &ret, &err);
        if (r == 0) /* a path on the same server then */
            assert_memory_equal(ret.data, "https://h/", 10);
        if (cases[i].host) {
            assert_int_equal(r, ERR_DENIED);
            if (!strstr(err.text, cases[i].host))
                fail_msg("%s: %s", cases[i].location, err.text);
            assert_int_equal(ret.length, 0);
        }
        strbuf_release(&ret);
    }
}

static void what_parsers_read_differently_is_no_url(void **state)
{
    (void)state;
    static const char *const locations[] = {
        "",
        "https://user@h/b",
        "https://user:password@h/b",
        "https://:@h/b",
        "https://h@evil/b",
        "https://evil\\@h/b",
        "https:\\\\evil\\b",
        "\\\\evil/b",
        "/\\evil/b",
        "https://h\t/b",
        "/a b",
        "/a\r\nX: y",
        "https://h\x7f/b",
        "https://h\xc3\xa4/b",
        "https://evil\xef\xbc\x8fh/",
        "https://h:99999/b",
        "https://h:x/b",
        "https:// h/b",
        "https://h/<b>",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://[::1/b",
        "https://",
    };
    for (size_t i = 0; i < ARRAY_SIZE(locations); i++) {
        struct err err = ERR_INIT;
        struct strbuf ret = STRBUF_INIT;
        int r = net_same_origin("https://h/a", locations[i], &ret, &err);
        if (r != ERR_PARSE && r != ERR_DENIED)
            fail_msg("'%s' gave %d '%s'", locations[i], r, ret.data);
        assert_int_equal(ret.length, 0);
        strbuf_release(&ret);
    }
}

static void a_place_has_a_largest_length(void **state)
{
    (void)state;
    static char location[NET_MAX_URL + 2];
    struct strbuf ret = STRBUF_INIT;
    memset(location, 'a', NET_MAX_URL + 1);
    location[0] = '/';
    assert_int_equal(net_same_origin("https://h/", location, &ret, NULL), ERR_PARSE);
    location[NET_MAX_URL] = '\0';
    assert_int_equal(net_same_origin("https://h/", location, &ret, NULL), 0);
    strbuf_release(&ret);
}

static void only_addresses_of_this_machine_are_loopback(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool loopback;
    } cases[] = {
        {"http://127.0.0.1/", true},       {"http://127.255.255.254:80/", true},
        {"http://[::1]:8080/", true},      {"http://127.1/", true},
        {"http://localhost/", false},      {"http://128.0.0.1/", false},
        {"http://0.0.0.0/", false},        {"http://[::]/", false},
        {"http://127.0.0.1.evil/", false}, {"http://[::ffff:127.0.0.1]/", false},
        {"http://evil/?127.0.0.1", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct url url;
        struct err err = ERR_INIT;
        url_parse(cases[i].url, &url, &err);
        assert_string_equal(err.text, "");
        if (url_is_loopback(&url) != cases[i].loopback)
            fail_msg("%s", cases[i].url);
        url_release(&url);
    }
}

static void a_name_for_people_and_one_for_the_header_host(void **state)
{
    (void)state;
    static const struct {
        const char *url, *origin, *authority;
    } cases[] = {
        {"https://h/x?y", "https://h:443", "h"},
        {"https://h:443/", "https://h:443", "h"},
        {"https://h:80/", "https://h:80", "h:80"},
        {"http://[::1]:8080/", "http://[::1]:8080", "[::1]:8080"},
        {"https://[::1]/", "https://[::1]:443", "[::1]"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct url url;
        char text[300];
        assert_int_equal(url_parse(cases[i].url, &url, NULL), 0);
        url_origin(&url, text, sizeof text);
        assert_string_equal(text, cases[i].origin);
        url_authority(&url, text, sizeof text);
        assert_string_equal(text, cases[i].authority);
        url_release(&url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_on_the_same_server_is_resolved),
        cmocka_unit_test(any_other_server_is_refused_and_named),
        cmocka_unit_test(what_parsers_read_differently_is_no_url),
        cmocka_unit_test(a_place_has_a_largest_length),
        cmocka_unit_test(only_addresses_of_this_machine_are_loopback),
        cmocka_unit_test(a_name_for_people_and_one_for_the_header_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
