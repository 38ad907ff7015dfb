/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/catalog/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "collector/catalog/capability_xml.h"

static bool any(const char *name)
{
    return strncmp(name, "no-such", 7) != 0;
}

static const struct catalog_names names = {any, any, any};

/* Parses and returns the result; the error's whole text goes to `message`. */
static int parse(const char *yaml, struct arena *arena, struct capability *ret, char *message,
                 size_t size)
{
    struct err err = ERR_INIT;
    int r = catalog_parse_capability(arena, "test.yaml", yaml, strlen(yaml), &names, ret, &err);
    err_message(&err, message, size);
    return r;
}

static void refuses(const char *yaml, const char *expected)
{
    char message[1024];
    struct capability capability;
    struct arena *arena = arena_new(1024 * 1024);
    assert_int_equal(parse(yaml, arena, &capability, message, sizeof message), ERR_PARSE);
    if (!strstr(message, expected))
        fail_msg("'%s' is not in '%s'", expected, message);
    arena_free(arena);
}

#define HEAD "capability: x\ndescription: d\npii: no\n"

static void reads_every_key_of_an_item(void **state)
{
    (void)state;
    char message[1024];
    struct capability c;
    struct arena *arena = arena_new(1024 * 1024);
    assert_int_equal(
        parse(HEAD "size: {min: -1, max: 20K}\ntime: {max: 30}\norder: 7\n"
                   "collect:\n"
                   "  - command: [ip, -s, addr]\n"
                   "    as: label\n    lane: lvm\n    limit: 10M\n    time: 5s\n    rank: 3\n"
                   "    redact: [xapi-db]\n    when: {running: iscsid}\n"
                   "  - tree: /var/lib\n    match: '^.*db$'\n    not: 'x'\n",
              arena, &c, message, sizeof message),
        0);
    assert_int_equal(c.max_size, 20 * 1024);
    assert_int_equal(c.max_time, 30);
    assert_int_equal(c.command_time, 30);
    assert_int_equal(c.order, 7);
    assert_true(c.checked);
    assert_int_equal(c.item_count, 2);
    assert_int_equal(c.items[0].kind, ITEM_COMMAND);
    assert_string_equal(c.items[0].argv[2], "addr");
    assert_null(c.items[0].argv[3]);
    assert_string_equal(c.items[0].label, "label");
    assert_string_equal(c.items[0].lane, "lvm");
    assert_int_equal(c.items[0].limit, 10 * 1024 * 1024);
    assert_int_equal(c.items[0].time_ms, 5000);
    assert_int_equal(c.items[0].rank, 3);
    assert_string_equal(c.items[0].filters[0], "xapi-db");
    assert_string_equal(c.items[0].when.running, "iscsid");
    assert_int_equal(c.items[1].kind, ITEM_TREE);
    assert_string_equal(c.items[1].match, "^.*db$");
    assert_null(c.items[1].filters[0]);
    arena_free(arena);
}

static void a_capability_without_time_has_a_default_and_is_not_killed_at_once(void **state)
{
    (void)state;
    char message[1024];
    struct capability c;
    struct arena *arena = arena_new(1024 * 1024);
    assert_int_equal(parse(HEAD "collect: []\n", arena, &c, message, sizeof message), 0);
    assert_int_equal(c.max_time, -1);
    assert_int_equal(c.command_time, CATALOG_DEFAULT_TIME);
    arena_free(arena);
}

static void a_shell_item_runs_sh_and_is_named_by_its_text(void **state)
{
    (void)state;
    char message[1024];
    struct capability c;
    struct arena *arena = arena_new(1024 * 1024);
    assert_int_equal(
        parse(HEAD "collect:\n  - shell: 'ulimit -a'\n", arena, &c, message, sizeof message), 0);
    assert_string_equal(c.items[0].argv[0], "/bin/sh");
    assert_string_equal(c.items[0].argv[2], "ulimit -a");
    assert_string_equal(c.items[0].label, "ulimit -a");
    arena_free(arena);
}

