/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * YAML as we accept it. Documents that must be refused lie in doc-cases/: NAME.yaml, and in
 * NAME.error the message with its place. A new case needs no change here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <fcntl.h>
#include <cmocka.h>

#include "common/doc_packed.h"
#include "common/io.h"

#define CASES  SOURCE_DIR "/tests/unit/common/doc-cases"
#define PLENTY (64 * 1024 * 1024)

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(PLENTY);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena = arena_free(arena);
    return 0;
}

static const struct doc_node *parse(const char *text)
{
    const struct doc_node *root = NULL;
    struct err err = ERR_INIT;
    if (doc_parse(arena, "t", text, strlen(text), &root, &err) < 0)
        fail_msg("'%s': %s", text, err.text);
    return root;
}

static void read_case(const char *name, const char *suffix, struct strbuf *ret)
{
    char path[512];
    struct err err = ERR_INIT;
    snprintf(path, sizeof path, "%s/%s%s", CASES, name, suffix);
    if (io_read_file(AT_FDCWD, path, 1 << 20, ret, &err) < 0)
        fail_msg("%s", err.text);
}

static void check_case(const char *name)
{
    CLEANUP(strbuf_release) struct strbuf input = STRBUF_INIT, expected = STRBUF_INIT;
    char message[1024];
    struct err err = ERR_INIT;
    const struct doc_node *root = NULL;
    read_case(name, ".yaml", &input);
    read_case(name, ".error", &expected);
    expected.data[strcspn(expected.data, "\n")] = '\0';
    int r = doc_parse(arena, name, input.data, input.length, &root, &err);
    err_message(&err, message, sizeof message);
    if (r >= 0)
        fail_msg("%s is accepted, but '%s' is expected", name, expected.data);
    assert_null(root);
    assert_int_equal(r, ERR_PARSE);
    assert_string_equal(err.where, name);
    const char *behind_name = message + strlen(name) + strlen(":");
    behind_name += *behind_name == ' '; /* no line is known */
    if (strncmp(message, name, strlen(name)) != 0 || strcmp(behind_name, expected.data) != 0)
        fail_msg("%s: got '%s', expected '%s'", name, message, expected.data);
}

static void every_bad_document_is_refused_with_place_cause_and_remedy(void **state)
{
    (void)state;
    CLEANUP_DIR DIR *directory = opendir(CASES);
    size_t count = 0;
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        char name[256];
        snprintf(name, sizeof name, "%s", entry->d_name);
        char *suffix = strstr(name, ".yaml");
        if (!suffix)
            continue;
        *suffix = '\0';
        check_case(name);
        count++;
    }
    assert_true(count >= 15);
}

static void a_tree_keeps_order_places_and_texts(void **state)
{
    (void)state;
    const struct doc_node *root = parse("b: 1\na:\n  - 'x y'\n  - |\n    two\n    lines\nc: {}\n");
    assert_int_equal(root->kind, DOC_MAP);
    assert_int_equal(root->count, 3);
    assert_string_equal(root->keys[0]->text, "b");
    assert_true(root->items[0]->plain);
    const struct doc_node *list = doc_get(root, "a");
    assert_int_equal(list->kind, DOC_LIST);
    assert_int_equal(list->count, 2);
    assert_int_equal(list->items[0]->line, 3);
    assert_int_equal(list->items[0]->column, 5);
    assert_false(list->items[0]->plain);
    assert_string_equal(list->items[1]->text, "two\nlines\n");
    assert_int_equal(doc_get(root, "c")->count, 0);
    assert_null(doc_get(root, "d"));
    assert_null(doc_get(list, "a"));
    assert_null(doc_get(NULL, "a"));
}

static void a_large_document_is_refused(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const struct doc_node *root = NULL;
    struct err err = ERR_INIT;
    while (text.length <= 1024 * 1024)
        strbuf_adds(&text, "- a line of a list that goes on and on\n");
    assert_int_equal(doc_parse(arena, "t", text.data, text.length, &root, &err), ERR_LIMIT);
    assert_null(root);
}

static void too_many_values_are_refused(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const struct doc_node *root = NULL;
    struct err err = ERR_INIT;
    for (int i = 0; i < 100001; i++)
        strbuf_adds(&text, "- a\n");
    assert_true(doc_parse(arena, "t", text.data, text.length, &root, &err) < 0);
    assert_non_null(strstr(err.text, "too many values"));
}

