/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The cache of compiled patterns: gives back what was stored, and nothing that somebody else could
 * have written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "analyzer/match/pattern_cache.h"

static const char *const expressions[] = {"Out of memory", "link is down"};
static const unsigned flags[] = {HS_FLAG_MULTILINE, HS_FLAG_MULTILINE}, numbers[] = {0, 1};
static const struct pattern_list patterns = {expressions, flags, numbers, 2};

struct fixture {
    char directory[64], file[200];
    hs_database_t *database;
};

/* A stored database, and the path of its file. */
static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.directory = "/tmp/test-pattern-cache-XXXXXX"};
    *state = &fixture;
    hs_compile_error_t *refused = NULL;
    if (!mkdtemp(fixture.directory) ||
        hs_compile_multi(expressions, flags, numbers, 2, HS_MODE_BLOCK, NULL, &fixture.database,
                         &refused) != HS_SUCCESS)
        return -1;
    pattern_cache_store(fixture.directory, &patterns, fixture.database);
    DIR *folder = opendir(fixture.directory);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            snprintf(fixture.file, sizeof fixture.file, "%s/%s", fixture.directory, entry->d_name);
    closedir(folder);
    return fixture.file[0] ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    hs_free_database(f->database);
    unlink(f->file);
    return rmdir(f->directory);
}

static bool loads(const struct fixture *f, const struct pattern_list *list)
{
    hs_database_t *database = pattern_cache_load(f->directory, list);
    bool found = database != NULL;
    hs_free_database(database);
    return found;
}

static void what_was_stored_comes_back(void **state)
{
    assert_true(loads(*state, &patterns));
}

static void other_patterns_are_not_there(void **state)
{
    static const unsigned other_flags[] = {HS_FLAG_MULTILINE, HS_FLAG_MULTILINE | HS_FLAG_CASELESS};
    const struct pattern_list fewer = {expressions, flags, numbers, 1};
    const struct pattern_list others = {expressions, other_flags, numbers, 2};
    assert_false(loads(*state, &fewer));
    assert_false(loads(*state, &others));
}

static void a_file_or_folder_that_others_can_write_is_not_read(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(chmod(f->file, 0622), 0);
    assert_false(loads(f, &patterns));
    assert_int_equal(chmod(f->file, 0600), 0);
    assert_int_equal(chmod(f->directory, 0777), 0);
    assert_false(loads(f, &patterns));
}

static void a_link_is_not_followed(void **state)
{
    struct fixture *f = *state;
    char target[220];
    snprintf(target, sizeof target, "%s.elsewhere", f->file);
    assert_int_equal(rename(f->file, target), 0);
    assert_int_equal(symlink(target, f->file), 0);
    assert_false(loads(f, &patterns));
    unlink(target);
}

static void a_damaged_file_is_no_database(void **state)
{
    struct fixture *f = *state;
    int fd = open(f->file, O_WRONLY);
    assert_int_equal(pwrite(fd, "damage", 6, 200), 6);
    assert_false(loads(f, &patterns));
    assert_int_equal(ftruncate(fd, 100), 0);
    assert_false(loads(f, &patterns));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_stored_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(other_patterns_are_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_or_folder_that_others_can_write_is_not_read, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_link_is_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_no_database, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
