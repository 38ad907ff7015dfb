/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Single logs as REPORTs: what a name tells, and whose the files are.
 */
#include "tests/unit/report/archive_fixture.h"

#include "analyzer/report/loose.h"

/* The first path of a name counts, so the order matters. */
static const struct path_pattern known[] = {
    {.text = "var/log/SMlog"},
    {.text = "var/log/dmesg"},
    {.text = "sos_commands/kernel/dmesg"},
    {.text = "var/log/xen/hypervisor.log"},
    {.text = "dmesg.out"},
    {.text = "smartctl-a-{device}.out"},
    {.text = "var/crash/{stamp}/xen.log"},
    {.text = "var/blobs/messages/**"},
    {.text = "proc/net/bonding/*"},
};

static void a_name_tells_the_place(void **state)
{
    static const struct {
        const char *report, *folder, *path; /* path NULL: the name is not known */
    } cases[] = {
        {"SMlog", "", "var/log/SMlog"},
        {"./SMlog.1", "", "var/log/SMlog.1"},
        {"/home/me/case 7/SMlog-20251102.gz", "home/me/case 7", "var/log/SMlog-20251102.gz"},
        {"../SMlog.2.xz", "..", "var/log/SMlog.2.xz"},
        {"SMlog.txt", "", "var/log/SMlog"},
        {"hypervisor.log", "", "var/log/xen/hypervisor.log"},
        {"dmesg.out", "", "dmesg.out"},
        {"a/smartctl-a-sda.out", "a", "smartctl-a-sda.out"},
        /* of one name in two places */
        {"dmesg", "", "var/log/dmesg"},
        {"r/sos_commands/kernel/dmesg", "r", "sos_commands/kernel/dmesg"},
        /* in their place */
        {"bug-report-20250303101112/var/log/SMlog", "bug-report-20250303101112", "var/log/SMlog"},
        {"/var/log/SMlog.1", "", "var/log/SMlog.1"},
        {"r/var/crash/7/xen.log", "r", "var/crash/7/xen.log"},
        {"r/proc/net/bonding/bond0", "r", "proc/net/bonding/bond0"},
        {"r/var/crash/../xen.log", NULL, NULL},
        /* not known */
        {"xen.log", NULL, NULL},
        {"bond0", NULL, NULL},
        {"smlog", NULL, NULL},
        {"SMlog.old", NULL, NULL},
        {"host1-SMlog", NULL, NULL},
        {"mySMlog", NULL, NULL},
        {".gz", NULL, NULL},
        {".txt", NULL, NULL},
        {"", NULL, NULL},
        {"/", NULL, NULL},
    };
    struct path_index *index;
    unsigned number;
    (void)state;
    assert_int_equal(path_index_new(&index, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        assert_int_equal(path_index_add(index, &known[i], &number, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(loose_place_release) struct loose_place place;
        bool found =
            loose_place_find(index, cases[i].report, &report_default_limits, &place);
        if (found != (cases[i].path != NULL))
            fail_msg("'%s' is %sknown", cases[i].report, found ? "" : "not ");
        if (found) {
            assert_string_equal(place.folder.data, cases[i].folder);
            assert_string_equal(place.path.data, cases[i].path);
        }
    }
    path_index_free(index);
}

static void write_file(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
    close(fd);
}

static void files_of_one_folder_are_one_host(void **state)
{
    static const char *const names[] = {"a/SMlog", "b/SMlog", "a/dmesg.out"};
    struct reading reading;
    (void)state;
    reading_start(&reading, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        assert_int_equal(report_set_know(reading.set, &known[i], NULL), 0);
    assert_int_equal(mkdir("a", 0700) | mkdir("b", 0700), 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        write_file(names[i], names[i]);
        reading_path(&reading, names[i]);
        assert_int_equal(reading.rc, 0);
        assert_int_equal(unlink(names[i]), 0);
    }
    assert_int_equal(rmdir("a") | rmdir("b"), 0);
    reading_finish(&reading);
    assert_int_equal(report_set_source_count(reading.set), 2);
    assert_int_equal(report_set_host_count(reading.set), 2);
    assert_string_equal(report_set_host(reading.set, 0)->name, "a");
    assert_string_equal(report_set_host(reading.set, 1)->name, "b");
    assert_member(&reading, 0, "var/log/SMlog", "a/SMlog");
    assert_member(&reading, 0, "dmesg.out", "a/dmesg.out");
    assert_member(&reading, 1, "var/log/SMlog", "b/SMlog");
    /* Said once a host, and nobody misses an inventory. */
    assert_int_equal(report_set_problem_count(reading.set), 2);
    assert_non_null(find_problem(&reading, PROBLEM_OMITTED, "single files"));
    reading_end(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_tells_the_place),
        cmocka_unit_test(files_of_one_folder_are_one_host),
    };
    return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