static void a_map_with_too_many_keys_is_refused_before_it_costs_time(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const struct doc_node *root = NULL;
    struct err err = ERR_INIT;
    for (int i = 0; i < 1000; i++)
        strbuf_addf(&text, "k%d:\n", i);
    assert_int_equal(doc_parse(arena, "t", text.data, text.length, &root, &err), 0);
    strbuf_adds(&text, "one-more:\n");
    assert_int_equal(doc_parse(arena, "t", text.data, text.length, &root, &err), ERR_PARSE);
    assert_int_equal(err.line, 1001);
    assert_non_null(strstr(err.text, "too many keys"));
}

static void unknown_keys_are_refused_and_near_misses_named(void **state)
{
    (void)state;
    static const char *const allowed[] = {"title", "severity", "component", NULL};
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"titel: x", "unknown key 'titel'; did you mean 'title'?"},
        {"zzzzzzzz: x", "unknown key 'zzzzzzzz'; known here: title, severity, component"},
        {"- x", "expected a map ('key: value' lines)"},
        {"a-key-much-longer-than-any-word-we-know-of: 1",
         "unknown key 'a-key-much-longer-than-any-word-we-know-of'; known here: title, severity, "
         "component"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_INIT;
        assert_int_equal(doc_check_keys(parse(cases[i].text), allowed, &err), ERR_PARSE);
        assert_string_equal(err.text, cases[i].error);
        assert_int_equal(err.line, 1);
    }
    assert_int_equal(doc_check_keys(parse("title: x\nseverity: y\n"), allowed, NULL), 0);
}

static void typed_reads_give_the_value(void **state)
{
    (void)state;
    const struct doc_node *root =
        parse("s: text\nl: [a, b]\nt: yes\nf: false\ni: -12\nb: 8M\nm: -1\nd: 10m\nc: two\n");
    static const char *const names[] = {"one", "two", NULL};
    const char *text, *const *texts;
    size_t count;
    bool flag;
    int64_t number;
    int choice;
    assert_int_equal(doc_string(doc_get(root, "s"), &text, NULL), 0);
    assert_string_equal(text, "text");
    assert_int_equal(doc_strings(doc_get(root, "l"), arena, &texts, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_string_equal(texts[1], "b");
    assert_null(texts[2]);
    assert_int_equal(doc_strings(doc_get(root, "s"), arena, &texts, NULL, NULL), 0);
    assert_string_equal(texts[0], "text");
    assert_int_equal(doc_bool(doc_get(root, "t"), &flag, NULL), 0);
    assert_true(flag);
    assert_int_equal(doc_bool(doc_get(root, "f"), &flag, NULL), 0);
    assert_false(flag);
    assert_int_equal(doc_integer(doc_get(root, "i"), &number, NULL), 0);
    assert_int_equal(number, -12);
    assert_int_equal(doc_bytes(doc_get(root, "b"), &number, NULL), 0);
    assert_int_equal(number, 8 << 20);
    assert_int_equal(doc_bytes(doc_get(root, "m"), &number, NULL), 0);
    assert_int_equal(number, -1);
    assert_int_equal(doc_seconds(doc_get(root, "d"), &number, NULL), 0);
    assert_int_equal(number, 600);
    assert_int_equal(doc_choice(doc_get(root, "c"), names, &choice, NULL), 0);
    assert_int_equal(choice, 1);
}

static void typed_reads_of_something_else_say_what_they_want_and_touch_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"one", "two", NULL};
    const struct doc_node *root = parse("list: [a]\nempty: ''\nword: maybe\nnested: [[a]]\n");
    const struct doc_node *list = doc_get(root, "list"), *word = doc_get(root, "word");
    const char *text = "untouched", *const *texts = NULL;
    bool flag = true;
    int64_t number = 42;
    int choice = 42;
    struct err err[9] = {{0}};
    assert_int_equal(doc_string(list, &text, &err[0]), ERR_PARSE);
    assert_int_equal(doc_string(doc_get(root, "empty"), &text, &err[1]), ERR_PARSE);
    assert_int_equal(doc_strings(root, arena, &texts, NULL, &err[2]), ERR_PARSE);
    assert_int_equal(doc_strings(doc_get(root, "nested"), arena, &texts, NULL, &err[3]), ERR_PARSE);
    assert_int_equal(doc_bool(word, &flag, &err[4]), ERR_PARSE);
    assert_int_equal(doc_integer(word, &number, &err[5]), ERR_PARSE);
    assert_int_equal(doc_bytes(word, &number, &err[6]), ERR_PARSE);
    assert_int_equal(doc_seconds(list, &number, &err[7]), ERR_PARSE);
    assert_int_equal(doc_choice(word, names, &choice, &err[8]), ERR_PARSE);
    static const char *const wanted[] = {
        "a text",      "a text",        "a text or a list of texts",
        "a text",      "true or false", "a whole number",
        "a size such", "a time such",   "one of: one, two"};
    for (size_t i = 0; i < ARRAY_SIZE(err); i++)
        assert_non_null(strstr(err[i].text, wanted[i]));
    assert_string_equal(text, "untouched");
    assert_null(texts);
    assert_true(flag);
    assert_int_equal(number, 42);
    assert_int_equal(choice, 42);
}

