/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What calls of JSON-RPC make of answers, good and bad, however they are cut into pieces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/common/canned.h"

#define HEAD "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"

struct outcome {
    int code;
    json_t *result;
    struct rpc_refusal refusal;
    struct err err;
    char *asked;
};

static struct outcome call_in_steps(const char *answer, size_t step)
{
    struct canned canned = {answer, strlen(answer), step, STRBUF_INIT, 0}, *pointer = &canned;
    const struct limit limit = {.deadline_ms = io_now_ms() + 60000};
    struct rpc_way way = canned_way(&pointer);
    struct outcome outcome = {.code = 0};
    outcome.code = rpc_call(&way, "class.method", json_pack("[s, i]", "a \"b\"", 3), &limit,
                            &outcome.result, &outcome.refusal, &outcome.err);
    assert_int_equal(canned.connections, 1);
    outcome.asked = strbuf_take(&canned.asked);
    return outcome;
}

static void forget(struct outcome *outcome)
{
    json_decref(outcome->result);
    free(outcome->asked);
}

static void a_call_is_one_post_with_everything_in_it(void **state)
{
    (void)state;
    struct outcome outcome =
        call_in_steps(HEAD "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"x\"}", 1);
    const char *body = strstr(outcome.asked, "\r\n\r\n");
    assert_int_equal(outcome.code, 0);
    assert_string_equal(json_string_value(outcome.result), "x");
    assert_string_equal(outcome.refusal.code, "");
    assert_memory_equal(outcome.asked, "POST /jsonrpc HTTP/1.1\r\nHost: localhost\r\n", 41);
    assert_non_null(strstr(outcome.asked, "\r\nUser-Agent: test/"));
    assert_string_equal(body + 4, "{\"jsonrpc\":\"2.0\",\"method\":\"class.method\","
                                  "\"params\":[\"a \\\"b\\\"\",3],\"id\":1}");
    forget(&outcome);
}

static void an_answer_may_come_in_any_pieces(void **state)
{
    (void)state;
    static const char answer[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n"
                                 "8\r\n{\"result\r\n5\r\n\": {}\r\n1\r\n}\r\n0\r\n\r\n";
    for (size_t step = 1; step < sizeof answer; step++) {
        struct outcome outcome = call_in_steps(answer, step);
        assert_int_equal(outcome.code, 0);
        assert_true(json_is_object(outcome.result));
        forget(&outcome);
    }
}

static void an_error_of_xapi_is_told_by_its_name(void **state)
{
    (void)state;
    struct outcome outcome = call_in_steps(
        HEAD "{\"error\":{\"code\":1,\"message\":\"HOST_IS_SLAVE\",\"data\":[\"10.0.0.1\"]}}", 7);
    assert_int_equal(outcome.code, ERR_IO);
    assert_string_equal(outcome.refusal.code, "HOST_IS_SLAVE");
    assert_string_equal(outcome.refusal.detail, "10.0.0.1");
    assert_string_equal(outcome.err.text, "XAPI refuses class.method: HOST_IS_SLAVE");
    forget(&outcome);
}

static void a_wrong_password_is_not_allowed(void **state)
{
    (void)state;
    struct outcome outcome =
        call_in_steps(HEAD "{\"error\":{\"message\":\"SESSION_AUTHENTICATION_FAILED\"}}", 100);
    assert_int_equal(outcome.code, ERR_DENIED);
    assert_string_equal(outcome.refusal.detail, "");
    forget(&outcome);
}

static void an_error_cannot_write_to_the_terminal(void **state)
{
    (void)state;
    struct outcome outcome = call_in_steps(
        HEAD "{\"error\":{\"message\":\"A\\u001b[31mB\\nC\",\"data\":[\"\\u202eD\"]}}", 100);
    assert_string_equal(outcome.refusal.code, "A\\x1b[31mB\\x0aC");
    assert_null(strchr(outcome.err.text, '\x1b'));
    assert_int_equal((unsigned char)outcome.refusal.detail[0], '\\');
    forget(&outcome);
}

static void a_very_long_error_is_cut(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf answer = STRBUF_INIT;
    strbuf_adds(&answer, HEAD "{\"error\":{\"message\":\"");
    for (int i = 0; i < 100000; i++)
        strbuf_addc(&answer, 'x');
    strbuf_adds(&answer, "\"}}");
    struct outcome outcome = call_in_steps(answer.data, 4096);
    assert_int_equal(outcome.code, ERR_IO);
    assert_int_equal(strlen(outcome.refusal.code), sizeof outcome.refusal.code - 1);
    forget(&outcome);
}

static void what_is_no_answer_is_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        int code;
    } cases[] = {
        {"", ERR_IO},
        {"HTTP/1.1 200 OK\r\n", ERR_IO},
        {HEAD, ERR_PARSE},
        {HEAD "[]", ERR_PARSE},
        {HEAD "{}", ERR_PARSE},
        {HEAD "{\"error\":null}", ERR_PARSE},
        {HEAD "{\"result\":1,\"result\":2}", ERR_PARSE},
        {HEAD "{\"result\":1", ERR_PARSE},
        {HEAD "{\"result\":1}{", ERR_PARSE},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"result\":1}", ERR_IO},
        {"HTTP/1.1 500 Oops\r\n\r\n{\"result\":1}", ERR_IO},
        {"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n{\"result\":1}", ERR_IO},
        {"SSH-2.0-OpenSSH_9.2\r\n", ERR_PARSE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct outcome outcome = call_in_steps(cases[i].answer, 5);
        assert_int_equal(outcome.code, cases[i].code);
        assert_null(outcome.result);
        assert_int_not_equal(outcome.err.text[0], '\0');
        forget(&outcome);
    }
}

