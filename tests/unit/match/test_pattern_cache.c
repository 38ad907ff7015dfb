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

static const char *const expressions[] = {"Out of memory", "link is down", "slow"};
static unsigned both[] = {0, 1}, slow[] = {2};
static const struct pattern_subset subsets[] = {{both, 2}, {slow, 1}};
static const struct pattern_plan plan = {expressions, 3, subsets, 2};
static const unsigned char kinds[] = {0, 1, 2};

struct fixture {
    char directory[64], file[200];
    hs_database_t *databases[2]; /* none for the slow one */
};

/* What was stored, and the path of its file. */
static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.directory = "/tmp/test-pattern-cache-XXXXXX"};
    *state = &fixture;
    hs_compile_error_t *refused = NULL;
    if (!mkdtemp(fixture.directory) ||
        hs_compile_multi(expressions, NULL, both, 2, HS_MODE_BLOCK, NULL, &fixture.databases[0],
                         &refused) != HS_SUCCESS)
        return -1;
    pattern_cache_store(fixture.directory, &plan, kinds, fixture.databases);
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
    hs_free_database(f->databases[0]);
    unlink(f->file);
    return rmdir(f->directory);
}

static bool loads(const struct fixture *f, const struct pattern_plan *wanted)
{
    hs_database_t *databases[2] = {NULL, NULL};
    unsigned char found_kinds[3] = {9, 9, 9};
    bool found = pattern_cache_load(f->directory, wanted, found_kinds, databases);
    assert_true(found == (databases[0] != NULL));
    assert_null(databases[1]);
    assert_int_equal(found_kinds[0], found ? 0 : 9);
    assert_int_equal(found_kinds[2], found ? 2 : 9);
    hs_free_database(databases[0]);
    return found;
}

static void what_was_stored_comes_back(void **state)
{
    assert_true(loads(*state, &plan));
}

static void other_patterns_are_not_there(void **state)
{
    static const char *const other_expressions[] = {"Out of memory", "link is down", "fast"};
    static unsigned first[] = {0}, rest[] = {1, 2};
    static const struct pattern_subset split[] = {{first, 1}, {rest, 2}};
    const struct pattern_plan fewer = {expressions, 3, subsets, 1};
    const struct pattern_plan others = {other_expressions, 3, subsets, 2};
    const struct pattern_plan other_sets = {expressions, 3, split, 2};
    assert_false(loads(*state, &other_sets));
    assert_false(loads(*state, &fewer));
    assert_false(loads(*state, &others));
}

static void a_file_or_folder_that_others_can_write_is_not_read(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(chmod(f->file, 0622), 0);
    assert_false(loads(f, &plan));
    assert_int_equal(chmod(f->file, 0600), 0);
    assert_int_equal(chmod(f->directory, 0777), 0);
    assert_false(loads(f, &plan));
}

static void a_link_is_not_followed(void **state)
{
    struct fixture *f = *state;
    char target[220];
    snprintf(target, sizeof target, "%s.elsewhere", f->file);
    assert_int_equal(rename(f->file, target), 0);
    assert_int_equal(symlink(target, f->file), 0);
    assert_false(loads(f, &plan));
    unlink(target);
}

static void a_damaged_file_is_no_database(void **state)
{
    struct fixture *f = *state;
    int fd = open(f->file, O_WRONLY);
    assert_int_equal(pwrite(fd, "damage", 6, 200), 6);
    assert_false(loads(f, &plan));
    assert_int_equal(ftruncate(fd, 100), 0);
    assert_false(loads(f, &plan));
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
