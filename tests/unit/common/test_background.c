/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Work in the background: it is done once, and its error arrives, with a thread and without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/background.h"

static int count(void *context, struct err *err)
{
    (void)err;
    ++*(int *)context;
    return 0;
}

static int fail_work(void *context, struct err *err)
{
    (void)context;
    return err_set_at(err, ERR_PARSE, "a.yaml", 3, 4, "no good");
}

static void work_is_done_once(void **state)
{
    (void)state;
    for (int apart = 0; apart < 2; apart++) {
        struct background background;
        struct err err = ERR_INIT;
        int done = 0;
        background_begin(&background, apart, count, &done);
        assert_int_equal(background_end(&background, &err), 0);
        assert_int_equal(done, 1);
        assert_int_equal(err.code, ERR_OK);
    }
}

static void an_error_is_passed_on_unless_there_is_one_already(void **state)
{
    (void)state;
    for (int apart = 0; apart < 2; apart++) {
        struct background background;
        struct err err = ERR_INIT;
        background_begin(&background, apart, fail_work, NULL);
        assert_int_equal(background_end(&background, &err), ERR_PARSE);
        assert_string_equal(err.where, "a.yaml");
        assert_int_equal(err.line, 3);

        struct err first = ERR_INIT;
        background_begin(&background, apart, fail_work, NULL);
        err_set(&first, ERR_LIMIT, "something else");
        background_end(&background, &first);
        assert_int_equal(first.code, ERR_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_is_done_once),
        cmocka_unit_test(an_error_is_passed_on_unless_there_is_one_already),
    };
    return cmocka_run_group_tests_name("background", tests, NULL, NULL);
}
