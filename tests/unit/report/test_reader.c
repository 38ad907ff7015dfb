/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The reader over every container it opens: the same members must come out of all of them.
 */
#include "archive_fixture.h"

#include <ftw.h>
#include <sys/stat.h>

#define TOP "bug-report-20250303101112/"
#define INVENTORY                                                                                  \
    "<?xml version=\"1.0\" ?>\n<system-status-inventory>\n"                                        \
    "<system-summary date=\"Mon Mar  3 10:11:12 2025\" hostname=\"host1\" uname=\"Linux\" "        \
    "uptime=\" 10:11:12 up 10 days,  3:04\"/>\n"                                                   \
    "<inventory-entry capability=\"system-logs\" filename=\"" TOP "var/log/kern.log\" "            \
    "md5sum=\"0\"/>\n</system-status-inventory>\n"

static const struct source_file report[] = {
    {TOP "xl-info.out", "host : host1\n", 0, 0},
    {TOP "plugin/state.txt", "x\n", 0, 0},
    {TOP "var/log/kern.log", "line 1\nline 2\n", 0, 0},
    {TOP "inventory.xml", INVENTORY, 0, 0},
};

static void assert_report(struct reading *reading)
{
    assert_int_equal(reading->rc, 0);
    reading_finish(reading);
    assert_int_equal(reading->seen.count, 4);
    assert_member(reading, 0, "xl-info.out", "host : host1\n");
    assert_member(reading, 0, "plugin/state.txt", "x\n");
    assert_member(reading, 0, "var/log/kern.log", "line 1\nline 2\n");
    assert_member(reading, 0, "inventory.xml", INVENTORY);
    assert_int_equal(report_set_problem_count(reading->set), 0);
    assert_int_equal(report_set_host_count(reading->set), 1);
    const struct report_host *host = report_set_host(reading->set, 0);
    assert_string_equal(host->name, "host1");
    assert_string_equal(host->uptime, " 10:11:12 up 10 days,  3:04");
    assert_int_equal(host->taken, 1740996672);
    assert_true(host->taken_is_known);
    assert_true(host->has_inventory);
    assert_int_equal(host->entries, 4);
    assert_true(report_host_collected(reading->set, 0, "system-logs"));
    assert_false(report_host_collected(reading->set, 0, "xen-info"));
}

