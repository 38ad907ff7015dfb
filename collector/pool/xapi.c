/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One call is one connection: calls are few, and a connection that a sick XAPI keeps half open is
 * nobody's trouble but that call's.
 *
 * What XAPI says is checked like anybody's: a session goes into a header later, so it may hold
 * nothing but letters, digits and what separates them.
 */
#include "collector/pool/xapi.h"

#include <jansson.h>
#include <malloc.h>

#include "collector/pool/http.h"
#include "common/escape.h"
#include "common/io.h"

#define MAX_ANSWER ((size_t)32 << 20) /* host.get_all_records of 64 hosts is about 1 MB */
#define MAX_REASON 200                /* bytes of an error that a person is shown */
#define ORIGINATOR "xen-bugtool"
#define VERSION    "1.0" /* of the API, as clients say it */

static void wipe_free(void *memory)
{
    if (memory)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

void xapi_guard_memory(void)
{
    json_set_alloc_funcs(malloc, wipe_free);
}

int xapi_connect(const struct xapi *xapi, const struct limit *limit, struct stream **ret,
                 struct err *err)
{
    if (xapi->socket[0])
        return stream_open_local(xapi->socket, limit, ret, err);
    return stream_open_tls(&xapi->endpoint, xapi->trust, xapi->spawner, limit, ret, err);
}

static int post(const struct xapi *xapi, char *body, const struct limit *limit,
                struct strbuf *answer, struct err *err)
{
    struct stream *stream = NULL;
    CLEANUP_FREE struct http_answer *http = malloc(sizeof *http);
    struct http_request request = {.method = "POST",
                                   .target = "/jsonrpc",
                                   .host = xapi->socket[0] ? "localhost" : xapi->endpoint.host,
                                   .body = body,
                                   .body_length = strlen(body)};
    int r = http ? xapi_connect(xapi, limit, &stream, err) : err_nomem(err);
    if (r == 0)
        r = http_ask(stream, &request, http, err);
    if (r == 0 && http->status != 200)
        r = err_set(err, ERR_IO, "XAPI answers with HTTP status %d", http->status);
    if (r == 0)
        r = http_read_all(http, MAX_ANSWER, answer, err);
    stream_free(stream);
    if (http)
        explicit_bzero(http, sizeof *http);
    return r;
}

/* "HOST_OFFLINE, OpaqueRef:..." with nothing in it that could harm a terminal. */
static int api_error(json_t *error, const char *method, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    const char *message = json_string_value(json_object_get(error, "message"));
    message = message ? message : "no reason";
    size_t length = strlen(message);
    escape_terminal(&text, message, length < MAX_REASON ? length : MAX_REASON, false);
    bool denied = strcmp(message, "SESSION_AUTHENTICATION_FAILED") == 0 ||
                  strcmp(message, "RBAC_PERMISSION_DENIED") == 0;
    return err_set(err, denied ? ERR_DENIED : ERR_IO, "XAPI refuses %s: %s", method, text.data);
}

/*
 * Takes over `parameters`. On success *ret is the result, to be released. When XAPI answered with
 * an error and ret_error is given, that is handed over too.
 */
static int call(const struct xapi *xapi, const char *method, json_t *parameters,
                const struct limit *limit, json_t **ret, json_t **ret_error, struct err *err)
{
    json_auto_t *request = json_pack("{s:s, s:s, s:o, s:i}", "jsonrpc", "2.0", "method", method,
                                     "params", parameters, "id", 1);
    char *body = request ? json_dumps(request, JSON_COMPACT) : NULL;
    if (!body)
        return err_nomem(err);
    struct strbuf text = STRBUF_INIT;
    int r = post(xapi, body, limit, &text, err);
    wipe_free(body);
    json_auto_t *answer =
        r == 0 ? json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (text.length)
        explicit_bzero(text.data, text.length);
    strbuf_release(&text);
    if (r < 0)
        return r;
    json_t *result = json_object_get(answer, "result"), *error = json_object_get(answer, "error");
    if (json_is_object(error)) {
        if (ret_error)
            *ret_error = json_incref(error);
        return api_error(error, method, err);
    }
    if (!result)
        return err_set(err, ERR_PARSE, "XAPI's answer to %s is no JSON-RPC", method);
    *ret = json_incref(result);
    return 0;
}

static bool take_session(struct xapi *xapi, json_t *result)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_-";
    const char *session = json_string_value(result);
    if (!session || !*session || strlen(session) >= sizeof xapi->session ||
        session[strspn(session, allowed)] != '\0')
        return false;
    snprintf(xapi->session, sizeof xapi->session, "%s", session);
    return true;
}

/* {"message": "HOST_IS_SLAVE", "data": ["address of the coordinator"]} */
static const char *coordinator_in(json_t *error)
{
    const char *message = json_string_value(json_object_get(error, "message"));
    json_t *data = json_object_get(error, "data");
    return message && strcmp(message, "HOST_IS_SLAVE") == 0
               ? json_string_value(json_array_get(data, 0))
               : NULL;
}

int xapi_login(struct xapi *xapi, const struct credentials *credentials, const struct limit *limit,
               struct err *err)
{
    struct err first = ERR_INIT;
    json_auto_t *result = NULL, *error = NULL;
    const char *user = credentials ? credentials->user : "root";
    const char *password = credentials ? credentials->password : "";
    int r = call(xapi, "session.login_with_password",
                 json_pack("[s, s, s, s]", user, password, VERSION, ORIGINATOR), limit, &result,
                 &error, &first);
    const char *coordinator = r < 0 && !xapi->socket[0] ? coordinator_in(error) : NULL;
    if (coordinator) {
        err_clear(&first);
        r = endpoint_parse(coordinator, &xapi->endpoint, &first);
        if (r == 0)
            r = call(xapi, "session.login_with_password",
                     json_pack("[s, s, s, s]", user, password, VERSION, ORIGINATOR), limit, &result,
                     NULL, &first);
    }
    if (r == 0 && !take_session(xapi, result))
        r = err_set(&first, ERR_PARSE, "XAPI gives no session");
    if (r < 0 && err)
        *err = first;
    return r;
}