static void a_session_may_only_hold_what_a_header_may(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        int code;
    } cases[] = {
        {HEAD "{\"result\":\"OpaqueRef:1-2_3\"}", 0},
        {HEAD "{\"result\":\"\"}", ERR_PARSE},
        {HEAD "{\"result\":\"a b\"}", ERR_PARSE},
        {HEAD "{\"result\":\"a\\r\\nX: y\"}", ERR_PARSE},
        {HEAD "{\"result\":\"a;b\"}", ERR_PARSE},
        {HEAD "{\"result\":{\"session\":\"a\"}}", ERR_PARSE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct canned canned = {cases[i].answer, strlen(cases[i].answer), 9, STRBUF_INIT, 0};
        struct canned *pointer = &canned;
        const struct limit limit = {.deadline_ms = io_now_ms() + 60000};
        struct rpc_way way = canned_way(&pointer);
        char session[RPC_SESSION_BYTES] = "";
        struct rpc_refusal refusal;
        assert_int_equal(rpc_login(&way, "root", "", &limit, session, &refusal, NULL),
                         cases[i].code);
        assert_string_equal(session, cases[i].code == 0 ? "OpaqueRef:1-2_3" : "");
        strbuf_release(&canned.asked);
    }
}

static void time_that_is_up_is_said_so(void **state)
{
    (void)state;
    struct canned canned = {HEAD "{\"result\":1}", strlen(HEAD "{\"result\":1}"), 1, STRBUF_INIT,
                            0};
    struct canned *pointer = &canned;
    const struct limit limit = {.deadline_ms = io_now_ms() - 1};
    struct rpc_way way = canned_way(&pointer);
    json_t *result = NULL;
    assert_int_equal(rpc_call(&way, "a.b", json_array(), &limit, &result, NULL, NULL), ERR_TIMEOUT);
    assert_null(result);
    strbuf_release(&canned.asked);
}

static void an_interrupt_ends_a_call(void **state)
{
    (void)state;
    struct canned canned = {HEAD, strlen(HEAD), 1, STRBUF_INIT, 0}, *pointer = &canned;
    atomic_bool cancelled = true;
    const struct limit limit = {.deadline_ms = io_now_ms() + 60000, .cancelled = &cancelled};
    struct rpc_way way = canned_way(&pointer);
    json_t *result = NULL;
    assert_int_equal(rpc_call(&way, "a.b", json_array(), &limit, &result, NULL, NULL),
                     ERR_CANCELLED);
    strbuf_release(&canned.asked);
}

static void a_session_that_was_asked_for_is_heard_of_to_be_ended(void **state)
{
    (void)state;
    static const char answer[] = HEAD "{\"result\":\"OpaqueRef:1\"}";
    struct canned canned = {answer, strlen(answer), 9, STRBUF_INIT, 0}, *pointer = &canned;
    atomic_bool cancelled = true;
    const struct limit limit = {.deadline_ms = io_now_ms() + 60000, .cancelled = &cancelled};
    struct rpc_way way = canned_way(&pointer);
    char session[RPC_SESSION_BYTES] = "";
    assert_int_equal(rpc_login(&way, "root", "", &limit, session, NULL, NULL), 0);
    assert_string_equal(session, "OpaqueRef:1");
    strbuf_release(&canned.asked);
}

static void a_grace_begins_with_the_interrupt_and_ends(void **state)
{
    (void)state;
    atomic_bool cancelled = false;
    struct limit_grace grace = {.milliseconds = 60000};
    const struct limit limit = {
        .deadline_ms = io_now_ms() + 60000, .cancelled = &cancelled, .grace = &grace};
    assert_int_equal(limit_check(&limit, "", NULL), 0);
    assert_int_equal(grace.end_ms, 0);
    cancelled = true;
    assert_int_equal(limit_check(&limit, "", NULL), 0);
    assert_true(grace.end_ms >= limit.deadline_ms);
    grace.end_ms = io_now_ms();
    assert_int_equal(limit_check(&limit, "", NULL), ERR_CANCELLED);
}

static void a_socket_is_found_where_old_and_new_xapis_have_it(void **state)
{
    (void)state;
    char path[RPC_SOCKET_BYTES];
    assert_false(rpc_find_socket("/nonexistent", path));
    assert_string_equal(path, "/nonexistent/var/lib/xcp/xapi");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_one_post_with_everything_in_it),
        cmocka_unit_test(an_answer_may_come_in_any_pieces),
        cmocka_unit_test(an_error_of_xapi_is_told_by_its_name),
        cmocka_unit_test(a_wrong_password_is_not_allowed),
        cmocka_unit_test(an_error_cannot_write_to_the_terminal),
        cmocka_unit_test(a_very_long_error_is_cut),
        cmocka_unit_test(what_is_no_answer_is_an_error),
        cmocka_unit_test(a_session_may_only_hold_what_a_header_may),
        cmocka_unit_test(time_that_is_up_is_said_so),
        cmocka_unit_test(an_interrupt_ends_a_call),
        cmocka_unit_test(a_session_that_was_asked_for_is_heard_of_to_be_ended),
        cmocka_unit_test(a_grace_begins_with_the_interrupt_and_ends),
        cmocka_unit_test(a_socket_is_found_where_old_and_new_xapis_have_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
