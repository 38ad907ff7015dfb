/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is taken in of an answer, and what a status means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "upload/net/answer.h"

struct reading {
    struct net_answer answer;
    struct answer_reader reader;
};

static struct net_header header(const char *name, const char *value)
{
    return (struct net_header){(char *)name, (char *)value};
}

static void start(struct reading *reading)
{
    *reading =
        (struct reading){.answer = {.body = STRBUF_INIT_MAX(NET_MAX_ANSWER), .retry_after_s = -1}};
    reading->reader.answer = &reading->answer;
}

static bool line(struct reading *reading, const char *text)
{
    return answer_line(&reading->reader, text, strlen(text));
}

/* All lines; false when one of them is refused. */
static bool read_head(struct reading *reading, const char *const *lines)
{
    start(reading);
    for (; *lines; lines++)
        if (!line(reading, *lines))
            return false;
    return true;
}

static void headers_are_found_without_case_and_trimmed(void **state)
{
    (void)state;
    struct reading r;
    assert_true(
        read_head(&r, (const char *[]){"HTTP/1.1 204 No Content\r\n", "Upload-Offset: \t42 \r\n",
                                       "X:\r\n", "\r\n", NULL}));
    assert_int_equal(r.answer.status, 204);
    assert_string_equal(net_header(&r.answer, "upload-OFFSET"), "42");
    assert_string_equal(net_header(&r.answer, "x"), "");
    assert_null(net_header(&r.answer, "Upload-Length"));
    assert_int_equal(net_header_number(&r.answer, "Upload-Offset"), 42);
    assert_int_equal(r.answer.retry_after_s, -1);
    net_answer_release(&r.answer);
}

static void only_the_last_head_counts_and_no_trailer(void **state)
{
    (void)state;
    struct reading r;
    assert_true(read_head(&r, (const char *[]){"HTTP/1.1 100 Continue\r\n", "Upload-Offset: 1\r\n",
                                               "\r\n", "HTTP/1.1 200 OK\r\n", "A: 2\r\n", "\r\n",
                                               "Upload-Offset: 3\r\n", NULL}));
    assert_int_equal(r.answer.status, 200);
    assert_true(r.reader.continued);
    assert_null(net_header(&r.answer, "Upload-Offset"));
    assert_string_equal(net_header(&r.answer, "A"), "2");
    net_answer_release(&r.answer);
}

static void a_head_that_breaks_the_rules_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "HTTP/1.1\r\n",       "HTTP/1.1 20\r\n", "HTTP/1.1 2000\r\n", "HTTP/1.1 abc\r\n",
        "HTTP/1.1 099 x\r\n", "no colon\r\n",    ": no name\r\n",     "a b: c\r\n",
        "a : b\r\n",          " folded: x\r\n",  "\tfolded\r\n",      "A: b\x01\r\n",
        "A: \x1b[2J\r\n",     "A: b\rc: d\r\n",  "A: \x7f\r\n",       "\xc3\xa4: b\r\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct reading r;
        assert_true(read_head(&r, (const char *[]){"HTTP/1.1 200 OK\r\n", NULL}));
        if (line(&r, bad[i]))
            fail_msg("case %zu was taken", i);
        assert_int_equal(r.reader.err.code, ERR_PARSE);
        net_answer_release(&r.answer);
    }
    struct reading r;
    start(&r);
    assert_false(answer_line(&r.reader, "A: b\0c\r\n", 8));
    start(&r);
    assert_false(line(&r, "A: b\r\n"));
    assert_false(line(&r, "\r\n"));
}

static void a_head_has_an_end(void **state)
{
    (void)state;
    struct reading r;
    assert_true(read_head(&r, (const char *[]){"HTTP/1.1 200 OK\r\n", NULL}));
    int taken = 0;
    while (taken < 2 * NET_MAX_HEADERS && line(&r, "A: b\r\n"))
        taken++;
    assert_int_equal(taken, NET_MAX_HEADERS);
    net_answer_release(&r.answer);
    start(&r);
    size_t bytes = 0;
    while (bytes < 2 * NET_MAX_HEAD && line(&r, "HTTP/1.1 100 Continue\r\n") && line(&r, "\r\n"))
        bytes += 25;
    assert_true(bytes <= NET_MAX_HEAD);
    assert_int_equal(r.reader.err.code, ERR_PARSE);
    net_answer_release(&r.answer);
}

