/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Names of members: their normal form, what suffixes mean, which host a path belongs to, and what
 * times texts say.
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "analyzer/report/clock.h"
#include "analyzer/report/host_root.h"
#include "analyzer/report/member_name.h"

static void names_are_brought_into_one_form(void **state)
{
    static const struct {
        const char *name;
        enum member_name_result result;
        const char *normal;
    } cases[] = {
        {"var/log/SMlog", MEMBER_NAME_OK, "var/log/SMlog"},
        {"./var//log/./SMlog", MEMBER_NAME_OK, "var/log/SMlog"},
        {"/var/log/SMlog", MEMBER_NAME_OK, "var/log/SMlog"},
        {"var/log/..SMlog", MEMBER_NAME_OK, "var/log/..SMlog"},
        {"etc/dev-disk-by\\x2dlabel.swap", MEMBER_NAME_OK, "etc/dev-disk-by\\x2dlabel.swap"},
        {"", MEMBER_NAME_EMPTY, ""},
        {".", MEMBER_NAME_EMPTY, ""},
        {"//./", MEMBER_NAME_EMPTY, ""},
        {"../x", MEMBER_NAME_ESCAPE, NULL},
        {"a/../b", MEMBER_NAME_ESCAPE, NULL},
        {"a/..", MEMBER_NAME_ESCAPE, NULL},
        {"..\\x", MEMBER_NAME_ESCAPE, NULL},
        {"a\\..\\x", MEMBER_NAME_ESCAPE, NULL},
        {"a/b/c/d/e", MEMBER_NAME_LONG, NULL},
        {"123456789012345678901", MEMBER_NAME_LONG, NULL},
    };
    const struct report_limits limits = {.name_bytes = 30, .path_depth = 4};
    const struct report_limits narrow = {.name_bytes = 20, .path_depth = 4};
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct report_limits *use = i == ARRAY_SIZE(cases) - 1 ? &narrow : &limits;
        assert_int_equal(member_name_normalise(cases[i].name, use, &out), cases[i].result);
        if (cases[i].normal)
            assert_string_equal(out.data, cases[i].normal);
    }
}

static void suffixes_tell_archives_and_compressed_files_apart(void **state)
{
    size_t length;
    (void)state;
    assert_true(member_name_is_archive("a/host1.tar.bz2", &length));
    assert_int_equal(length, strlen("a/host1"));
    assert_true(member_name_is_archive("host1.ZIP", &length));
    assert_true(member_name_is_archive("host1.tgz", &length));
    assert_false(member_name_is_archive("a/.tar", &length));
    assert_false(member_name_is_archive("tar", &length));
    assert_false(member_name_is_archive("kern.log.gz", &length));
    assert_int_equal(member_name_compression("kern.log.2.gz", &length), COMPRESSION_GZIP);
    assert_int_equal(length, strlen("kern.log.2"));
    assert_int_equal(member_name_compression("kern.log.xz", &length), COMPRESSION_OTHER);
    assert_int_equal(member_name_compression("kern.log", &length), COMPRESSION_NONE);
    assert_int_equal(length, strlen("kern.log"));
}

static void a_path_is_split_into_host_and_rest(void **state)
{
    static const struct {
        const char *path, *root, *rest;
        enum host_root_reason reason;
    } cases[] = {
        {"bug-report-20250303101112/var/log/SMlog", "bug-report-20250303101112", "var/log/SMlog",
         ROOT_REPORT_FOLDER},
        {"bug-report-20250303101112/xl-info.out", "bug-report-20250303101112", "xl-info.out",
         ROOT_REPORT_FOLDER},
        {"tmp/bug-report-20250303101112/mpp/x", "tmp/bug-report-20250303101112", "mpp/x",
         ROOT_REPORT_FOLDER},
        {"2025-03-03-10-11-12-1-bugtool-h1/bug-report-20250303101112/etc/x",
         "2025-03-03-10-11-12-1-bugtool-h1/bug-report-20250303101112", "etc/x", ROOT_REPORT_FOLDER},
        {"bug-report-2025/x", "bug-report-2025", "x", ROOT_FOLDER},
        {"h1/var/log/SMlog", "h1", "var/log/SMlog", ROOT_KNOWN_DIRECTORY},
        {"pool/h1/proc/var/x", "pool/h1", "proc/var/x", ROOT_KNOWN_DIRECTORY},
        {"var/log/SMlog", "", "var/log/SMlog", ROOT_KNOWN_DIRECTORY},
        {"pool/h1/xl-info.out", "pool/h1", "xl-info.out", ROOT_FOLDER},
        {"xl-info.out", "", "xl-info.out", ROOT_FOLDER},
        {"var", "", "var", ROOT_FOLDER},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct host_root root = host_root_split(cases[i].path);
        assert_int_equal(root.length, strlen(cases[i].root));
        assert_memory_equal(cases[i].path, cases[i].root, root.length);
        assert_string_equal(root.rest, cases[i].rest);
        assert_int_equal(root.reason, cases[i].reason);
    }
}

static void an_inner_archive_becomes_a_folder_of_its_host(void **state)
{
    static const char root[] = "bug-report-20250303101112";
    static const struct {
        const char *archive, *path, *result;
    } cases[] = {
        {"etc/systemd", "bug-report-20250303101112/etc/systemd/a.service", "etc/systemd/a.service"},
        {"etc/systemd", "etc/systemd/a.service", "etc/systemd/a.service"},
        {"etc/systemd", "systemd/a.service", "etc/systemd/a.service"},
        {"etc/systemd", "a.service", "etc/systemd/a.service"},
        {"var/crash/old", "bug-report-20240101000000/etc/passwd",
         "var/crash/old/bug-report-20240101000000/etc/passwd"},
        {"var/backup", "etc/passwd", "var/backup/etc/passwd"},
        {"extra", "bug-report-20250303101112/var/log/SMlog", "var/log/SMlog"},
    };
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        host_root_inside(root, cases[i].archive, cases[i].path, &out);
        assert_string_equal(out.data, cases[i].result);
    }
}

static void times_are_read_as_the_hosts_wall_clock(void **state)
{
    (void)state;
    assert_int_equal(clock_from_date("Mon Mar  3 10:11:12 2025"), 1740996672);
    assert_int_equal(clock_from_date("Sun Nov 30 23:59:60 2025"), 1764547200);
    assert_int_equal(clock_from_iso("2025-03-03T10:11:12+05:30"), 1740996672);
    assert_int_equal(clock_from_folder("x/bug-report-20250303101112/y"), 1740996672);
    assert_int_equal(clock_from_folder("bug-report-x/bug-report-20250303101112.tar.bz2"),
                     1740996672);
    static const char *const nonsense[] = {
        "",
        "Mon",
        "Mon Foo  3 10:11:12 2025",
        "Mon anF  3 10:11:12 2025",
        "Mon Mar 99 10:11:12 2025",
        "Mon Mar  3 10:11:12 1",
        "bug-report-20251340101112",
    };
    for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
        assert_int_equal(clock_from_date(nonsense[i]), 0);
        assert_int_equal(clock_from_iso(nonsense[i]), 0);
        assert_int_equal(clock_from_folder(nonsense[i]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_brought_into_one_form),
        cmocka_unit_test(suffixes_tell_archives_and_compressed_files_apart),
        cmocka_unit_test(a_path_is_split_into_host_and_rest),
        cmocka_unit_test(an_inner_archive_becomes_a_folder_of_its_host),
        cmocka_unit_test(times_are_read_as_the_hosts_wall_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
