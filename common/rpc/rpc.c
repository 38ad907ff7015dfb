/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One call is one connection: calls are few, and a connection that a sick XAPI keeps half open is
 * nobody's trouble but that call's.
 *
 * What XAPI says is checked like anybody's: a session goes into a header later, so it may hold
 * nothing but letters, digits and what separates them.
 */
#include "common/rpc/rpc.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/escape.h"
#include "common/io.h"
#include "common/rpc/http.h"
#include "common/secret.h"

#define MAX_ANSWER   ((size_t)32 << 20) /* host.get_all_records of 64 hosts is about 1 MB */
#define USUAL_ANSWER ((size_t)16 << 10) /* of calls about secrets and sessions */
#define MAX_REASON   200                /* bytes of an error that a person is shown */
#define VERSION      "1.0"              /* of the API, as clients say it */

/* XAPI answers a login in milliseconds, and systemd waits for 10 s or more. */
#define LOGIN_GRACE_MS 3000

/* Where XAPI's local socket is: today, and before 2013. */
static const char *const sockets[] = {"/var/lib/xcp/xapi", "/var/xapi/xapi"};

void rpc_guard_memory(void)
{
    json_set_alloc_funcs(malloc, secret_free);
}

bool rpc_find_socket(const char *root, char ret[RPC_SOCKET_BYTES])
{
    char path[PATH_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
        snprintf(path, sizeof path, "%s%s", strcmp(root, "/") == 0 ? "" : root, sockets[i]);
        bool exists = access(path, F_OK) == 0;
        if (i == 0 || exists)
            snprintf(ret, RPC_SOCKET_BYTES, "%.*s", RPC_SOCKET_BYTES - 1, path);
        if (exists)
            return true;
    }
    return false;
}

/* `grace`: how long an answer is still waited for when somebody cancels, or NULL. */
static int post(const struct rpc_way *way, const char *body, const struct limit *limit,
                struct limit_grace *grace, struct strbuf *answer, struct err *err)
{
    struct stream *stream = NULL;
    CLEANUP_FREE struct http_answer *http = malloc(sizeof *http);
    const struct http_request request = {.method = "POST",
                                         .target = "/jsonrpc",
                                         .host = way->host,
                                         .program = way->program,
                                         .body = body,
                                         .body_length = strlen(body)};
    int r = http ? way->connect(way->context, limit, &stream, err) : err_nomem(err);
    if (r == 0) {
        stream->limit.grace = grace;
        r = http_ask(stream, &request, http, err);
    }
    if (r == 0 && http->status != 200)
        r = err_set(err, ERR_IO, "XAPI answers with HTTP status %d", http->status);
    if (r == 0)
        r = http_read_all(http, MAX_ANSWER, answer, err);
    stream_free(stream);
    if (http)
        secret_forget(http, sizeof *http);
    return r;
}

/* Nothing in it may harm a terminal. */
static void take_text(json_t *value, char *ret, size_t size)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    size_t length = json_string_length(value);
    if (length)
        escape_terminal(&text, json_string_value(value), length < MAX_REASON ? length : MAX_REASON,
                        false);
    snprintf(ret, size, "%s", text.data);
}

/* {"message": "HOST_OFFLINE", "data": ["OpaqueRef:..."]} */
static int take_refusal(json_t *error, const char *method, struct rpc_refusal *ret, struct err *err)
{
    struct rpc_refusal refusal;
    take_text(json_object_get(error, "message"), refusal.code, sizeof refusal.code);
    take_text(json_array_get(json_object_get(error, "data"), 0), refusal.detail,
              sizeof refusal.detail);
    bool denied = strcmp(refusal.code, "SESSION_AUTHENTICATION_FAILED") == 0 ||
                  strcmp(refusal.code, "RBAC_PERMISSION_DENIED") == 0;
    if (ret)
        *ret = refusal;
    return err_set(err, denied ? ERR_DENIED : ERR_IO, "XAPI refuses %s: %s", method,
                   refusal.code[0] ? refusal.code : "no reason");
}

static int call(const struct rpc_way *way, const char *method, json_t *parameters,
                const struct limit *limit, struct limit_grace *grace, json_t **ret,
                struct rpc_refusal *ret_refusal, struct err *err)
{
    json_auto_t *request = json_pack("{s:s, s:s, s:o, s:i}", "jsonrpc", "2.0", "method", method,
                                     "params", parameters, "id", 1);
    char *body = request ? json_dumps(request, JSON_COMPACT) : NULL;
    struct strbuf text = STRBUF_INIT;
    if (ret_refusal)
        *ret_refusal = (struct rpc_refusal){.code = ""};
    if (!body)
        return err_nomem(err);
    strbuf_reserve(&text, USUAL_ANSWER); /* it may hold a secret: growing would leave copies */
    int r = post(way, body, limit, grace, &text, err);
    secret_free(body);
    json_auto_t *answer =
        r == 0 ? json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL) : NULL;
    secret_release(&text);
    if (r < 0)
        return r;
    json_t *result = json_object_get(answer, "result"), *error = json_object_get(answer, "error");
    if (json_is_object(error))
        return take_refusal(error, method, ret_refusal, err);
    if (!result)
        return err_set(err, ERR_PARSE, "XAPI's answer to %s is no JSON-RPC", method);
    *ret = json_incref(result);
    return 0;
}

int rpc_call(const struct rpc_way *way, const char *method, json_t *parameters,
             const struct limit *limit, json_t **ret, struct rpc_refusal *ret_refusal,
             struct err *err)
{
    return call(way, method, parameters, limit, NULL, ret, ret_refusal, err);
}

static bool take_session(json_t *result, char session[RPC_SESSION_BYTES])
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_-";
    const char *text = json_string_value(result);
    if (!text || !*text || strlen(text) >= RPC_SESSION_BYTES || text[strspn(text, allowed)] != '\0')
        return false;
    snprintf(session, RPC_SESSION_BYTES, "%s", text);
    return true;
}

int rpc_login(const struct rpc_way *way, const char *user, const char *password,
              const struct limit *limit, char ret_session[RPC_SESSION_BYTES],
              struct rpc_refusal *ret_refusal, struct err *err)
{
    json_auto_t *result = NULL;
    /* A session whose name nobody heard stays open for a day. */
    struct limit_grace grace = {.milliseconds = LOGIN_GRACE_MS};
    int r = call(way, "session.login_with_password",
                 json_pack("[s, s, s, s]", user, password, VERSION, way->program), limit, &grace,
                 &result, ret_refusal, err);
    if (r == 0 && !take_session(result, ret_session))
        r = err_set(err, ERR_PARSE, "XAPI gives no session");
    return r;
}

void rpc_logout(const struct rpc_way *way, char session[RPC_SESSION_BYTES],
                const struct limit *limit)
{
    struct err ignored = ERR_INIT;
    json_auto_t *result = NULL;
    if (session[0])
        rpc_call(way, "session.logout", json_pack("[s]", session), limit, &result, NULL, &ignored);
    secret_forget(session, RPC_SESSION_BYTES);
}
