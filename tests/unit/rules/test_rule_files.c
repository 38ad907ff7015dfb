/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Rules in many files, of which two threads parse the YAML: what becomes of them, and what is told
 * of those that are wrong, is as if they were read one after another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/rules/rule.h"
#include "common/background.h"
#include "common/io.h"

#define COUNT 100

static const char groups[] = "groups: {kernel: [var/log/kern.log]}\n";
static const struct embedded_file logs = {"logs.yaml", groups, groups + sizeof groups - 1};

static char folder[] = "/tmp/test-rule-files-XXXXXX";

static void file_name(int number, char *ret, size_t size)
{
    snprintf(ret, size, "%s/r%02d.yaml", folder, number);
}

static void write_file(int number, const char *text)
{
    char name[64];
    file_name(number, name, sizeof name);
    CLEANUP_FD int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

static void write_rule(int number)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    strbuf_addf(&text,
                "id: r%02d\ntitle: Rule %d\ncomponent: storage\nseverity: error\n"
                "log: {files: [$kernel], match: 'event %d of (?<device>\\w+)'}\n",
                number, number, number);
    write_file(number, text.data);
}

static int make_files(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++)
        write_rule(i);
    return 0;
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        char name[64];
        file_name(i, name, sizeof name);
        unlink(name);
    }
    return rmdir(folder);
}

/* Loading fails, at this place of a file. */
static void assert_fails_at(int number, int line, int column)
{
    const char *const paths[] = {folder, "/nowhere/rules", NULL};
    struct rule_set *set = NULL;
    struct err err = ERR_INIT;
    char name[64];
    file_name(number, name, sizeof name);
    assert_int_equal(rule_set_load(&logs, NULL, paths, true, &set, &err), ERR_PARSE);
    assert_null(set);
    assert_string_equal(err.where, name);
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
}

static bool began, was_apart;

/* Stands in for the real one, which it calls: whether a second thread was begun is seen nowhere
 * else. */
void __real_background_begin(struct background *background, bool apart, background_work work,
                             void *context);
void __wrap_background_begin(struct background *background, bool apart, background_work work,
                             void *context);

void __wrap_background_begin(struct background *background, bool apart, background_work work,
                             void *context)
{
    began = true;
    was_apart = apart;
    __real_background_begin(background, apart, work, context);
}

static void a_second_thread_begins_only_where_one_is_wanted(void **state)
{
    (void)state;
    const char *const paths[] = {folder, NULL};
    for (int threads = 0; threads <= 1; threads++) {
        struct rule_set *set = NULL;
        began = false;
        assert_int_equal(rule_set_load(&logs, NULL, paths, threads, &set, NULL), 0);
        assert_int_equal(rule_set_count(set), COUNT);
        assert_true(began);
        assert_int_equal(was_apart, threads);
        rule_set_free(set);
    }
}

static void all_are_there_in_the_order_of_their_names(void **state)
{
    (void)state;
    const char *const paths[] = {folder, NULL};
    struct rule_set *set = NULL;
    assert_int_equal(rule_set_load(&logs, NULL, paths, true, &set, NULL), 0);
    assert_int_equal(rule_set_count(set), COUNT);
    assert_int_equal(rule_set_pack_count(set), 1);
    assert_int_equal(rule_set_pack(set, 0)->rules, COUNT);
    for (int i = 0; i < COUNT; i++) {
        char id[8];
        snprintf(id, sizeof id, "r%02d", i);
        const struct rule *rule = rule_set_at(set, (size_t)i);
        assert_string_equal(rule->id, id);
        assert_int_equal(rule->logs[0].match_node->line, 5);
        assert_int_equal(regex_name_find(rule->logs[0].match, "device"), 0);
    }
    rule_set_free(set);
}

static void the_first_mistake_is_told_whatever_its_kind(void **state)
{
    (void)state;
    write_file(90, "id: r90\ntitle: [\n");
    assert_fails_at(90, 3, 1);
    write_file(80, "id: r80\ntitle: x\ncomponent: storage\nseverity: error\n"
                   "log: {files: [$kernel], match: 'a('}\n");
    assert_fails_at(80, 5, 32);
    write_file(20, "id: r20\ntitle: 'x' y\n");
    assert_fails_at(20, 2, 12);
    write_file(10, "id: r10\ntitel: x\n");
    assert_fails_at(10, 2, 1);
}

static void a_file_that_cannot_be_read_is_told_behind_mistakes_in_front_of_it(void **state)
{
    (void)state;
    const char *const paths[] = {folder, "/nowhere/rules", NULL};
    struct rule_set *set = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(rule_set_load(&logs, NULL, paths, true, &set, &err), ERR_NOTFOUND);
    assert_non_null(strstr(err.text, "/nowhere/rules"));
}

static void a_link_that_leads_nowhere_is_told(void **state)
{
    (void)state;
    const char *const paths[] = {folder, NULL};
    struct rule_set *set = NULL;
    struct err err = ERR_INIT;
    char name[64];
    file_name(30, name, sizeof name);
    assert_int_equal(unlink(name) | symlink("nowhere", name), 0);
    assert_int_equal(rule_set_load(&logs, NULL, paths, true, &set, &err), ERR_NOTFOUND);
    assert_non_null(strstr(err.text, name));
    assert_int_equal(unlink(name), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_are_there_in_the_order_of_their_names, make_files),
        cmocka_unit_test_setup(a_second_thread_begins_only_where_one_is_wanted, make_files),
        cmocka_unit_test_setup(the_first_mistake_is_told_whatever_its_kind, make_files),
        cmocka_unit_test_setup(a_file_that_cannot_be_read_is_told_behind_mistakes_in_front_of_it,
                               make_files),
        cmocka_unit_test_setup(a_link_that_leads_nowhere_is_told, make_files),
    };
    return cmocka_run_group_tests_name("files of rules", tests, make_folder, remove_folder);
}
