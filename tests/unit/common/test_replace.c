/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Files that are the old or the new one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/io.h"
#include "common/replace.h"

static char folder[64], path[96], temporary[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_replace.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(temporary, sizeof temporary, "%s/.file.new", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    unlink(temporary);
    return rmdir(folder);
}

static void content_is(const char *wanted)
{
    struct strbuf text = STRBUF_INIT;
    assert_int_equal(io_read_file(AT_FDCWD, path, 100, &text, NULL), 0);
    assert_string_equal(text.data, wanted);
    strbuf_release(&text);
}

static void a_file_is_made_and_replaced_with_its_mode(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(replace_path(path, "one", 3, 0600, NULL), 0);
    content_is("one");
    assert_int_equal(replace_path(path, "", 0, 0644, NULL), 0);
    content_is("");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0644);
    assert_int_equal(access(temporary, F_OK), -1);
}

static void what_a_killed_writer_left_is_no_obstacle_and_not_followed(void **state)
{
    (void)state;
    char victim[96];
    snprintf(victim, sizeof victim, "%s/victim", folder);
    assert_int_equal(symlink(victim, temporary), 0);
    assert_int_equal(replace_path(path, "new", 3, 0600, NULL), 0);
    content_is("new");
    assert_int_equal(access(victim, F_OK), -1);
}

static void the_old_one_stays_when_there_is_no_way(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(replace_path(path, "old", 3, 0600, NULL), 0);
    assert_int_equal(mkdir(temporary, 0700), 0); /* in the way, and cannot be unlinked */
    assert_true(replace_path(path, "new", 3, 0600, &err) < 0);
    assert_non_null(strstr(err.text, "file"));
    content_is("old");
    assert_int_equal(rmdir(temporary), 0);
}

static void only_a_file_is_replaced_by_one(void **state)
{
    (void)state;
    char victim[96];
    struct stat status;
    struct err err = ERR_INIT;
    snprintf(victim, sizeof victim, "%s/victim", folder);
    assert_int_equal(mkfifo(path, 0600), 0); /* stands for /dev/null: root could rename over it */
    assert_int_equal(replace_check(path, NULL), ERR_UNSUPPORTED);
    assert_int_equal(replace_path(path, "new", 3, 0600, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(victim, path), 0); /* and this for /dev/stdout */
    assert_int_equal(replace_path(path, "new", 3, 0600, NULL), ERR_UNSUPPORTED);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(access(victim, F_OK), -1);
}

static void what_cannot_be_written_can_be_known_before(void **state)
{
    (void)state;
    char below[96];
    snprintf(below, sizeof below, "%s/", folder);
    assert_int_equal(replace_check(path, NULL), 0);
    assert_int_equal(replace_path(path, "one", 3, 0600, NULL), 0);
    assert_int_equal(replace_check(path, NULL), 0);
    assert_int_equal(replace_check(folder, NULL), ERR_UNSUPPORTED);
    assert_int_equal(replace_check(below, NULL), ERR_UNSUPPORTED);
    assert_int_equal(replace_check("/no/such/folder/x", NULL), ERR_UNSUPPORTED);
    content_is("one");
}

static void names_that_are_too_long_and_folders_that_are_not_there_are_errors(void **state)
{
    (void)state;
    char name[300];
    struct err err = ERR_INIT;
    memset(name, 'a', sizeof name);
    name[255] = '\0';
    assert_int_equal(replace_file(AT_FDCWD, ".", name, "", 0, 0600, NULL), ERR_LIMIT);
    assert_int_equal(replace_path("/no/such/folder/x", "", 0, 0600, &err), ERR_NOTFOUND);
    assert_non_null(strstr(err.text, "/no/such/folder"));
}

static void removing_what_is_not_there_is_no_error(void **state)
{
    (void)state;
    CLEANUP_FD int dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(dirfd >= 0);
    assert_int_equal(replace_path(path, "x", 1, 0600, NULL), 0);
    assert_int_equal(replace_remove(dirfd, folder, "file", NULL), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(replace_remove(dirfd, folder, "file", NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_made_and_replaced_with_its_mode),
        TEST(what_a_killed_writer_left_is_no_obstacle_and_not_followed),
        TEST(the_old_one_stays_when_there_is_no_way),
        TEST(only_a_file_is_replaced_by_one),
        TEST(what_cannot_be_written_can_be_known_before),
        TEST(names_that_are_too_long_and_folders_that_are_not_there_are_errors),
        TEST(removing_what_is_not_there_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
