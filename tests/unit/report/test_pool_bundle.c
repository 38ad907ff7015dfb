/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Pool bundles, nested archives, and what reports say about themselves.
 */
#include "archive_fixture.h"

#define STAMP "2025-03-03-10-11-12"
#define TOP   "bug-report-20250303101112/"

static const struct source_file host1[] = {{TOP "var/log/SMlog", "one\n", 0, 0},
                                           {TOP "xl-info.out", "1\n", 0, 0}};
static const struct source_file host2[] = {{TOP "var/log/SMlog", "two\n", 0, 0}};

static void assert_pool(struct reading *reading)
{
    assert_int_equal(reading->rc, 0);
    reading_finish(reading);
    assert_int_equal(report_set_host_count(reading->set), 2);
    assert_string_equal(report_set_host(reading->set, 0)->name, "host1");
    assert_string_equal(report_set_host(reading->set, 1)->name, "a-very-long-label-of");
    assert_member(reading, 0, "var/log/SMlog", "one\n");
    assert_member(reading, 0, "xl-info.out", "1\n");
    assert_member(reading, 1, "var/log/SMlog", "two\n");
    const struct report_problem *problem = find_problem(reading, PROBLEM_MISSING_HOST, "'host 3'");
    assert_non_null(problem);
    assert_int_equal(problem->host, -1);
    assert_null(find_problem(reading, PROBLEM_MISSING_HOST, "'host1'"));
    assert_null(find_problem(reading, PROBLEM_MISSING_HOST, "'A very long label of host 2'"));
}

static const char masters[] =
    "\xef\xbb\xbfServer 'host1' is a master of pool 'it's a pool'\r\n"
    "Server 'A very long label of host 2' is a slave of pool 'it's a pool'\r\n"
    "Server 'host 3' is a slave of pool 'it's a pool'\r\n";

static void a_bundle_of_archives_is_a_pool(void **state)
{
    static const int filters[] = {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_BZIP2};
    static const char *const suffixes[] = {".tar", ".tar.bz2"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
        CLEANUP(strbuf_release)
        struct strbuf one = PACK(ARCHIVE_FORMAT_TAR_GNUTAR, filters[i], host1);
        CLEANUP(strbuf_release)
        struct strbuf two = PACK(ARCHIVE_FORMAT_TAR_GNUTAR, filters[i], host2);
        char first[64], second[64];
        snprintf(first, sizeof first, STAMP "-1-bugtool-host1%s", suffixes[i]);
        snprintf(second, sizeof second, STAMP "-2-bugtool-a-very-long-label-of%s", suffixes[i]);
        const struct source_file files[] = {{STAMP "-Masters.txt", masters, 0, 0},
                                            {first, one.data, one.length, 0},
                                            {second, two.data, two.length, 0},
                                            {STAMP "-XenCenter.log", "x", 0, 0}};
        CLEANUP(strbuf_release) struct strbuf zip = ZIP(files);
        struct reading reading;
        reading_start(&reading, NULL);
        reading_bytes(&reading, "status-report.zip", &zip);
        assert_pool(&reading);
        reading_end(&reading);
    }
}

static void a_bundle_of_folders_is_a_pool(void **state)
{
    static const struct source_file files[] = {
        {"pool/" STAMP "-1-bugtool-host1/" TOP "var/log/SMlog", "one\n", 0, 0},
        {"pool/" STAMP "-1-bugtool-host1/" TOP "xl-info.out", "1\n", 0, 0},
        {"pool/" STAMP "-2-bugtool-a-very-long-label-of/" TOP "var/log/SMlog", "two\n", 0, 0},
        {"pool/" STAMP "-Coordinators.txt", masters, 0, 0},
        {"pool/README.txt", "hello\n", 0, 0},
    };
    (void)state;
    CLEANUP(strbuf_release) struct strbuf zip = ZIP(files);
    struct reading reading;
    reading_start(&reading, NULL);
    reading_bytes(&reading, "status-report.zip", &zip);
    assert_pool(&reading);
    reading_end(&reading);
}

