/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/catalog/plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <regex.h>

#include "collector/catalog/python_regex.h"

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(16 * 1024 * 1024);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* As Python's match() sees it: from the start of the path. */
static bool matches(const char *python, const char *path)
{
    struct strbuf posix = STRBUF_INIT;
    struct err err = ERR_INIT;
    regex_t regex;
    regmatch_t hit;
    if (python_regex_to_posix(python, &posix, &err) < 0)
        fail_msg("%s: %s", python, err.text);
    assert_int_equal(regcomp(&regex, posix.data, REG_EXTENDED), 0);
    bool result = regexec(&regex, path, 1, &hit, 0) == 0 && hit.rm_so == 0;
    regfree(&regex);
    strbuf_release(&posix);
    return result;
}

static void python_patterns_match_the_same_paths(void **state)
{
    (void)state;
    assert_true(matches(".*xscontainer\\.log\\.*[0-9]*", "/var/log/xscontainer.log.2"));
    assert_true(matches(".*\\.log\\.\\d+(?:\\.gz)?$", "/var/log/a.log.12.gz"));
    assert_false(matches(".*\\.log\\.\\d+(?:\\.gz)?$", "/var/log/a.log.x"));
    assert_true(matches("/var/log/[\\w.-]+$", "/var/log/a-b.c_d"));
    assert_false(matches("/var/log/[\\w.-]+$", "/var/log/a b"));
    assert_true(matches("^.*?/(?P<name>x|y)\\Z", "/a/b/y"));
    assert_true(matches("[^/]*", "abc"));
    assert_true(matches("/[]x]$", "/]"));
    assert_true(matches("/[\\]\\\\]$", "/\\"));
    assert_true(matches("/[^\\]]$", "/a"));
    assert_false(matches("/[^\\]]$", "/]"));
    assert_true(matches("/a{2,3}b", "/aaab"));
    assert_true(matches("(/[a-z]+)+(\\.[0-9]+)+$", "/var/log.1.2"));
    assert_true(matches("/a{b", "/a{b"));
    assert_true(matches("/[a\\-c]$", "/-"));
    assert_false(matches("/[a\\-c]$", "/b"));
    assert_true(matches("/[\\^]$", "/^"));
    assert_true(matches("/\\+\\$\\^", "/+$^"));
    assert_true(matches("", "/anything"));
    assert_false(matches("log", "/var/log"));
}

static void refuses_pattern(const char *python, int code)
{
    struct strbuf posix = STRBUF_INIT;
    struct err err = ERR_INIT;
    assert_int_equal(python_regex_to_posix(python, &posix, &err), code);
    assert_true(err.text[0] != '\0');
    strbuf_release(&posix);
}

static void patterns_that_would_mean_something_else_are_refused(void **state)
{
    (void)state;
    refuses_pattern("(?!secret).*", ERR_UNSUPPORTED);
    refuses_pattern("(?i)log", ERR_UNSUPPORTED);
    refuses_pattern("(a)\\1", ERR_UNSUPPORTED);
    refuses_pattern("\\blog", ERR_UNSUPPORTED);
    refuses_pattern("a++", ERR_UNSUPPORTED);
    refuses_pattern("[\\D]", ERR_UNSUPPORTED);
    refuses_pattern("[+--]", ERR_UNSUPPORTED);
    refuses_pattern("[\\^-]", ERR_UNSUPPORTED);
    refuses_pattern("((a{1,99}){1,99}){1,99}", ERR_UNSUPPORTED);
    refuses_pattern("a{1,32767}", ERR_UNSUPPORTED);
    refuses_pattern("((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)", ERR_UNSUPPORTED);
    refuses_pattern("((((((a{3,}){3,}){3,}){3,}){3,}){3,})", ERR_UNSUPPORTED);
    refuses_pattern("a{99999999999999999999}", ERR_UNSUPPORTED);
    refuses_pattern("[^-]x[", ERR_PARSE);
    refuses_pattern("(", ERR_PARSE);
    refuses_pattern("a\\", ERR_PARSE);
    refuses_pattern("(?P<name", ERR_PARSE);
}

static int parse_items(const char *xml, struct capability *ret, struct err *err)
{
    *ret = (struct capability){.key = "x", .max_size = 16384};
    *err = (struct err)ERR_INIT;
    return plugin_parse_items(arena, "x/y.xml", xml, strlen(xml), ret, err);
}

static struct capability items_of(const char *xml)
{
    struct capability capability;
    struct err err;
    if (parse_items(xml, &capability, &err) < 0)
        fail_msg("%s", err.text);
    return capability;
}

static void every_kind_of_element_becomes_an_item(void **state)
{
    (void)state;
    struct capability c =
        items_of("<?xml version='1.0'?><!DOCTYPE collect>\n<collect><!-- words -->\n"
                 "<files> /a/*.log\n\t/b </files>"
                 "<group><list recursive='true'>/c*</list></group>"
                 "<directory label='l' pattern='.*\\d' negate='true'>/d</directory>"
                 "<command label='two words'> a &amp;&amp; b {kernel}</command>"
                 "<unknown>/z</unknown></collect>");
    assert_int_equal(c.item_count, 5);
    assert_int_equal(c.items[0].kind, ITEM_FILE);
    assert_string_equal(c.items[0].paths[0], "/a/*.log");
    assert_string_equal(c.items[1].paths[0], "/b");
    assert_string_equal(c.items[2].each_glob, "/c*");
    assert_string_equal(c.items[2].argv[1], "-lR");
    assert_string_equal(c.items[3].paths[0], "/d");
    assert_string_equal(c.items[3].exclude, ".*[0-9]");
    assert_null(c.items[3].match);
    assert_string_equal(c.items[4].argv[0], "/bin/sh");
    assert_string_equal(c.items[4].argv[2], " a && b {kernel}");
    assert_string_equal(c.items[4].label, "two words");
    assert_int_equal(c.items[4].line, 4);
    for (size_t i = 0; i < c.item_count; i++)
        assert_true(c.items[i].foreign && c.items[i].least_budget >= 1024 * 1024);
}

