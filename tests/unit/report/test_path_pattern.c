/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Path patterns: which paths they cover, which rotations of a log, and what they capture.
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "analyzer/report/path_pattern.h"
#include "common/strbuf.h"

static const struct {
    const char *pattern, *path;
    bool covers, covers_log;
    const char *captures; /* "name=value name=value", NULL: not looked at */
} cases[] = {
    {"var/log/kern.log", "var/log/kern.log", true, true, ""},
    {"var/log/kern.log", "var/log/kern.log.1", false, true, NULL},
    {"var/log/kern.log", "var/log/kern.log.12", false, true, NULL},
    {"var/log/kern.log", "var/log/kern.log-20251102", false, true, NULL},
    {"var/log/kern.log", "var/log/kern.log-2025110203", false, true, NULL},
    {"var/log/kern.log", "var/log/kern.log-20251102-1762041600", false, true, NULL},
    {"var/log/kern.log", "var/log/kern.log.12345", false, false, NULL},
    {"var/log/kern.log", "var/log/kern.log-2025", false, false, NULL},
    {"var/log/kern.log", "var/log/kern.logx", false, false, NULL},
    {"var/log/kern.log", "var/log/kern.log/1", false, false, NULL},
    {"var/log/kern.log", "x/var/log/kern.log", false, false, NULL},
    {"var/log/*.log", "var/log/xha.log.3", false, true, NULL},
    {"*", "a", true, true, ""},
    {"*", "", true, true, ""},
    {"*", "a/b", false, false, NULL},
    {"**", "a/b/c", true, true, ""},
    {"**", "", true, true, ""},
    {"etc/**", "etc/lvm/lvm.conf", true, true, ""},
    {"etc/**", "etc", false, false, NULL},
    {"etc/**.conf", "etc/a/b/c.conf", true, true, ""},
    {"**/c", "a/b/c", true, true, ""},
    {"**x/a*b", "x/ax/ab", true, true, ""},
    {"a/*/c", "a/b/c", true, true, ""},
    {"a/*/c", "a/b/b/c", false, false, NULL},
    {"a/*c*d", "a/bcxcd", true, true, ""},
    {"a?c", "abc", true, true, ""},
    {"a?c", "a/c", false, false, NULL},
    {"a?c", "ac", false, false, NULL},
    {"[a-z].out", "b.out", false, false, NULL},
    {"[a-z].out", "[a-z].out", true, true, ""},
    {"ethtool-i-{device}.out", "ethtool-i-eth0.out", true, true, "device=eth0"},
    {"ethtool-i-{device}.out", "ethtool-i-.out", false, false, NULL},
    {"ethtool-i-{device}.out", "ethtool-i-a/b.out", false, false, NULL},
    {"{a}-{b}", "x-y-z", true, true, "a=x b=y-z"},
    {"{a}{b}", "xyz", true, true, "a=x b=yz"},
    {"{a}{b}", "x", false, false, NULL},
    {"var/crash/{stamp}/xen.log", "var/crash/20250303/xen.log", true, true, "stamp=20250303"},
    {"**/{n}/c", "a/b/c", true, true, "n=b"},
    {"**/{n}.x", "a/b.x.x", true, true, "n=b.x"},
};

static void check(const char *text, const char *path, bool covers, bool covers_log,
                  const char *captures)
{
    struct err err = ERR_INIT;
    struct arena *arena = arena_new(1 << 20);
    struct path_pattern pattern;
    struct path_capture found[PATH_PATTERN_CAPTURES];

    assert_int_equal(path_pattern_compile(arena, text, &pattern, &err), 0);
    assert_string_equal(pattern.text, text);
    if (path_pattern_match(&pattern, path, found) != covers ||
        path_pattern_match(&pattern, path, NULL) != covers)
        fail_msg("'%s' %s '%s'", text, covers ? "must cover" : "must not cover", path);
    if (path_pattern_match_log(&pattern, path) != covers_log)
        fail_msg("'%s' as a log %s '%s'", text, covers_log ? "must cover" : "must not cover", path);
    if (captures) {
        CLEANUP(strbuf_release) struct strbuf all = STRBUF_INIT;
        for (unsigned i = 0; i < pattern.captures; i++)
            strbuf_addf(&all, "%s%s=%.*s", i ? " " : "", pattern.names[i], (int)found[i].length,
                        found[i].start);
        assert_string_equal(all.data, captures);
    }
    arena_free(arena);
}

static void patterns_cover_what_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        check(cases[i].pattern, cases[i].path, cases[i].covers, cases[i].covers_log,
              cases[i].captures);
}

static void a_broken_pattern_is_refused_with_its_text(void **state)
{
    static const struct {
        const char *pattern, *text;
    } broken[] = {
        {"", "is empty"},
        {"/var/log/x", "write 'var/log/x'"},
        {"a{b", "needs a name"},
        {"a{}", "'{}' needs a name"},
        {"a{b c}", "needs a name"},
        {"{a}{b}{c}{d}{e}", "more than 4"},
        {"{a}/{a}", "names {a} twice"},
    };
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        struct path_pattern pattern = {.captures = 77};
        struct err err = ERR_INIT;
        assert_int_equal(path_pattern_compile(arena, broken[i].pattern, &pattern, &err), ERR_PARSE);
        assert_non_null(strstr(err.text, broken[i].text));
        assert_int_equal(pattern.captures, 77);
    }
    arena_free(arena);
}

static void a_nasty_pattern_ends_on_a_long_path(void **state)
{
    (void)state;
    char path[4097];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    check("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", path, false, false, NULL);
    check("**a**a**a**a**a**a**a**a**b", path, false, false, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_cover_what_they_should),
        cmocka_unit_test(a_broken_pattern_is_refused_with_its_text),
        cmocka_unit_test(a_nasty_pattern_ends_on_a_long_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