/* ------ packed documents ------ */

static void assert_same(const struct doc_node *a, const struct doc_node *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_string_equal(a->file, b->file);
    assert_int_equal(a->line, b->line);
    assert_int_equal(a->column, b->column);
    assert_int_equal(a->plain, b->plain);
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->count, b->count);
    if (a->kind == DOC_SCALAR)
        assert_string_equal(a->text, b->text);
    for (size_t i = 0; i < a->count; i++) {
        if (a->kind == DOC_MAP)
            assert_same(a->keys[i], b->keys[i]);
        assert_same(a->items[i], b->items[i]);
    }
}

static void packing_keeps_every_node_and_its_place(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "word",
        "[]",
        "a: {}",
        "a: 'quoted'\n# comment\nb: [1, [2, {c: ''}], three]\n\n\n\n  \nd: |\n  lines\n  of text\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
        CLEANUP(strbuf_release) struct strbuf packed = STRBUF_INIT;
        struct err err = ERR_INIT;
        const struct doc_node *root = parse(documents[i]), *unpacked = NULL;
        doc_pack(root, &packed);
        assert_true(strbuf_ok(&packed));
        const struct embedded_file file = {"t", packed.data, NULL};
        assert_int_equal(doc_parse_embedded(arena, "t", &file, &unpacked, &err), 0);
        assert_same(root, unpacked);
    }
}

static void long_texts_and_far_places_are_packed_too(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf yaml = STRBUF_INIT, packed = STRBUF_INIT;
    for (int i = 0; i < 300; i++)
        strbuf_addf(&yaml, "k%d: %0*d\n", i, i * 2 + 1, i);
    const struct doc_node *root = parse(yaml.data), *unpacked = NULL;
    struct err err = ERR_INIT;
    doc_pack(root, &packed);
    assert_int_equal(doc_unpack(arena, "t", packed.data, &unpacked, &err), 0);
    assert_same(root, unpacked);
    assert_int_equal(doc_get(unpacked, "k299")->length, 599);
}

static void a_document_is_known_by_its_name(void **state)
{
    (void)state;
    assert_true(doc_is_file_name("a.yaml"));
    assert_false(doc_is_file_name(".a.yaml"));
    assert_false(doc_is_file_name(".yaml"));
    assert_false(doc_is_file_name("a.yaml~"));
    assert_false(doc_is_file_name("a.yml"));
    assert_false(doc_is_file_name("yaml"));
    assert_false(doc_is_file_name(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bad_document_is_refused_with_place_cause_and_remedy),
        cmocka_unit_test(a_tree_keeps_order_places_and_texts),
        cmocka_unit_test(a_large_document_is_refused),
        cmocka_unit_test(too_many_values_are_refused),
        cmocka_unit_test(a_map_with_too_many_keys_is_refused_before_it_costs_time),
        cmocka_unit_test(unknown_keys_are_refused_and_near_misses_named),
        cmocka_unit_test(typed_reads_give_the_value),
        cmocka_unit_test(typed_reads_of_something_else_say_what_they_want_and_touch_nothing),
        cmocka_unit_test(a_document_is_known_by_its_name),
        cmocka_unit_test(packing_keeps_every_node_and_its_place),
        cmocka_unit_test(long_texts_and_far_places_are_packed_too),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
