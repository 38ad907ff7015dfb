/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What counts as the same file while it is sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "common/io.h"
#include "upload/source/source.h"

static char folder[] = "/tmp/test-source-XXXXXX";
static char path[64], other[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/report.tar", mkdtemp(folder));
    snprintf(other, sizeof other, "%s/other", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

static void put(const char *to, int64_t offset, const char *text)
{
    CLEANUP_FD int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, text, strlen(text), offset), strlen(text));
}

static void set_age(const char *of, int seconds)
{
    struct timespec times[2];
    clock_gettime(CLOCK_REALTIME, &times[0]);
    times[0].tv_sec -= seconds;
    times[1] = times[0];
    assert_int_equal(utimensat(AT_FDCWD, of, times, 0), 0);
}

static struct source *opened(const char *text, int age)
{
    unlink(path);
    put(path, 0, text);
    set_age(path, age);
    struct source *source = NULL;
    assert_int_equal(source_open(path, &source, NULL), 0);
    return source;
}

static void a_file_is_known_by_name_size_and_digest(void **state)
{
    (void)state;
    CLEANUP(source_cleanup) struct source *source = opened("abc", 100);
    assert_string_equal(source_path(source), path);
    assert_string_equal(source_name(source), "report.tar");
    assert_int_equal(source_size(source), 3);
    assert_string_equal(source_sha256(source),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(source_check(source, NULL), 0);
}

static void an_empty_file_is_a_file(void **state)
{
    (void)state;
    CLEANUP(source_cleanup) struct source *source = opened("", 100);
    assert_int_equal(source_size(source), 0);
    assert_string_equal(source_sha256(source),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    char byte;
    assert_int_equal(source_read(source, 0, &byte, 0, NULL), 0);
    assert_int_equal(source_read(source, 0, &byte, 1, NULL), ERR_BUG);
    assert_int_equal(source_check(source, NULL), 0);
}

static void ranges_are_read_and_digested_exactly(void **state)
{
    (void)state;
    CLEANUP(source_cleanup) struct source *source = opened("xxabcyy", 100);
    char bytes[4] = "";
    assert_int_equal(source_read(source, 2, bytes, 3, NULL), 0);
    assert_string_equal(bytes, "abc");
    static const struct {
        enum source_digest kind;
        size_t length;
        unsigned char first, last;
    } cases[] = {{SOURCE_MD5, 16, 0x90, 0x72},
                 {SOURCE_SHA1, 20, 0xa9, 0x9d},
                 {SOURCE_SHA256, 32, 0xba, 0xad}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned char digest[DIGEST_BYTES];
        size_t length;
        assert_int_equal(source_digest(source, cases[i].kind, 2, 3, digest, &length, NULL), 0);
        assert_int_equal(length, cases[i].length);
        assert_int_equal(digest[0], cases[i].first);
        assert_int_equal(digest[length - 1], cases[i].last);
        assert_int_equal(source_digest(source, cases[i].kind, 2, 6, digest, &length, NULL),
                         ERR_BUG);
        assert_int_equal(source_digest(source, cases[i].kind, -1, 2, digest, &length, NULL),
                         ERR_BUG);
    }
}

static void assert_changed(struct source *source, bool also_when_read)
{
    struct err err = ERR_INIT;
    assert_int_equal(source_check(source, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "was changed"));
    char bytes[3];
    if (also_when_read)
        assert_int_equal(source_read(source, 0, bytes, sizeof bytes, NULL), ERR_UNSUPPORTED);
}

static void a_file_that_is_written_to_fails(void **state)
{
    (void)state;
    CLEANUP(source_cleanup) struct source *source = opened("abc", 100);
    put(path, 1, "X");
    assert_changed(source, true);
}

static void a_file_that_grows_fails(void **state)
{
    (void)state;
    CLEANUP(source_cleanup) struct source *source = opened("abc", 100);
    put(path, 3, "d");
    assert_changed(source, true);
}

static void a_file_that_shrinks_fails(void **state)
{
    (void)state;
    CLEANUP(source_cleanup) struct source *source = opened("abc", 100);
    assert_int_equal(truncate(path, 1), 0);
    assert_changed(source, true);
}

static void write_without_a_trace(void)
{
    struct stat before;
    assert_int_equal(stat(path, &before), 0);
    put(path, 1, "X");
    const struct timespec times[2] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void a_write_within_one_tick_of_the_clock_is_seen_in_the_end(void **state)
{
    (void)state;
    CLEANUP(source_cleanup) struct source *source = opened("abc", 0);
    write_without_a_trace();
    assert_changed(source, false);
}

static void a_time_that_was_set_back_hides_nothing(void **state)
{
    (void)state;
    CLEANUP(source_cleanup) struct source *source = opened("abc", 100);
    write_without_a_trace();
    assert_changed(source, false);
}

static void names_and_rights_are_not_content(void **state)
{
    (void)state;
    CLEANUP(source_cleanup) struct source *source = opened("abc", 100);
    unlink(other);
    assert_int_equal(link(path, other), 0);
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(source_check(source, NULL), 0);
}

static void a_file_that_takes_over_the_name_is_not_sent(void **state)
{
    (void)state;
    CLEANUP(source_cleanup) struct source *source = opened("abc", 100);
    put(other, 0, "another one");
    assert_int_equal(rename(other, path), 0);
    char bytes[4] = "";
    assert_int_equal(source_read(source, 0, bytes, 3, NULL), 0);
    assert_string_equal(bytes, "abc");
    assert_int_equal(source_check(source, NULL), 0);
}

static void what_is_no_file_is_refused_and_does_not_block(void **state)
{
    (void)state;
    struct source *source = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(source_open(folder, &source, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "folder"));
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(source_open(path, &source, NULL), ERR_UNSUPPORTED);
    assert_int_equal(source_open("/dev/zero", &source, NULL), ERR_UNSUPPORTED);
    assert_int_equal(source_open("/proc/version", &source, NULL), ERR_UNSUPPORTED);
    unlink(path);
    assert_int_equal(source_open(path, &source, NULL), ERR_NOTFOUND);
    assert_int_equal(symlink(path, path), 0);
    assert_int_equal(source_open(path, &source, NULL), ERR_IO);
    assert_null(source);
}

static void a_link_leads_to_the_file(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    put(other, 0, "abc");
    assert_int_equal(symlink("other", path), 0);
    CLEANUP(source_cleanup) struct source *source = NULL;
    assert_int_equal(source_open(path, &source, NULL), 0);
    assert_string_equal(source_name(source), "report.tar");
    assert_int_equal(source_size(source), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_known_by_name_size_and_digest),
        cmocka_unit_test(an_empty_file_is_a_file),
        cmocka_unit_test(ranges_are_read_and_digested_exactly),
        cmocka_unit_test(a_file_that_is_written_to_fails),
        cmocka_unit_test(a_file_that_grows_fails),
        cmocka_unit_test(a_file_that_shrinks_fails),
        cmocka_unit_test(a_write_within_one_tick_of_the_clock_is_seen_in_the_end),
        cmocka_unit_test(a_time_that_was_set_back_hides_nothing),
        cmocka_unit_test(names_and_rights_are_not_content),
        cmocka_unit_test(a_file_that_takes_over_the_name_is_not_sent),
        cmocka_unit_test(what_is_no_file_is_refused_and_does_not_block),
        cmocka_unit_test(a_link_leads_to_the_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