static void every_container_gives_the_same_members(void **state)
{
    static const struct {
        int format, filter;
        const char *name;
    } containers[] = {
        {ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, "r.zip"},
        {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE, "r.tar"},
        {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, "r.tar"},
        {ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_NONE, "r.tar"},
        {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_GZIP, "r.tar.gz"},
        {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_BZIP2, "r.tar.bz2"},
        {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_XZ, "r.tar.xz"},
        {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_ZSTD, "r.tar.zst"},
        {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_GZIP, "name-without-suffix"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(containers); i++) {
        struct reading reading;
        CLEANUP(strbuf_release)
        struct strbuf bytes = PACK(containers[i].format, containers[i].filter, report);
        reading_start(&reading, NULL);
        reading_bytes(&reading, containers[i].name, &bytes);
        assert_report(&reading);
        reading_end(&reading);
    }
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static void a_folder_gives_the_same_members(void **state)
{
    (void)state;
    char folder[] = "reader-XXXXXX";
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < ARRAY_SIZE(report); i++) {
        CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
        strbuf_addf(&path, "%s/%s", folder, report[i].name);
        for (char *p = path.data; (p = strchr(p, '/')); p++) {
            *p = '\0';
            mkdir(path.data, 0700);
            *p = '/';
        }
        CLEANUP_FILE FILE *file = fopen(path.data, "we");
        assert_non_null(file);
        fputs(report[i].data, file);
    }
    struct reading reading;
    reading_start(&reading, NULL);
    reading_path(&reading, folder);
    assert_report(&reading);
    reading_end(&reading);

    CLEANUP(strbuf_release) struct strbuf inner = STRBUF_INIT;
    strbuf_addf(&inner, "%s/bug-report-20250303101112", folder);
    reading_start(&reading, NULL);
    reading_path(&reading, inner.data);
    assert_report(&reading);
    assert_string_equal(report_set_host(reading.set, 0)->root, "");
    reading_end(&reading);
    assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void standard_input_may_be_a_pipe(void **state)
{
    CLEANUP(strbuf_release) struct strbuf zip = ZIP(report);
    CLEANUP(strbuf_release)
    struct strbuf tar = PACK(ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_BZIP2, report);
    const struct strbuf *const all[] = {&zip, &tar};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        int ends[2], before = dup(STDIN_FILENO);
        assert_int_equal(pipe(ends), 0);
        assert_true(all[i]->length < 65536); /* fits the pipe: nobody reads yet */
        assert_int_equal(io_write_all(ends[1], all[i]->data, all[i]->length), 0);
        close(ends[1]);
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        struct reading reading;
        reading_start(&reading, NULL);
        reading_path(&reading, "-");
        assert_report(&reading);
        reading_end(&reading);
        dup2(before, STDIN_FILENO);
        close(before);
    }
}

static void compressed_logs_are_decompressed(void **state)
{
    static const struct source_file log[] = {{"x", "old line\n", 0, 0}};
    CLEANUP(strbuf_release) struct strbuf gz = gzip_of("old line\n", 9);
    CLEANUP(strbuf_release) struct strbuf two = gzip_of("older\n", 6);
    CLEANUP(strbuf_release) struct strbuf xz = PACK(ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_XZ, log);
    CLEANUP(strbuf_release) struct strbuf bz2 = PACK(ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_BZIP2, log);
    CLEANUP(strbuf_release) struct strbuf zst = PACK(ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_ZSTD, log);
    (void)state;
    strbuf_add(&two, gz.data, gz.length);
    strbuf_adds(&two, "trailing bytes");
    const struct source_file files[] = {
        {"var/log/a.1.gz", gz.data, gz.length, 0},    {"var/log/b.1.gz", two.data, two.length, 0},
        {"var/log/c.1.xz", xz.data, xz.length, 0},    {"var/log/d.1.bz2", bz2.data, bz2.length, 0},
        {"var/log/e.1.zst", zst.data, zst.length, 0},
    };
    CLEANUP(strbuf_release) struct strbuf tar = TAR(files);
    struct reading reading;
    reading_start(&reading, NULL);
    reading_bytes(&reading, "r.tar", &tar);
    assert_int_equal(reading.rc, 0);
    assert_member(&reading, 0, "var/log/a.1.gz", "old line\n");
    assert_member(&reading, 0, "var/log/b.1.gz", "older\nold line\n");
    assert_member(&reading, 0, "var/log/c.1.xz", "old line\n");
    assert_member(&reading, 0, "var/log/d.1.bz2", "old line\n");
    assert_member(&reading, 0, "var/log/e.1.zst", "old line\n");
    assert_string_equal(find_member(&reading, 0, "var/log/a.1.gz")->logical, "var/log/a.1");
    assert_int_equal(report_set_problem_count(reading.set), 0);
    reading_end(&reading);
}

static void a_damaged_gz_gives_what_could_be_read(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (int i = 0; i < 50000; i++)
        strbuf_addf(&text, "line %d\n", i * 7919);
    CLEANUP(strbuf_release) struct strbuf gz = gzip_of(text.data, text.length);
    gz.data[gz.length - 8] ^= 1; /* its CRC */
    const struct source_file files[] = {{"var/log/a.gz", gz.data, gz.length, 0},
                                        {"var/log/cut.gz", gz.data, gz.length / 2, 0},
                                        {"var/log/after", "y", 0, 0}};
    CLEANUP(strbuf_release) struct strbuf zip = ZIP(files);
    struct reading reading;
    reading_start(&reading, NULL);
    reading_bytes(&reading, "r.zip", &zip);
    const struct seen_member *seen = find_member(&reading, 0, "var/log/a.gz");
    assert_false(seen->complete);
    assert_string_equal(seen->bytes.data, text.data);
    const struct report_problem *problem =
        find_problem(&reading, PROBLEM_DAMAGED, "gzip data is damaged");
    assert_non_null(problem);
    assert_string_equal(problem->path, "var/log/a.gz");
    assert_int_equal(problem->host, 0);
    seen = find_member(&reading, 0, "var/log/cut.gz");
    assert_false(seen->complete);
    assert_true(seen->bytes.length > text.length / 3);
    assert_memory_equal(seen->bytes.data, text.data, seen->bytes.length);
    assert_non_null(find_problem(&reading, PROBLEM_TRUNCATED, "cut off"));
    assert_member(&reading, 0, "var/log/after", "y");
    reading_end(&reading);
}

static void visitors_get_large_blocks(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    for (int i = 0; i < 200000; i++)
        strbuf_addf(&text, "line %d\n", i * 7919);
    const struct source_file files[] = {{"var/log/a", text.data, text.length, 0},
                                        {"var/log/b", text.data, text.length, 0}};
    static const int filters[] = {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ,
                                  ARCHIVE_FILTER_ZSTD};
    for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
        struct reading reading;
        CLEANUP(strbuf_release)
        struct strbuf tar = PACK(ARCHIVE_FORMAT_TAR_USTAR, filters[i], files);
        reading_start(&reading, NULL);
        reading_bytes(&reading, "r.tar", &tar);
        assert_member(&reading, 0, "var/log/b", text.data);
        assert_true(find_member(&reading, 0, "var/log/b")->smallest >= 65536);
        reading_end(&reading);
    }
}