static void a_mistake_in_one_element_costs_only_that_element(void **state)
{
    (void)state;
    struct capability c =
        items_of("<collect><directory> /var/log</directory>"
                 "<directory pattern='(?=x)'>/var</directory>"
                 "<files>relative /good</files><command> \n </command></collect>");
    assert_int_equal(c.item_count, 4);
    assert_non_null(strstr(c.items[0].defect, "slash"));
    assert_non_null(strstr(c.items[1].defect, "look-around"));
    assert_non_null(strstr(c.items[2].defect, "absolute"));
    assert_null(c.items[3].defect);
    assert_string_equal(c.items[3].paths[0], "/good");
}

static void refuses_items(const char *xml, int code, const char *expected)
{
    struct capability capability;
    struct err err;
    assert_int_equal(parse_items(xml, &capability, &err), code);
    assert_string_equal(err.where, "x/y.xml");
    if (!strstr(err.text, expected))
        fail_msg("'%s' is not in '%s'", expected, err.text);
    assert_int_equal(capability.item_count, 0);
}

static void bad_files_are_refused_with_their_place(void **state)
{
    (void)state;
    refuses_items("<collect><files>/a</collect>", ERR_PARSE, "mismatched");
    refuses_items("<capability/>", ERR_PARSE, "<collect>");
    refuses_items("", ERR_PARSE, "");
    refuses_items("<!DOCTYPE a [<!ENTITY b 'x'>]><collect><files>&b;</files></collect>", ERR_PARSE,
                  "entity");
    refuses_items("<!DOCTYPE a [<!ENTITY b SYSTEM '/etc/shadow'>]><collect/>", ERR_PARSE, "entity");
    struct strbuf deep = STRBUF_INIT;
    strbuf_adds(&deep, "<collect>");
    for (int i = 0; i < 100; i++)
        strbuf_adds(&deep, "<g>");
    refuses_items(deep.data, ERR_LIMIT, "nested");
    strbuf_release(&deep);
}

/* Defaults of attributes are the one way left in which a small file can grow. */
static void defaults_of_attributes_cannot_grow_without_bound(void **state)
{
    (void)state;
    struct strbuf xml = STRBUF_INIT;
    strbuf_adds(&xml, "<!DOCTYPE collect [<!ATTLIST g a CDATA '");
    for (int i = 0; i < 20000; i++)
        strbuf_addc(&xml, 'x');
    strbuf_adds(&xml, "'>]><collect>");
    for (int i = 0; i < 4000; i++)
        strbuf_adds(&xml, "<g/>");
    strbuf_adds(&xml, "</collect>");
    refuses_items(xml.data, ERR_LIMIT, "too much text");
    strbuf_release(&xml);
}

static void a_capability_has_the_originals_defaults(void **state)
{
    (void)state;
    struct capability c;
    struct err err = ERR_INIT;
    const char *xml = "<capability/>";
    assert_int_equal(plugin_parse_capability(arena, "k", "k.xml", xml, strlen(xml), &c, &err), 0);
    assert_string_equal(c.pii, "maybe");
    assert_string_equal(c.mime, "text/plain");
    assert_true(c.checked && !c.hidden);
    assert_int_equal(c.max_size, -1);
    assert_int_equal(c.max_time, -1);
    assert_int_equal(c.command_time, CATALOG_DEFAULT_TIME);
    xml = "<capability pii='no' mime='application/data' checked='false' hidden='yes' max_time='600'"
          " min_size='5' max_size='16384'/>";
    assert_int_equal(plugin_parse_capability(arena, "k", "k.xml", xml, strlen(xml), &c, &err), 0);
    assert_string_equal(c.mime, "application/data");
    assert_true(!c.checked && c.hidden);
    assert_int_equal(c.command_time, 600);
    assert_int_equal(c.min_size, 5);
    xml = "<capability max_size='lots'/>";
    assert_int_equal(plugin_parse_capability(arena, "k", "k.xml", xml, strlen(xml), &c, &err),
                     ERR_PARSE);
    xml = "<capability max_time='9223372036854775807'/>";
    assert_int_equal(plugin_parse_capability(arena, "k", "k.xml", xml, strlen(xml), &c, &err),
                     ERR_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(python_patterns_match_the_same_paths),
        cmocka_unit_test(patterns_that_would_mean_something_else_are_refused),
        cmocka_unit_test(every_kind_of_element_becomes_an_item),
        cmocka_unit_test(a_mistake_in_one_element_costs_only_that_element),
        cmocka_unit_test(bad_files_are_refused_with_their_place),
        cmocka_unit_test(defaults_of_attributes_cannot_grow_without_bound),
        cmocka_unit_test(a_capability_has_the_originals_defaults),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