static void a_body_has_an_end(void **state)
{
    (void)state;
    static char piece[NET_MAX_ANSWER];
    struct reading r;
    assert_true(read_head(&r, (const char *[]){"HTTP/1.1 200 OK\r\n", "\r\n", NULL}));
    assert_true(answer_body(&r.reader, piece, sizeof piece));
    assert_int_equal(r.answer.body.length, NET_MAX_ANSWER);
    assert_false(answer_body(&r.reader, piece, 1));
    assert_int_equal(r.reader.err.code, ERR_PARSE);
    net_answer_release(&r.answer);
    /* A page about an error may be long: its beginning will do. */
    assert_true(read_head(&r, (const char *[]){"HTTP/1.1 503 Busy\r\n", "\r\n", NULL}));
    assert_true(answer_body(&r.reader, piece, sizeof piece));
    assert_false(answer_body(&r.reader, piece, 1));
    assert_int_equal(r.reader.err.code, ERR_OK);
    assert_true(r.reader.cut);
    net_answer_release(&r.answer);
}

static void an_answer_is_whole_when_its_length_has_come(void **state)
{
    (void)state;
    struct reading r;
    assert_true(
        read_head(&r, (const char *[]){"HTTP/1.1 201 C\r\n", "Content-Length: 2\r\n", NULL}));
    assert_false(answer_is_whole(&r.reader));
    assert_true(line(&r, "\r\n"));
    assert_false(answer_is_whole(&r.reader));
    assert_true(answer_body(&r.reader, "ab", 2));
    assert_true(answer_is_whole(&r.reader));
    net_answer_release(&r.answer);
    assert_true(read_head(&r, (const char *[]){"HTTP/1.1 200 OK\r\n", "\r\n", NULL}));
    assert_false(answer_is_whole(&r.reader)); /* nobody knows where it ends */
    net_answer_release(&r.answer);
    assert_true(read_head(&r, (const char *[]){"HTTP/1.1 204 No\r\n", "\r\n", NULL}));
    assert_true(answer_is_whole(&r.reader));
    net_answer_release(&r.answer);
}

static void numbers_are_whole_and_agree(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int64_t number;
    } cases[] = {{"0", 0},    {"007", 7},  {"9223372036854775807", INT64_MAX},
                 {"-1", -1},  {"+1", -1},  {"", -1},
                 {"1.5", -1}, {"1 2", -1}, {"0x10", -1},
                 {"1,1", -1}, {"1e3", -1}, {"9223372036854775808", -1},
                 {"abc", -1}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct net_answer answer = {.headers = {header("N", cases[i].value)}, .count = 1};
        if (net_header_number(&answer, "n") != cases[i].number)
            fail_msg("%s", cases[i].value);
    }
    struct net_answer answer = {.headers = {header("N", "5"), header("n", "5"), header("N", "6")},
                                .count = 2};
    assert_int_equal(net_header_number(&answer, "N"), 5);
    answer.count = 3;
    assert_int_equal(net_header_number(&answer, "N"), -1);
}