static void a_declined_member_is_counted_but_not_read(void **state)
{
    (void)state;
    struct reading reading;
    CLEANUP(strbuf_release)
    struct strbuf bytes = PACK(ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_GZIP, report);
    reading_start(&reading, NULL);
    reading.unwanted = "var/log/kern.log";
    reading_bytes(&reading, "r.tgz", &bytes);
    assert_int_equal(reading.rc, 0);
    assert_null(find_member(&reading, 0, "var/log/kern.log"));
    assert_member(&reading, 0, "inventory.xml", INVENTORY);
    assert_int_equal(report_set_source(reading.set, 0)->entries, 4);
    reading_end(&reading);
}

static void an_error_of_the_visitor_ends_the_read(void **state)
{
    static const struct source_file files[] = {{"var/log/poison", "x", 0, 0},
                                               {"var/log/a", "y", 0, 0}};
    (void)state;
    struct reading reading;
    CLEANUP(strbuf_release) struct strbuf bytes = TAR(files);
    reading_start(&reading, NULL);
    reading_bytes(&reading, "r.tar", &bytes);
    assert_int_equal(reading.rc, ERR_CANCELLED);
    assert_string_equal(reading.err.text, "poisoned");
    assert_int_equal(reading.seen.count, 1);
    assert_false(reading.seen.items[0]->complete);
    reading_end(&reading);
}

static void a_cut_archive_gives_what_could_be_read(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf noise = STRBUF_INIT;
    uint32_t seed = 1;
    for (int i = 0; i < 2000000; i++) {
        seed = seed * 1664525 + 1013904223;
        strbuf_addc(&noise, (char)(seed >> 24));
    }
    const struct source_file files[] = {{TOP "var/log/a", "whole\n", 0, 0},
                                        {TOP "var/log/b", noise.data, noise.length, 0},
                                        {TOP "inventory.xml", INVENTORY, 0, 0}};
    static const struct {
        int format, filter;
    } containers[] = {{ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE},
                      {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE},
                      {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_GZIP},
                      {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_BZIP2},
                      {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_XZ}};
    for (size_t i = 0; i < ARRAY_SIZE(containers); i++) {
        struct reading reading;
        CLEANUP(strbuf_release)
        struct strbuf bytes = PACK(containers[i].format, containers[i].filter, files);
        bytes.length = bytes.length * 2 / 3;
        reading_start(&reading, NULL);
        reading_bytes(&reading, "r.bin", &bytes);
        assert_int_equal(reading.rc, 0);
        reading_finish(&reading);
        assert_member(&reading, 0, "var/log/a", "whole\n");
        const struct seen_member *seen = find_member(&reading, 0, "var/log/b");
        assert_false(seen->complete);
        assert_true(seen->bytes.length > noise.length / 3);
        assert_memory_equal(seen->bytes.data, noise.data, seen->bytes.length);
        assert_non_null(find_problem(&reading, PROBLEM_TRUNCATED, "cut off"));
        assert_non_null(find_problem(&reading, PROBLEM_TRUNCATED, "inventory.xml is missing"));
        assert_false(report_set_host(reading.set, 0)->has_inventory);
        assert_int_equal(report_set_host(reading.set, 0)->taken,
                         1740996672); /* the folder's name */
        reading_end(&reading);
    }
}