static void reports_of_the_same_host_get_different_names(void **state)
{
    static const struct source_file files[] = {{"h/var/log/a", "a\n", 0, 0}};
    (void)state;
    CLEANUP(strbuf_release) struct strbuf tar = TAR(files);
    struct reading reading;
    reading_start(&reading, NULL);
    reading_bytes(&reading, "r1.tar", &tar);
    reading_bytes(&reading, "r2.tar", &tar);
    reading_finish(&reading);
    assert_int_equal(report_set_source_count(reading.set), 2);
    assert_string_equal(report_set_host(reading.set, 0)->name, "h");
    assert_string_equal(report_set_host(reading.set, 1)->name, "h (2)");
    assert_int_equal(report_set_host(reading.set, 1)->source, 1);
    reading_end(&reading);
}

static void an_archive_inside_a_report_is_a_folder_of_it(void **state)
{
    static const struct source_file units[] = {
        {TOP "etc/systemd/system/a.service", "[Unit]\n", 0, 0}};
    (void)state;
    CLEANUP(strbuf_release) struct strbuf inner = TAR(units);
    CLEANUP(strbuf_release) struct strbuf zip = ZIP(units);
    const struct source_file files[] = {{TOP "etc/systemd.tar", inner.data, inner.length, 0},
                                        {TOP "var/more.zip", zip.data, zip.length, 0}};
    CLEANUP(strbuf_release) struct strbuf tar = TAR(files);
    struct reading reading;
    reading_start(&reading, NULL);
    reading_bytes(&reading, "r.tar", &tar);
    assert_int_equal(report_set_host_count(reading.set), 1);
    assert_member(&reading, 0, "etc/systemd/system/a.service", "[Unit]\n");
    assert_non_null(find_problem(&reading, PROBLEM_SUSPICIOUS, "more than once"));
    reading_end(&reading);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    struct report_limits limits = report_default_limits;
    struct strbuf bytes = TAR(host1);
    limits.nesting = 2;
    for (int depth = 0; depth < 4; depth++) {
        struct reading reading;
        reading_start(&reading, &limits);
        reading_bytes(&reading, "r.tar", &bytes);
        assert_int_equal(reading.rc, depth <= 2 ? 0 : ERR_PARSE);
        assert_int_equal(reading.seen.count, depth <= 2 ? 2 : 0);
        assert_true(depth <= 2 || find_problem(&reading, PROBLEM_REFUSED, "nested more than 2"));
        reading_end(&reading);
        const struct source_file outer[] = {{"inner.tar", bytes.data, bytes.length, 0}};
        struct strbuf next = TAR(outer);
        strbuf_release(&bytes);
        bytes = next;
    }
    strbuf_release(&bytes);
}

static void budgets_are_shared_by_all_reports(void **state)
{
    static const char text[1000] = {'x'};
    const struct source_file files[] = {{"var/log/a", text, sizeof text, 0},
                                        {"var/log/b", text, sizeof text, 0}};
    (void)state;
    CLEANUP(strbuf_release) struct strbuf zip = ZIP(files);
    struct report_limits limits = report_default_limits;
    limits.total_bytes = 2500;
    struct reading reading;
    reading_start(&reading, &limits);
    reading_bytes(&reading, "r.zip", &zip);
    assert_int_equal(reading.rc, 0);
    assert_null(find_problem(&reading, PROBLEM_REFUSED, ""));
    reading_bytes(&reading, "s.zip", &zip);
    assert_non_null(find_problem(&reading, PROBLEM_REFUSED, "decompressed data for one run"));
    reading_end(&reading);

    limits = report_default_limits;
    limits.entries = 3;
    reading_start(&reading, &limits);
    reading_bytes(&reading, "r.zip", &zip);
    reading_bytes(&reading, "s.zip", &zip);
    assert_non_null(find_problem(&reading, PROBLEM_REFUSED, "limit of 3 entries"));
    reading_end(&reading);

    limits = report_default_limits;
    limits.entry_bytes = 100;
    reading_start(&reading, &limits);
    reading_bytes(&reading, "r.zip", &zip);
    assert_int_equal(reading.seen.count, 2);
    assert_false(reading.seen.items[0]->complete);
    assert_non_null(find_problem(&reading, PROBLEM_REFUSED, "limit for one file"));
    reading_end(&reading);
}

