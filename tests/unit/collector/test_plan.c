/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <ftw.h>
#include <sys/stat.h>

#include "collector/plan/name_table.h"
#include "collector/plan/naming.h"
#include "common/io.h"

static char root[] = "/tmp/test-plan-XXXXXX";
static struct function_context functions;
static struct spawner *spawner;
static struct catalog catalog;
static struct planner *planner;

static void named(const char *label, const char *expected)
{
    struct strbuf name = STRBUF_INIT;
    naming_from_label(label, &name);
    assert_string_equal(name.data, expected);
    strbuf_release(&name);
}

static void labels_become_the_names_that_readers_know(void **state)
{
    (void)state;
    named("ls -lR /boot", "ls-lR-%boot.out");
    named("mdadm --detail --scan", "mdadm--detail--scan.out");
    named("mdadm --query --detail /dev/md127", "mdadm--query--detail-%dev%md127.out");
    named("ethtool -S eth0", "ethtool-S-eth0.out");
    named("ethtool -S eth0.10", "ethtool-S-eth0.10");
    named("nft  list ruleset", "nft-list-ruleset.out");
    named("ovs-appctl bond/show bond0", "ovs-appctl-bond%show-bond0.out");
    named("xapi-db.xml", "xapi-db.xml");
    named("two\nlines", "two_lines.out");
}

static void path_named(const char *path, const char *expected)
{
    struct strbuf name = STRBUF_INIT;
    assert_true(naming_from_path(path, &name));
    assert_string_equal(name.data, expected);
    strbuf_release(&name);
}

static void a_path_becomes_a_name_that_an_archive_may_have(void **state)
{
    (void)state;
    path_named("/var/log/a.log", "var/log/a.log");
    path_named("//etc/./a//b/", "etc/a/b");
    path_named("/var/../etc/a", "etc/a");
    path_named("/../../a/../b/...", "b/...");
    path_named("/..", "");
}