static void retry_after_is_seconds_or_a_date_and_at_most_a_day(void **state)
{
    (void)state;
    const time_t now = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct {
        const char *value;
        int64_t seconds;
    } cases[] = {
        {"0", 0},
        {"120", 120},
        {"86400", 86400},
        {"86401", 86400},
        {"99999999999999999999999", 86400},
        {"-1", -1},
        {"1.5", -1},
        {"soon", -1},
        {"", -1},
        {"10 s", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
        {"Sun, 06 Nov 1994 08:50:37 GMT", 60},
        {"Sun, 06 Nov 1994 08:48:37 GMT", 0},
        {"Sunday, 06-Nov-94 08:50:37 GMT", 60},
        {"Mon, 06 Nov 2094 08:49:37 GMT", 86400},
        {"Mon, 99 Nov 1994 99:99:99 GMT", -1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t seconds = answer_retry_after(cases[i].value, now);
        if (seconds != cases[i].seconds)
            fail_msg("'%s' gave %lld", cases[i].value, (long long)seconds);
    }
    struct reading r;
    assert_true(read_head(
        &r, (const char *[]){"HTTP/1.1 429 Slow\r\n", "retry-after: 7\r\n", "\r\n", NULL}));
    assert_int_equal(r.answer.retry_after_s, 7);
    net_answer_release(&r.answer);
}

static void a_status_means_one_thing(void **state)
{
    (void)state;
    static const struct {
        int status, code;
    } cases[] = {
        {200, 0},
        {201, 0},
        {204, 0},
        {299, 0},
        {100, ERR_UNSUPPORTED},
        {101, ERR_UNSUPPORTED},
        {301, ERR_UNSUPPORTED},
        {302, ERR_UNSUPPORTED},
        {304, ERR_UNSUPPORTED},
        {307, ERR_UNSUPPORTED},
        {308, ERR_UNSUPPORTED},
        {400, ERR_UNSUPPORTED},
        {401, ERR_DENIED},
        {402, ERR_UNSUPPORTED},
        {403, ERR_DENIED},
        {404, ERR_NOTFOUND},
        {405, ERR_UNSUPPORTED},
        {407, ERR_DENIED},
        {408, ERR_AGAIN},
        {409, ERR_EXISTS},
        {410, ERR_NOTFOUND},
        {411, ERR_UNSUPPORTED},
        {412, ERR_EXISTS},
        {413, ERR_LIMIT},
        {415, ERR_UNSUPPORTED},
        {418, ERR_UNSUPPORTED},
        {421, ERR_UNSUPPORTED},
        {422, ERR_UNSUPPORTED},
        {425, ERR_AGAIN},
        {426, ERR_UNSUPPORTED},
        {428, ERR_UNSUPPORTED},
        {429, ERR_AGAIN},
        {431, ERR_UNSUPPORTED},
        {451, ERR_UNSUPPORTED},
        {500, ERR_AGAIN},
        {501, ERR_UNSUPPORTED},
        {502, ERR_AGAIN},
        {503, ERR_AGAIN},
        {504, ERR_AGAIN},
        {505, ERR_UNSUPPORTED},
        {507, ERR_AGAIN},
        {511, ERR_AGAIN},
        {599, ERR_AGAIN},
        {600, ERR_UNSUPPORTED},
        {999, ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_INIT;
        struct net_answer answer = {.status = cases[i].status};
        if (net_judge(&answer, "doing it", &err) != cases[i].code)
            fail_msg("%d: %s", cases[i].status, err.text);
        char number[8];
        snprintf(number, sizeof number, "%d", cases[i].status);
        if (cases[i].code != 0) {
            assert_memory_equal(err.text, "doing it: ", 10);
            assert_non_null(strstr(err.text, number));
        }
    }
}

static void a_redirect_is_told_by_its_host_only(void **state)
{
    (void)state;
    struct net_answer answer = {
        .status = 307,
        .headers = {header("Location", "https://other.example:8443/secret?sig=secret#secret")},
        .count = 1};
    struct err err = ERR_INIT;
    assert_int_equal(net_judge(&answer, "x", &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "'other.example'"));
    assert_null(strstr(err.text, "secret"));
    answer.headers[0] = header("Location", "/relative-secret");
    err = (struct err)ERR_INIT;
    assert_int_equal(net_judge(&answer, "x", &err), ERR_UNSUPPORTED);
    assert_null(strstr(err.text, "secret"));
    answer.headers[0] = header("Location", "https://user:secret@other.example/");
    err = (struct err)ERR_INIT;
    assert_int_equal(net_judge(&answer, "x", &err), ERR_UNSUPPORTED);
    assert_null(strstr(err.text, "secret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_found_without_case_and_trimmed),
        cmocka_unit_test(only_the_last_head_counts_and_no_trailer),
        cmocka_unit_test(a_head_that_breaks_the_rules_is_refused),
        cmocka_unit_test(a_head_has_an_end),
        cmocka_unit_test(a_body_has_an_end),
        cmocka_unit_test(an_answer_is_whole_when_its_length_has_come),
        cmocka_unit_test(numbers_are_whole_and_agree),
        cmocka_unit_test(retry_after_is_seconds_or_a_date_and_at_most_a_day),
        cmocka_unit_test(a_status_means_one_thing),
        cmocka_unit_test(a_redirect_is_told_by_its_host_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