static void the_ratio_of_a_member_has_a_limit(void **state)
{
    (void)state;
    const size_t size = 4 << 20;
    char *zeros = calloc(1, size);
    assert_non_null(zeros);
    CLEANUP(strbuf_release) struct strbuf gz = gzip_of(zeros, size);
    const struct source_file files[] = {{"var/log/a.gz", gz.data, gz.length, 0}};
    CLEANUP(strbuf_release) struct strbuf tar = TAR(files);
    struct report_limits limits = report_default_limits;
    limits.ratio = 10;
    limits.ratio_from = 1 << 20;
    struct reading reading;
    reading_start(&reading, &limits);
    reading_bytes(&reading, "r.tar", &tar);
    assert_false(reading.seen.items[0]->complete);
    assert_true(reading.seen.items[0]->bytes.length < size);
    assert_non_null(find_problem(&reading, PROBLEM_REFUSED, "10 times"));
    reading_end(&reading);
    free(zeros);
}

static const char manifest[] =
    "{\"schema\": \"xenhealth-manifest/1\", \"host\": {\"name\": \"host7\"},"
    " \"run\": {\"started\": \"2025-03-03T10:11:12+01:00\"}, \"entries\": ["
    "{\"capability\": \"system-logs\", \"name\": \"var/log/kern.log\", \"status\": \"missing\"},"
    "{\"capability\": \"system-logs\", \"name\": \"var/log/sa/*\", \"status\": \"missing\"},"
    "{\"capability\": \"system-logs\", \"name\": \"var/log/SMlog\", \"status\": \"ok\"},"
    "{\"capability\": \"xen-info\", \"name\": \"xl-info.out\", \"status\": \"timeout\", "
    "\"reason\": \"30 s\"},"
    "{\"capability\": \"xen-info\", \"name\": \"xl-dmesg.out\", \"status\": \"stuck\"},"
    "{\"capability\": \"system-logs\", \"name\": \"var/log/big\", \"status\": \"truncated\"},"
    "{\"capability\": \"system-logs\", \"name\": \"var/log/x.gz\", \"status\": \"omitted\"}]}";

static void a_manifest_tells_what_is_not_there_and_why(void **state)
{
    static const struct source_file files[] = {
        {TOP "var/log/SMlog", "x\n", 0, 0},
        {TOP "xen-bugtool.log",
         "args\nOmitting /var/log/x.gz, size constraint of system-logs exceeded\n"
         "Omitting /var/log/y.gz, size constraint of system-logs exceeded\n",
         0, 0},
        {TOP "manifest.json", manifest, 0, 0},
    };
    (void)state;
    CLEANUP(strbuf_release) struct strbuf tar = TAR(files);
    struct reading reading;
    reading_start(&reading, NULL);
    reading_bytes(&reading, "r.tar", &tar);
    reading_finish(&reading);
    assert_string_equal(report_set_host(reading.set, 0)->name, "host7");
    assert_int_equal(report_set_host(reading.set, 0)->taken, 1740996672);
    assert_true(report_host_proves_absent(reading.set, 0, "var/log/kern.log"));
    assert_true(report_host_proves_absent(reading.set, 0, "var/log/sa/sa01"));
    assert_false(report_host_proves_absent(reading.set, 0, "var/log/SMlog"));
    assert_false(report_host_proves_absent(reading.set, 0, "var/log/secure"));
    assert_true(report_host_collected(reading.set, 0, "xen-info"));
    const struct report_problem *problem = find_problem(&reading, PROBLEM_TIMEOUT, "30 s");
    assert_non_null(problem);
    assert_string_equal(problem->path, "xl-info.out");
    assert_non_null(find_problem(&reading, PROBLEM_TIMEOUT, "gave it up"));
    assert_non_null(find_problem(&reading, PROBLEM_OMITTED, "only a part"));
    size_t omitted = 0;
    for (size_t i = 0; i < report_set_problem_count(reading.set); i++)
        omitted += report_set_problem(reading.set, i)->kind == PROBLEM_OMITTED;
    assert_int_equal(omitted, 3); /* x.gz once, though log and manifest both tell */
    reading_end(&reading);
}

