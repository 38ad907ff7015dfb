/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Digits of digests and escapes, and the paths of URLs that are made of the latter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/hex.h"
#include "common/percent.h"

static void bytes_become_two_small_digits_each(void **state)
{
    (void)state;
    char text[9] = "????????";
    hex_write("\x00\x0f\xf0\xab", 4, text);
    assert_string_equal(text, "000ff0ab");
    hex_write("", 0, text);
    assert_string_equal(text, "");
}

static void digits_are_those_of_sixteen_and_no_others(void **state)
{
    (void)state;
    static const char digits[] = "0123456789abcdefABCDEF";
    for (int c = -128; c < 128; c++) {
        const char *digit = c ? strchr(digits, c) : NULL;
        int value = digit ? (int)(digit - digits) : -1;
        assert_int_equal(hex_value((char)c), value > 15 ? value - 6 : value);
    }
}

static void what_is_escaped_is_read_back(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf all = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf escaped = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf back = STRBUF_INIT;
    for (int c = 0; c < 256; c++)
        strbuf_addc(&all, (char)c);
    percent_encode(&escaped, all.data, all.length, true);
    assert_null(strpbrk(escaped.data, " ?#+&=\"<>\\"));
    assert_non_null(strchr(escaped.data, '/'));
    assert_int_equal(percent_decode(escaped.data, &back, NULL), 0);
    assert_int_equal(back.length, all.length);
    assert_memory_equal(back.data, all.data, all.length);
}

static void a_sign_without_two_digits_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"%", "a%4", "%4", "%zz", "%4z/", "%%41"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
        assert_int_equal(percent_decode(texts[i], &out, NULL), ERR_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_two_small_digits_each),
        cmocka_unit_test(digits_are_those_of_sixteen_and_no_others),
        cmocka_unit_test(what_is_escaped_is_read_back),
        cmocka_unit_test(a_sign_without_two_digits_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