static void names_keep_their_bytes_and_lose_their_tricks(void **state)
{
    static const struct source_file files[] = {
        {"h/./var//log/SMlog", "1\n", 0, 0},
        {"h/var/log/SMlog", "2\n", 0, 0},
        {"h/var/log/../../../etc/shadow", "3\n", 0, 0},
        {"h/var/log/\xc3\xa9t\xc3\xa9", "4\n", 0, 0},
    };
    (void)state;
    struct reading reading;
    CLEANUP(strbuf_release) struct strbuf bytes = TAR(files);
    reading_start(&reading, NULL);
    reading_bytes(&reading, "r.tar", &bytes);
    assert_int_equal(reading.seen.count, 3);
    assert_member(&reading, 0, "var/log/SMlog", "1\n");
    assert_member(&reading, 0, "var/log/\xc3\xa9t\xc3\xa9", "4\n");
    assert_non_null(find_problem(&reading, PROBLEM_SUSPICIOUS, "more than once"));
    assert_non_null(find_problem(&reading, PROBLEM_SUSPICIOUS, "leads out"));
    reading_end(&reading);
}

static void what_is_no_report_is_told_in_one_sentence(void **state)
{
    static const struct {
        const char *name, *bytes, *text;
        int code;
    } cases[] = {
        {"empty.zip", "", "'empty.zip' is empty", ERR_PARSE},
        {"kern.log", "Mar  3 10:11:12 host1 kernel: x\n", "in its place in a folder",
         ERR_UNSUPPORTED},
        {"r.7z", "7z\xbc\xaf.....", "is a 7z archive", ERR_UNSUPPORTED},
        {"r.tar", "no archive", "'r.tar' holds nothing that can be read", ERR_PARSE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct reading reading;
        CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
        strbuf_adds(&bytes, cases[i].bytes);
        reading_start(&reading, NULL);
        reading_bytes(&reading, cases[i].name, &bytes);
        assert_int_equal(reading.rc, cases[i].code);
        assert_non_null(strstr(reading.err.text, cases[i].text));
        assert_null(strchr(reading.err.text, '\n'));
        reading_end(&reading);
    }
    struct reading reading;
    reading_start(&reading, NULL);
    reading_path(&reading, "no/such/report.zip");
    assert_int_equal(reading.rc, ERR_NOTFOUND);
    assert_non_null(strstr(reading.err.text, "no/such/report.zip"));
    reading_end(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_container_gives_the_same_members),
        cmocka_unit_test(a_folder_gives_the_same_members),
        cmocka_unit_test(standard_input_may_be_a_pipe),
        cmocka_unit_test(compressed_logs_are_decompressed),
        cmocka_unit_test(a_damaged_gz_gives_what_could_be_read),
        cmocka_unit_test(visitors_get_large_blocks),
        cmocka_unit_test(a_declined_member_is_counted_but_not_read),
        cmocka_unit_test(an_error_of_the_visitor_ends_the_read),
        cmocka_unit_test(a_cut_archive_gives_what_could_be_read),
        cmocka_unit_test(names_keep_their_bytes_and_lose_their_tricks),
        cmocka_unit_test(what_is_no_report_is_told_in_one_sentence),
    };
    return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