void xapi_logout(struct xapi *xapi, const struct limit *limit)
{
    struct err ignored = ERR_INIT;
    json_auto_t *result = NULL;
    if (xapi->session[0])
        call(xapi, "session.logout", json_pack("[s]", xapi->session), limit, &result, NULL,
             &ignored);
    explicit_bzero(xapi->session, sizeof xapi->session);
}

static char *text_of(json_t *record, const char *key)
{
    const char *value = json_string_value(json_object_get(record, key));
    return strdup(value ? value : "");
}

/* {"OpaqueRef:...": {"name_label": ..., "master": ...}}; there is one pool. */
static int take_pool(json_t *pools, struct xapi_pool *pool, const char **ret_coordinator,
                     struct err *err)
{
    const char *reference;
    json_t *record;
    json_object_foreach(pools, reference, record)
    {
        pool->name = text_of(record, "name_label");
        pool->uuid = text_of(record, "uuid");
        *ret_coordinator = json_string_value(json_object_get(record, "master"));
        return pool->name && pool->uuid ? 0 : err_nomem(err);
    }
    return err_set(err, ERR_PARSE, "XAPI knows no pool");
}

static int by_role_and_name(const void *left, const void *right)
{
    const struct xapi_host *a = left, *b = right;
    if (a->is_coordinator != b->is_coordinator)
        return a->is_coordinator ? -1 : 1;
    int order = strcmp(a->name, b->name);
    return order ? order : strcmp(a->uuid, b->uuid);
}

static int take_hosts(json_t *hosts, const char *coordinator, struct xapi_pool *pool,
                      struct err *err)
{
    const char *reference;
    json_t *record;
    size_t count = json_object_size(hosts);
    if (count == 0 || count > XAPI_MAX_HOSTS)
        return err_set(err, ERR_PARSE, "XAPI names %zu hosts", count);
    pool->hosts = calloc(count, sizeof *pool->hosts);
    if (!pool->hosts)
        return err_nomem(err);
    json_object_foreach(hosts, reference, record)
    {
        struct xapi_host *host = &pool->hosts[pool->count++];
        *host = (struct xapi_host){
            .reference = strdup(reference),
            .uuid = text_of(record, "uuid"),
            .name = text_of(record, "name_label"),
            .address = text_of(record, "address"),
            .is_coordinator = coordinator && strcmp(coordinator, reference) == 0,
        };
        if (!host->reference || !host->uuid || !host->name || !host->address)
            return err_nomem(err);
    }
    qsort(pool->hosts, pool->count, sizeof *pool->hosts, by_role_and_name);
    return 0;
}

int xapi_get_pool(const struct xapi *xapi, const struct limit *limit, struct xapi_pool *ret,
                  struct err *err)
{
    struct xapi_pool pool = {.count = 0};
    json_auto_t *pools = NULL, *hosts = NULL;
    const char *coordinator = NULL;
    int r = call(xapi, "pool.get_all_records", json_pack("[s]", xapi->session), limit, &pools, NULL,
                 err);
    if (r == 0)
        r = call(xapi, "host.get_all_records", json_pack("[s]", xapi->session), limit, &hosts, NULL,
                 err);
    if (r == 0)
        r = take_pool(pools, &pool, &coordinator, err);
    if (r == 0)
        r = take_hosts(hosts, coordinator, &pool, err);
    if (r < 0)
        xapi_pool_release(&pool);
    else
        *ret = pool;
    return r;
}

void xapi_learn_certificates(const struct xapi *xapi, const struct limit *limit,
                             struct trust *trust)
{
    struct err ignored = ERR_INIT;
    json_auto_t *certificates = NULL;
    const char *reference;
    json_t *record;
    if (call(xapi, "Certificate.get_all_records", json_pack("[s]", xapi->session), limit,
             &certificates, NULL, &ignored) < 0)
        return;
    json_object_foreach(certificates, reference, record)
    {
        const char *type = json_string_value(json_object_get(record, "type"));
        const char *fingerprint = json_string_value(json_object_get(record, "fingerprint"));
        bool is_authority = type && strcmp(type, "ca") == 0;
        if (fingerprint && !is_authority)
            trust_add_fingerprint(trust, fingerprint, &ignored);
    }
}

void xapi_pool_release(struct xapi_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        free(pool->hosts[i].reference);
        free(pool->hosts[i].uuid);
        free(pool->hosts[i].name);
        free(pool->hosts[i].address);
    }
    free(pool->hosts);
    free(pool->name);
    free(pool->uuid);
    *pool = (struct xapi_pool){.count = 0};
}

int xapi_get_capabilities(const struct xapi *xapi, const struct xapi_host *host,
                          const struct limit *limit, char **ret, struct err *err)
{
    json_auto_t *result = NULL;
    int r = call(xapi, "host.get_system_status_capabilities",
                 json_pack("[s, s]", xapi->session, host->reference), limit, &result, NULL, err);
    if (r < 0)
        return r;
    char *copy = json_is_string(result) ? strdup(json_string_value(result)) : NULL;
    if (!copy)
        return err_set(err, ERR_PARSE, "XAPI gives no capabilities");
    *ret = copy;
    return 0;
}
