/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Errors as values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <errno.h>
#include <cmocka.h>

#include "common/err.h"

static void the_first_error_wins(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(err_set(&err, ERR_PARSE, "first %d", 1), ERR_PARSE);
    assert_int_equal(err_set(&err, ERR_LIMIT, "second"), ERR_LIMIT);
    assert_int_equal(err.code, ERR_PARSE);
    assert_string_equal(err.text, "first 1");
}

static void nobody_has_to_care(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_LIMIT, "x"), ERR_LIMIT);
    assert_int_equal(err_set_errno(NULL, ENOENT, "x"), ERR_NOTFOUND);
    assert_int_equal(err_set_at(NULL, ERR_PARSE, "f", 1, 2, "x"), ERR_PARSE);
    assert_int_equal(err_prefix(NULL, ERR_AGAIN, "x"), ERR_AGAIN);
    assert_int_equal(err_nomem(NULL), ERR_NOMEM);
    err_clear(NULL);
}

static void errno_becomes_a_code_and_a_reason(void **state)
{
    (void)state;
    static const struct {
        int sysno, code;
    } cases[] = {{ENOENT, ERR_NOTFOUND}, {EACCES, ERR_DENIED}, {EPERM, ERR_DENIED},
                 {ENOMEM, ERR_NOMEM},    {EIO, ERR_IO},        {ENOSPC, ERR_IO}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_INIT;
        assert_int_equal(err_set_errno(&err, cases[i].sysno, "cannot open '%s'", "x"),
                         cases[i].code);
        assert_int_equal(err.sysno, cases[i].sysno);
        assert_non_null(strstr(err.text, strerror(cases[i].sysno)));
        assert_ptr_equal(strstr(err.text, "cannot open 'x': "), err.text);
    }
}

static void a_message_shows_the_place_as_far_as_it_is_known(void **state)
{
    (void)state;
    static const struct {
        int line, column;
        const char *message;
    } cases[] = {{3, 7, "f.yaml:3:7: bad"}, {3, 0, "f.yaml:3: bad"}, {0, 0, "f.yaml: bad"}};
    char buffer[1024];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_INIT;
        err_set_at(&err, ERR_PARSE, "f.yaml", cases[i].line, cases[i].column, "bad");
        assert_string_equal(err_message(&err, buffer, sizeof buffer), cases[i].message);
    }
    struct err plain = ERR_INIT;
    err_set(&plain, ERR_IO, "bad");
    assert_string_equal(err_message(&plain, buffer, sizeof buffer), "bad");
}

static void context_comes_in_front(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(err_prefix(&err, ERR_OK, "nothing happened"), ERR_OK);
    assert_int_equal(err_prefix(&err, ERR_IO, "nothing was recorded"), ERR_IO);
    assert_string_equal(err.text, "");
    err_set(&err, ERR_IO, "disk full");
    assert_int_equal(err_prefix(&err, ERR_IO, "report '%s'", "a.zip"), ERR_IO);
    assert_string_equal(err.text, "report 'a.zip': disk full");
    assert_int_equal(err_prefix(&err, ERR_OK, "all was well"), ERR_OK);
    assert_string_equal(err.text, "report 'a.zip': disk full");
}

static void long_texts_are_cut_and_long_places_keep_their_end(void **state)
{
    (void)state;
    char path[1000], text[2000];
    memset(path, 'p', sizeof path);
    memset(text, 't', sizeof text);
    memcpy(path + sizeof path - 6, "e.yml", 6);
    text[sizeof text - 1] = '\0';
    struct err err = ERR_INIT;
    err_set_at(&err, ERR_PARSE, path, 1, 1, "%s", text);
    assert_int_equal(strlen(err.where), sizeof err.where - 1);
    assert_string_equal(err.where + strlen(err.where) - 5, "e.yml");
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    err_prefix(&err, ERR_PARSE, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void a_cleared_error_can_be_set_again(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    err_set_at(&err, ERR_PARSE, "f", 1, 1, "x");
    err_clear(&err);
    assert_int_equal(err.code, ERR_OK);
    assert_string_equal(err.where, "");
    err_nomem(&err);
    assert_int_equal(err.code, ERR_NOMEM);
}

static void what_another_holds_is_passed_on_whole_once_and_as_the_code_that_it_became(void **state)
{
    (void)state;
    struct err err = ERR_INIT, from = ERR_INIT;
    assert_int_equal(err_pass(&err, 0, &from), 0);
    err_set_at(&from, ERR_IO, "f", 3, 4, "broken");
    assert_int_equal(err_pass(&err, 0, &from), 0);
    assert_int_equal(err.code, ERR_OK);
    assert_int_equal(err_pass(NULL, ERR_IO, &from), ERR_IO);
    assert_int_equal(err_pass(&err, ERR_AGAIN, &from), ERR_AGAIN);
    assert_int_equal(err.code, ERR_AGAIN);
    assert_string_equal(err.text, "broken");
    assert_int_equal(err.line, 3);
    err_clear(&from);
    err_set(&from, ERR_LIMIT, "later");
    assert_int_equal(err_pass(&err, ERR_LIMIT, &from), ERR_LIMIT);
    assert_string_equal(err.text, "broken");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_error_wins),
        cmocka_unit_test(nobody_has_to_care),
        cmocka_unit_test(errno_becomes_a_code_and_a_reason),
        cmocka_unit_test(a_message_shows_the_place_as_far_as_it_is_known),
        cmocka_unit_test(context_comes_in_front),
        cmocka_unit_test(long_texts_are_cut_and_long_places_keep_their_end),
        cmocka_unit_test(a_cleared_error_can_be_set_again),
        cmocka_unit_test(what_another_holds_is_passed_on_whole_once_and_as_the_code_that_it_became),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