static void refuses_what_it_does_not_understand_and_says_where(void **state)
{
    (void)state;
    refuses(HEAD "collect:\n  - file: /a\n    lane: x\n", "test.yaml:6");
    refuses(HEAD "collect:\n  - file: /a\n    command: [x]\n", "exactly one of");
    refuses(HEAD "collect:\n  - flie: /a\n", "exactly one of");
    refuses(HEAD "collect:\n  - file: etc/passwd\n", "no absolute path");
    refuses(HEAD "collect:\n  - tree: /a\n    match: '('\n", "regular expression");
    refuses(HEAD "collect:\n  - file: /a\n    redact: no-such\n", "no redaction filter 'no-such'");
    refuses(HEAD "collect:\n  - function: no-such\n", "no function 'no-such'");
    refuses(HEAD "collect:\n  - command: [a, '{no-such}']\n    each: no-such\n",
            "no list 'no-such'");
    refuses(HEAD "collect:\n  - files: [/a, /b]\n    as: c\n", "names one file");
    refuses(HEAD "size: {max: huge}\ncollect: []\n", "expected a size");
    refuses("capability: 'a b'\ndescription: d\npii: no\ncollect: []\n", "letters, digits");
    refuses("capability: x\ndescription: d\npii: perhaps\ncollect: []\n", "if_customized");
    refuses("capability: x\n", "needs 'capability'");
}

static void the_embedded_catalog_loads_in_the_originals_order(void **state)
{
    (void)state;
    struct catalog catalog;
    struct err err = ERR_INIT;
    if (catalog_load_embedded(catalog_embedded, &names, &catalog, &err) < 0)
        fail_msg("%s:%d: %s", err.where, err.line, err.text);
    assert_non_null(catalog_find(&catalog, "system-logs"));
    assert_null(catalog_find(&catalog, "client-logs"));
    for (size_t i = 1; i < catalog.count; i++)
        assert_true(catalog.capabilities[i - 1].order <= catalog.capabilities[i].order);
    catalog_free(&catalog);
}

static void two_files_cannot_define_one_capability(void **state)
{
    (void)state;
    static const char text[] = HEAD "collect: []\n";
    const struct embedded_file files[] = {{"a.yaml", text, text + sizeof text - 1},
                                          {"b.yaml", text, text + sizeof text - 1},
                                          {NULL, NULL, NULL}};
    struct catalog catalog;
    struct err err = ERR_INIT;
    assert_int_equal(catalog_load_embedded(files, &names, &catalog, &err), ERR_PARSE);
    assert_string_equal(err.where, "b.yaml");
}

/* The bash completion of xe needs an attribute before key, and one element a line. */
static void capability_xml_has_alphabetical_attributes_and_no_hidden_ones(void **state)
{
    (void)state;
    static const char one[] = HEAD "size: {max: 3K}\ntime: {max: 10}\ncollect: []\n";
    static const char two[] =
        "capability: y\ndescription: d\npii: yes\nhidden: true\ncollect: []\n";
    const struct embedded_file files[] = {{"a.yaml", one, one + sizeof one - 1},
                                          {"b.yaml", two, two + sizeof two - 1},
                                          {NULL, NULL, NULL}};
    struct catalog catalog;
    struct strbuf xml = STRBUF_INIT;
    assert_int_equal(catalog_load_embedded(files, &names, &catalog, NULL), 0);
    capability_xml_write(&catalog, &xml);
    assert_string_equal(xml.data, "<?xml version=\"1.0\" ?>\n<system-status-capabilities>\n"
                                  "\t<capability content-type=\"text/plain\" "
                                  "default-checked=\"yes\" key=\"x\" max-size=\"3072\""
                                  " max-time=\"10\" min-size=\"-1\" min-time=\"-1\" pii=\"no\"/>\n"
                                  "</system-status-capabilities>\n\n");
    strbuf_release(&xml);
    catalog_free(&catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_key_of_an_item),
        cmocka_unit_test(a_capability_without_time_has_a_default_and_is_not_killed_at_once),
        cmocka_unit_test(a_shell_item_runs_sh_and_is_named_by_its_text),
        cmocka_unit_test(refuses_what_it_does_not_understand_and_says_where),
        cmocka_unit_test(the_embedded_catalog_loads_in_the_originals_order),
        cmocka_unit_test(two_files_cannot_define_one_capability),
        cmocka_unit_test(capability_xml_has_alphabetical_attributes_and_no_hidden_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