static void a_path_that_is_too_long_for_a_name_is_cut(void **state)
{
    (void)state;
    char path[4000];
    struct strbuf name = STRBUF_INIT;
    memset(path, 'a', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    assert_false(naming_from_path(path, &name));
    assert_in_range(name.length, 1, 255);
    strbuf_release(&name);
}

static void a_taken_name_gets_a_number_unless_the_source_is_the_same(void **state)
{
    (void)state;
    struct name_table *table;
    struct arena *arena = arena_new(1024 * 1024);
    const char *name;
    assert_int_equal(name_table_new(&table, NULL), 0);
    assert_int_equal(name_table_take(table, arena, "a.out", "a", &name, NULL), 0);
    assert_string_equal(name, "a.out");
    assert_int_equal(name_table_take(table, arena, "a.out", "b", &name, NULL), 0);
    assert_string_equal(name, "a.out-2");
    assert_int_equal(name_table_take(table, arena, "a.out", "a", &name, NULL), 0);
    assert_null(name);
    name_table_free(table);
    arena_free(arena);
}

static bool any(const char *name)
{
    (void)name;
    return true;
}

static const struct catalog_names names = {any, any, any};

static void write_file(const char *path, const char *text)
{
    char full[300];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0755);
        *slash = '/';
    }
    FILE *file = fopen(full, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

/* Plans one capability below the test's root. */
static struct plan plan_of(const char *collect, int verbosity)
{
    static const struct plan_options unlimited_none = {.root = root};
    char yaml[2000];
    struct plan plan;
    struct err err = ERR_INIT;
    snprintf(yaml, sizeof yaml,
             "capability: x\ndescription: d\npii: no\nsize: {max: 10}\n"
             "lists:\n  md: {command: [mdadm, --detail, --scan], match: '^ARRAY +([^ ]+)'}\n"
             "collect:\n%s",
             collect);
    const struct embedded_file files[] = {{"x.yaml", yaml, yaml + strlen(yaml)},
                                          {NULL, NULL, NULL}};
    if (catalog_load_embedded(files, &names, &catalog, &err) < 0)
        fail_msg("%s", err.text);
    static struct plan_selection selection;
    selection = (struct plan_selection){&catalog.capabilities[0], verbosity};
    assert_int_equal(planner_new(&selection, 1, &unlimited_none, &planner, &err), 0);
    functions = (struct function_context){root, planner_expansion(planner)};
    assert_int_equal(spawner_start(collector_functions, &functions, &spawner, &err), 0);
    if (plan_build(planner, spawner, io_now_ms() + 60000, NULL, &plan, &err) < 0)
        fail_msg("%s", err.text);
    spawner_stop(spawner);
    return plan;
}

static void done(struct plan *plan)
{
    plan_free(plan);
    planner_free(planner);
    catalog_free(&catalog);
}

static void expect(const struct plan *plan, size_t i, const char *name, const char *source)
{
    assert_true(i < plan->entries.count);
    assert_string_equal(plan->entries.items[i].name, name);
    assert_string_equal(plan->entries.items[i].source, source);
}

static void a_log_comes_with_its_rotations_newest_first(void **state)
{
    (void)state;
    static const char *const files[] = {"/var/log/a.log",        "/var/log/a.log.1",
                                        "/var/log/a.log.10.gz",  "/var/log/a.log.2.gz",
                                        "/var/log/a.log.backup", "/var/log/a.logger.1"};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        write_file(files[i], "0123456789abcdef");
    struct plan plan = plan_of("  - log: /var/log/a.log\n", 9);
    assert_int_equal(plan.entries.count, 4);
    expect(&plan, 0, "var/log/a.log", "/var/log/a.log");
    expect(&plan, 1, "var/log/a.log.1", "/var/log/a.log.1");
    expect(&plan, 2, "var/log/a.log.2.gz", "/var/log/a.log.2.gz");
    expect(&plan, 3, "var/log/a.log.10.gz", "/var/log/a.log.10.gz");
    for (size_t i = 0; i < 4; i++)
        assert_false(
            plan.entries.items[i].decided); /* the capability's size is no limit for logs */
    done(&plan);
}

static void dated_rotations_come_newest_first_too(void **state)
{
    (void)state;
    write_file("/var/log/d.log-20251101", "x");
    write_file("/var/log/d.log-20251103.gz", "x");
    struct plan plan = plan_of("  - log: /var/log/d.log\n", 9);
    assert_int_equal(plan.entries.count, 3);
    expect(&plan, 1, "var/log/d.log-20251103.gz", "/var/log/d.log-20251103.gz");
    done(&plan);
}

static void verbosity_limits_rotations(void **state)
{
    (void)state;
    struct plan plan = plan_of("  - log: /var/log/a.log\n", 2);
    assert_int_equal(plan.entries.count, 2);
    done(&plan);
}

static void files_beyond_the_size_limit_are_omitted_but_one_always_comes(void **state)
{
    (void)state;
    write_file("/etc/one", "0123456789abcdef");
    write_file("/etc/two", "0123456789abcdef");
    write_file("/etc/zero", "");
    struct plan plan = plan_of("  - files: [/etc/one, /etc/two, /etc/zero]\n", 9);
    assert_int_equal(plan.entries.count, 3);
    assert_false(plan.entries.items[0].decided);
    assert_int_equal(plan.entries.items[1].outcome.status, OUTCOME_OMITTED);
    assert_string_equal(plan.entries.items[1].outcome.reason, "size constraint of x exceeded");
    assert_false(plan.entries.items[2].decided);
    done(&plan);
}

static void trees_are_filtered_over_the_whole_path_and_survive_loops(void **state)
{
    (void)state;
    char path[300];
    write_file("/tree/a/keep.db", "x");
    write_file("/tree/a/skip.db", "x");
    write_file("/tree/a/other", "x");
    snprintf(path, sizeof path, "%s/tree/a/loop", root);
    assert_int_equal(symlink("..", path), 0);
    struct plan plan = plan_of("  - tree: /tree\n    match: '/tree/.*db$'\n    not: '.*skip'\n", 9);
    assert_int_equal(plan.entries.count, 1);
    expect(&plan, 0, "tree/a/keep.db", "/tree/a/keep.db");
    assert_int_equal(plan.entries.items[0].kind, PLAN_TREE);
    done(&plan);
}

static void what_is_not_there_has_one_entry_that_says_so(void **state)
{
    (void)state;
    struct plan plan = plan_of("  - file: '/no/such/*'\n  - tree: /no/tree\n", 9);
    assert_int_equal(plan.entries.count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(plan.entries.items[i].outcome.status, OUTCOME_MISSING);
    expect(&plan, 0, "no/such/*", "/no/such/*");
    done(&plan);
}

static void an_item_that_is_not_needed_is_not_planned(void **state)
{
    (void)state;
    write_file("/var/log/dmesg", "x");
    struct plan plan = plan_of("  - command: [dmesg]\n    when: {not_exists: [/var/log/dmesg]}\n"
                               "  - file: /etc/issue\n    when: {exists: /no/such}\n",
                               9);
    assert_int_equal(plan.entries.count, 1);
    assert_int_equal(plan.entries.items[0].outcome.status, OUTCOME_MISSING);
    assert_string_equal(plan.entries.items[0].outcome.reason,
                        "not applicable: /no/such does not exist");
    done(&plan);
}

static void devices_come_from_recordings_below_another_root(void **state)
{
    (void)state;
    write_file("/.commands/each-nic", "eth0\n-x; reboot\n");
    write_file("/.commands/mdadm--detail--scan.out", "ARRAY /dev/md0 metadata=1.2\nother\n");
    struct plan plan = plan_of("  - command: [ethtool, -i, '{nic}']\n    each: nic\n"
                               "  - command: [mdadm, --query, '{md}']\n    each: md\n"
                               "  - command: [x, '{bridge}']\n    each: bridge\n",
                               9);
    assert_int_equal(plan.entries.count, 4);
    expect(&plan, 0, "ethtool-i-eth0.out", "ethtool -i eth0");
    assert_string_equal(plan.entries.items[0].path, "/.commands/ethtool-i-eth0.out");
    assert_int_equal(plan.entries.items[1].outcome.status, OUTCOME_DENIED);
    expect(&plan, 2, "mdadm--query-%dev%md0.out", "mdadm --query /dev/md0");
    expect(&plan, 3, "x-{bridge}.out", "x {bridge}");
    assert_int_equal(plan.entries.items[3].outcome.status, OUTCOME_MISSING);
    done(&plan);
}

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_become_the_names_that_readers_know),
        cmocka_unit_test(a_path_becomes_a_name_that_an_archive_may_have),
        cmocka_unit_test(a_path_that_is_too_long_for_a_name_is_cut),
        cmocka_unit_test(a_taken_name_gets_a_number_unless_the_source_is_the_same),
        cmocka_unit_test(a_log_comes_with_its_rotations_newest_first),
        cmocka_unit_test(dated_rotations_come_newest_first_too),
        cmocka_unit_test(verbosity_limits_rotations),
        cmocka_unit_test(files_beyond_the_size_limit_are_omitted_but_one_always_comes),
        cmocka_unit_test(trees_are_filtered_over_the_whole_path_and_survive_loops),
        cmocka_unit_test(what_is_not_there_has_one_entry_that_says_so),
        cmocka_unit_test(an_item_that_is_not_needed_is_not_planned),
        cmocka_unit_test(devices_come_from_recordings_below_another_root),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