static void an_inventory_proves_absence_where_the_sources_are_taught(void **state)
{
    static const struct source_file files[] = {
        {TOP "var/log/SMlog", "x\n", 0, 0},
        {TOP "inventory.xml",
         "<system-status-inventory><inventory-entry capability=\"system-logs\" filename=\"x\"/>"
         "</system-status-inventory>",
         0, 0},
    };
    (void)state;
    CLEANUP(strbuf_release) struct strbuf tar = TAR(files);
    struct reading reading;
    reading_start(&reading, NULL);
    assert_int_equal(report_set_teach(reading.set, "var/log/*", "system-logs", &reading.err), 0);
    assert_int_equal(report_set_teach(reading.set, "xl-info.out", "xen-info", &reading.err), 0);
    reading_bytes(&reading, "r.tar", &tar);
    assert_true(report_host_proves_absent(reading.set, 0, "var/log/kern.log"));
    assert_false(report_host_proves_absent(reading.set, 0, "var/log/SMlog"));
    assert_false(report_host_proves_absent(reading.set, 0, "xl-info.out"));
    assert_int_equal(report_set_teach(reading.set, "{", "x", &reading.err), ERR_PARSE);
    reading_end(&reading);
}

/* A disk's file that could not be had, as when the tool is not installed, is no proof that there is no such disk. */
static void a_file_of_a_thing_that_was_looked_for_in_vain_proves_nothing(void **state)
{
#define MANIFEST(name)                                                                             \
    "{\"schema\": \"xenhealth-manifest/1\", \"entries\": [{\"capability\": \"firmware\", \"name\": \"" name  \
    "\", \"status\": \"missing\"}]}"
    static const char *const pattern = "nvme-smart-log-{device}.out";
    static const struct {
        const char *manifest;
        bool proves;
    } cases[] = {{MANIFEST("nvme-list.out"), true},
                 {MANIFEST("nvme-smart-log-{nvme}.out"), true},
                 {MANIFEST("nvme-smart-log-nvme0.out"), false}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct source_file files[] = {
            {TOP "manifest.json", cases[i].manifest, 0, 0},
            {TOP "inventory.xml", "<system-status-inventory/>", 0, 0},
        };
        CLEANUP(strbuf_release) struct strbuf tar = TAR(files);
        struct reading reading;
        reading_start(&reading, NULL);
        assert_int_equal(report_set_teach(reading.set, pattern, "firmware", &reading.err), 0);
        reading_bytes(&reading, "r.tar", &tar);
        assert_int_equal(report_host_proves_absent(reading.set, 0, pattern), cases[i].proves);
        reading_end(&reading);
    }
#undef MANIFEST
}

