/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One request over HTTP.
 */
#include "upload/net/net.h"

#include "upload/net/authorize.h"
#include "upload/net/session.h"

#define EXPECT_BYTES (1 << 20)

static size_t take_line(char *line, size_t size, size_t count, void *user)
{
    return answer_line(user, line, size * count) ? size * count : 0;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *user)
{
    return answer_body(user, bytes, size * count) ? size * count : 0;
}

/* Has a body even when that is empty: a server may want to be told so ("Content-Length: 0"). */
static bool wants_body(const char *method)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH"};
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

static int set_request(struct net *net, const struct net_request *request,
                       struct exchange *exchange, struct err *err)
{
    bool good = true;
    if (wants_body(request->method) || exchange->length > 0) {
        int r = session_send_body(net, exchange, err);
        if (r < 0)
            return r;
    } else if (strcmp(request->method, "HEAD") == 0) {
        SESSION_SET(net, CURLOPT_NOBODY, 1L, good);
    } else {
        SESSION_SET(net, CURLOPT_HTTPGET, 1L, good);
    }
    SESSION_SET(net, CURLOPT_CUSTOMREQUEST, request->method, good);
    SESSION_SET(net, CURLOPT_HEADERFUNCTION, take_line, good);
    SESSION_SET(net, CURLOPT_HEADERDATA, exchange->reader, good);
    SESSION_SET(net, CURLOPT_WRITEFUNCTION, take_body, good);
    SESSION_SET(net, CURLOPT_WRITEDATA, exchange->reader, good);
    return good ? 0 : err_nomem(err);
}

/*
 * "Expect: 100-continue" lets a server refuse before the bytes are sent, and costs a second with a
 * server that does not know it. So it is for large bodies only, and not for such a server again.
 */
static bool wants_word(const struct net *net, const struct exchange *exchange)
{
    return exchange->length > EXPECT_BYTES && !net->never_continues;
}

/* "417 Expectation Failed": the question is what it does not like. */
static bool dislikes_question(struct net *net, const struct exchange *exchange)
{
    bool dislikes = wants_word(net, exchange) && exchange->reader->answer->status == 417;
    net->never_continues = net->never_continues || dislikes;
    return dislikes;
}

static void learn(struct net *net, const struct exchange *exchange)
{
    const struct answer_reader *reader = exchange->reader;
    int status = reader->answer->status;
    if (wants_word(net, exchange) && !reader->continued && status >= 200 && status <= 299)
        net->never_continues = true;
}

/* The list must stay as long as the request is under way. */
static int ask_with_headers(struct net *net, const struct net_request *request,
                            struct exchange *exchange, struct err *err)
{
    struct url url;
    struct curl_slist *headers = NULL;
    int r = url_parse(request->url, &url, err);
    if (r < 0)
        return r;
    r = authorize_headers(net, request, &url, wants_word(net, exchange), &headers, err);
    url_release(&url);
    if (r == 0 && curl_easy_setopt(net->easy, CURLOPT_HTTPHEADER, headers) != CURLE_OK)
        r = err_nomem(err);
    if (r == 0)
        r = session_run(net, exchange, err);
    if (r == 0)
        learn(net, exchange);
    curl_easy_setopt(net->easy, CURLOPT_HTTPHEADER, NULL);
    authorize_forget(&headers);
    return r;
}

static int ask_once(struct net *net, const struct net_request *request, struct net_answer *answer,
                    bool *ret_again, struct err *err)
{
    *answer = (struct net_answer){
        .body = STRBUF_INIT_MAX(NET_MAX_ANSWER),
        .retry_after_s = -1,
    };
    struct answer_reader reader = {.answer = answer};
    struct exchange exchange = {
        .source = request->source,
        .body = request->body,
        .offset = request->source ? request->offset : 0,
        .length = request->source ? request->length : (int64_t)request->body_length,
        .progress = request->progress,
        .context = request->context,
        .reader = &reader,
        .ends_early = request->ends_early,
    };
    int r = session_begin(net, &exchange, request->url, false, err);
    if (r == 0)
        r = set_request(net, request, &exchange, err);
    if (r == 0)
        r = ask_with_headers(net, request, &exchange, err);
    *ret_again = dislikes_question(net, &exchange);
    return r;
}

int net_ask(struct net *net, const struct net_request *request, struct net_answer *answer,
            struct err *err)
{
    struct err first = ERR_INIT;
    bool again;
    int r = ask_once(net, request, answer, &again, &first);
    if (again) {
        net_answer_release(answer);
        return ask_once(net, request, answer, &again, err);
    }
    return err_pass(err, r, &first);
}
