/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Numbers as programs print them become the numbers they mean; what is none becomes NULL.
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "analyzer/tables/convert.h"

static const struct {
    enum column_type type;
    const char *text;
    bool minus;
    const char *value; /* NULL: no number */
} cases[] = {
    {COLUMN_TEXT, "  a b \t\r\n", false, "a b"},
    {COLUMN_TEXT, "", false, ""},
    {COLUMN_VERSION, " 8.2.1 ", false, "8.2.1"},

    {COLUMN_INTEGER, "609292 kB", false, "609292"},
    {COLUMN_INTEGER, "48%", false, "48"},
    {COLUMN_INTEGER, "-18", false, "-18"},
    {COLUMN_INTEGER, "+5", true, "-5"},
    {COLUMN_INTEGER, "-0", false, "0"},
    {COLUMN_INTEGER, "0x49", false, "73"},
    {COLUMN_INTEGER, "0x", false, "0"},
    {COLUMN_INTEGER, "1,000,204,886", false, "1000204886"},
    {COLUMN_INTEGER, "11.842", false, "11842"},
    {COLUMN_INTEGER, "34.5", false, "34"},
    {COLUMN_INTEGER, "1,0000", false, "1"},
    {COLUMN_INTEGER, "007", false, "7"},
    {COLUMN_INTEGER, "18446744073709551615", false, "9223372036854775807"},
    {COLUMN_INTEGER, "99999999999999999999999", false, "9223372036854775807"},
    {COLUMN_INTEGER, "-", false, NULL},
    {COLUMN_INTEGER, "", false, NULL},
    {COLUMN_INTEGER, "Unknown!", false, NULL},
    {COLUMN_INTEGER, "1111111111222222222233333333334444444444555555555566666666667777777777",
     false, NULL},

    {COLUMN_REAL, "12.5", false, "12.5"},
    {COLUMN_REAL, "128,11g", false, "128.11"},
    {COLUMN_REAL, "-0.000006747 seconds", false, "-0.000006747"},
    {COLUMN_REAL, "0.5", true, "-0.5"},
    {COLUMN_REAL, "1e-3", false, "1e-3"},
    {COLUMN_REAL, "1E+3x", false, "1e3"},
    {COLUMN_REAL, "1e", false, "1"},
    {COLUMN_REAL, "1.", false, "1"},
    {COLUMN_REAL, "1.2.3", false, "1.2"},
    {COLUMN_REAL, ".5", false, NULL},
    {COLUMN_REAL, "nan", false, NULL},

    {COLUMN_BYTES, "4096", false, "4096"},
    {COLUMN_BYTES, "16384 MB", false, "17179869184"},
    {COLUMN_BYTES, "32 GB", false, "34359738368"},
    {COLUMN_BYTES, "<1.50t", false, "1649267441664"},
    {COLUMN_BYTES, "1,50t", false, "1649267441664"},
    {COLUMN_BYTES, "64 kB", false, "65536"},
    {COLUMN_BYTES, "0 ", false, "0"},
    {COLUMN_BYTES, "4,00m", false, "4194304"},
    {COLUMN_BYTES, "No Module Installed", false, NULL},
    {COLUMN_BYTES, "5 apples", false, NULL},
};

static void numbers_are_read_as_they_are_meant(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char buffer[CONVERT_NUMBER_MAX];
        struct cell cell = {.text = "untouched"};
        /* A copy without a NUL: the value ends where its length says. */
        size_t length = strlen(cases[i].text);
        char *text = malloc(length + 1);
        assert_non_null(text);
        memcpy(text, cases[i].text, length);
        text[length] = '9';
        convert_value(cases[i].type, text, length, cases[i].minus, buffer, &cell);
        const char *wanted = cases[i].value;
        if (!wanted != !cell.text || (wanted && (strlen(wanted) != cell.length ||
                                                 memcmp(wanted, cell.text, cell.length) != 0)))
            fail_msg("'%s' as type %d is %.*s, expected %s", cases[i].text, (int)cases[i].type,
                     cell.text ? (int)cell.length : 4, cell.text ? cell.text : "NULL",
                     wanted ? wanted : "NULL");
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_read_as_they_are_meant)};
    return cmocka_run_group_tests_name("table values", tests, NULL, NULL);
}