/* Bundles that were packed again have their members in any order: the list may be there, what it names cut off. */
static void a_file_that_was_collected_and_is_lost_is_not_proven_absent(void **state)
{
    static const struct source_file files[] = {
        {TOP "inventory.xml",
         "<system-status-inventory>"
         "<inventory-entry capability=\"system-logs\" filename=\"" TOP "var/log/SMlog\"/>"
         "<inventory-entry capability=\"system-logs\" filename=\"" TOP "var/log/kern.log\"/>"
         "<inventory-entry capability=\"fcoe\" filename=\"" TOP "dcbtool-gc-eth0-app:0.out\"/>"
         "</system-status-inventory>",
         0, 0},
        {TOP "var/log/SMlog", "x\n", 0, 0},
    };
    (void)state;
    CLEANUP(strbuf_release) struct strbuf tar = TAR(files);
    for (int is_cut = 0; is_cut < 2; is_cut++) {
        struct reading reading;
        reading_start(&reading, NULL);
        assert_int_equal(report_set_teach(reading.set, "var/log/*", "system-logs", &reading.err), 0);
        reading_bytes(&reading, "r.tar", &tar);
        if (is_cut) /* what the reader of a cut archive says */
            report_set_add_problem(reading.set, PROBLEM_TRUNCATED, 0, "", "it ends in the middle");
        reading_finish(&reading);
        assert_true(report_host_lost(reading.set, 0, "var/log/kern.log"));
        assert_false(report_host_proves_absent(reading.set, 0, "var/log/kern.log"));
        assert_false(report_host_lost(reading.set, 0, "var/log/SMlog"));
        assert_false(report_host_lost(reading.set, 0, "var/log/messages"));
        assert_true(report_host_proves_absent(reading.set, 0, "var/log/messages"));
        const struct report_problem *problem =
            find_problem(&reading, PROBLEM_TRUNCATED, "1 files that the report's own list names");
        assert_int_equal(problem != NULL, is_cut);
        reading_end(&reading);
    }
}

static void loose_files_are_a_host_without_complaint(void **state)
{
    static const struct source_file files[] = {{"var/log/SMlog", "x\n", 0, 1700000000},
                                               {"df-alT.out", "y\n", 0, 1600000000}};
    (void)state;
    CLEANUP(strbuf_release) struct strbuf tar = TAR(files);
    struct reading reading;
    reading_start(&reading, NULL);
    reading_bytes(&reading, "loose.tar.gz", &tar);
    reading_finish(&reading);
    const struct report_host *host = report_set_host(reading.set, 0);
    assert_int_equal(report_set_host_count(reading.set), 1);
    assert_string_equal(host->name, "loose");
    assert_string_equal(host->root, "");
    assert_int_equal(host->taken, 1700000000);
    assert_false(host->taken_is_known);
    assert_int_equal(report_set_problem_count(reading.set), 0);
    reading_end(&reading);
}

static void problems_are_kept_in_bounds_and_the_rest_is_counted(void **state)
{
    struct source_file files[600];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        files[i] = (struct source_file){i ? "../x" : "var/log/a", "x", 0, 0};
    CLEANUP(strbuf_release) struct strbuf tar = TAR(files);
    struct reading reading;
    reading_start(&reading, NULL);
    reading_bytes(&reading, "r.tar", &tar);
    reading_finish(&reading);
    assert_int_equal(report_set_problem_count(reading.set), 251);
    assert_non_null(find_problem(&reading, PROBLEM_SUSPICIOUS, "349 more problems"));
    reading_end(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_of_archives_is_a_pool),
        cmocka_unit_test(a_bundle_of_folders_is_a_pool),
        cmocka_unit_test(reports_of_the_same_host_get_different_names),
        cmocka_unit_test(an_archive_inside_a_report_is_a_folder_of_it),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(budgets_are_shared_by_all_reports),
        cmocka_unit_test(the_ratio_of_a_member_has_a_limit),
        cmocka_unit_test(a_manifest_tells_what_is_not_there_and_why),
        cmocka_unit_test(an_inventory_proves_absence_where_the_sources_are_taught),
        cmocka_unit_test(a_file_of_a_thing_that_was_looked_for_in_vain_proves_nothing),
        cmocka_unit_test(a_file_that_was_collected_and_is_lost_is_not_proven_absent),
        cmocka_unit_test(loose_files_are_a_host_without_complaint),
        cmocka_unit_test(problems_are_kept_in_bounds_and_the_rest_is_counted),
    };
    return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
