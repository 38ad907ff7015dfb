/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XAPI lets a supporter's root log in over the local socket on some releases, and refuses it with
 * HOST_IS_SLAVE on others; both are looked at. Which host we are is asked of XAPI (the session
 * knows), not read from a file that may be another host's.
 */
#include "healthcheck/xapi/xapi.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/escape.h"
#include "common/io.h"
#include "common/rpc/rpc.h"

#define PATIENCE_MS     60000 /* a busy XAPI answers within seconds */
#define GOODBYE_MS      5000
#define MAX_HOSTS       1024 /* a pool has 64 at most */
#define REFERENCE_BYTES 128

/* XAPI's own file: where it is, XAPI belongs here, running or not. */
static const char installed[] = "/etc/xensource/pool.conf";

struct xapi {
    char socket[RPC_SOCKET_BYTES];
    char session[RPC_SESSION_BYTES];
    char pool[REFERENCE_BYTES];
    char program[32];
    int64_t patience_ms;
    const atomic_bool *cancelled;
};

static int connect_local(const void *context, const struct limit *limit, struct stream **ret,
                         struct err *err)
{
    const struct xapi *xapi = context;
    return stream_open_local(xapi->socket, limit, ret, err);
}

static struct rpc_way way_of(const struct xapi *xapi)
{
    return (struct rpc_way){
        .program = xapi->program, .host = "localhost", .connect = connect_local, .context = xapi};
}

static struct limit patience(const struct xapi *xapi, int64_t milliseconds)
{
    return (struct limit){.deadline_ms = io_now_ms() + milliseconds, .cancelled = xapi->cancelled};
}

static int log_in(struct xapi *xapi, struct rpc_refusal *ret_refusal, struct err *err)
{
    struct rpc_way way = way_of(xapi);
    struct limit limit = patience(xapi, xapi->patience_ms);
    return rpc_login(&way, "root", "", &limit, xapi->session, ret_refusal, err);
}

static int call_once(struct xapi *xapi, const char *method, json_t *parameters, json_t **ret,
                     struct rpc_refusal *ret_refusal, struct err *err)
{
    struct rpc_way way = way_of(xapi);
    struct limit limit = patience(xapi, xapi->patience_ms);
    json_t *all = json_array();
    if (json_array_append_new(all, json_string(xapi->session)) < 0 ||
        json_array_extend(all, parameters) < 0) {
        json_decref(all);
        return err_nomem(err);
    }
    return rpc_call(&way, method, all, &limit, ret, ret_refusal, err);
}

int xapi_call(struct xapi *xapi, const char *method, json_t *parameters, json_t **ret,
              char ret_code[64], struct err *err)
{
    json_auto_t *rest = parameters;
    struct rpc_refusal refusal = {.code = ""};
    struct err first = ERR_INIT;
    if (!rest)
        return err_nomem(err);
    int r = call_once(xapi, method, rest, ret, &refusal, &first);
    if (r < 0 && strcmp(refusal.code, "SESSION_INVALID") == 0) {
        err_clear(&first);
        r = log_in(xapi, &refusal, &first);
        if (r == 0)
            r = call_once(xapi, method, rest, ret, &refusal, &first);
    }
    if (ret_code)
        snprintf(ret_code, sizeof refusal.code, "%s", refusal.code);
    return err_pass(err, r, &first);
}

/* As much as fits, without a character cut in two. */
static void take_text(const json_t *value, char *ret, size_t size)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    size_t length = json_string_length(value);
    if (length)
        escape_terminal(&text, json_string_value(value), length < size ? length : size, false);
    size_t used = 0;
    for (unsigned step, point; used < text.length; used += step) {
        step = escape_utf8_length(text.data + used, text.length - used, &point);
        if (step == 0 || used + step >= size)
            break;
    }
    memcpy(ret, text.data, used);
    ret[used] = '\0';
}

static void take_field(const json_t *record, const char *key, char *ret, size_t size)
{
    take_text(json_object_get(record, key), ret, size);
}

static bool is_reference(const char *text)
{
    return text && *text && strlen(text) < REFERENCE_BYTES;
}

/* {"OpaqueRef:...": {"master": "OpaqueRef:...", ...}}: there is one pool. */
static int take_pool(struct xapi *xapi, const json_t *pools, struct xapi_facts *facts,
                     const char **ret_coordinator, struct err *err)
{
    const char *reference = json_object_iter_key(json_object_iter((json_t *)pools));
    const json_t *record = json_object_get(pools, reference ? reference : "");
    const char *coordinator = json_string_value(json_object_get(record, "master"));
    if (json_object_size(pools) != 1 || !is_reference(reference) || !is_reference(coordinator))
        return err_set(err, ERR_PARSE, "XAPI does not tell which pool it is in");
    snprintf(xapi->pool, sizeof xapi->pool, "%s", reference);
    take_field(record, "uuid", facts->pool_uuid, sizeof facts->pool_uuid);
    take_field(record, "name_label", facts->pool_name, sizeof facts->pool_name);
    *ret_coordinator = coordinator;
    return 0;
}

static int take_hosts(const json_t *hosts, const char *own, const char *coordinator,
                      struct xapi_facts *facts, struct err *err)
{
    const json_t *record = json_object_get(hosts, own);
    facts->hosts = json_object_size(hosts);
    if (facts->hosts > MAX_HOSTS || !record)
        return err_set(err, ERR_PARSE, "XAPI does not know this host among its %zu", facts->hosts);
    take_field(record, "uuid", facts->host_uuid, sizeof facts->host_uuid);
    take_field(record, "name_label", facts->host_name, sizeof facts->host_name);
    take_field(json_object_get(hosts, coordinator), "name_label", facts->coordinator,
               sizeof facts->coordinator);
    return 0;
}

static int look_around(struct xapi *xapi, enum xapi_role *ret_role, struct xapi_facts *facts,
                       struct err *err)
{
    json_auto_t *pools = NULL, *own = NULL, *hosts = NULL;
    const char *coordinator = NULL;
    int r = xapi_call(xapi, "pool.get_all_records", json_array(), &pools, NULL, err);
    if (r == 0)
        r = take_pool(xapi, pools, facts, &coordinator, err);
    if (r == 0)
        r = xapi_call(xapi, "session.get_this_host", json_pack("[s]", xapi->session), &own, NULL,
                      err);
    const char *reference = json_string_value(own);
    if (r == 0 && !is_reference(reference))
        r = err_set(err, ERR_PARSE, "XAPI does not tell which host this is");
    if (r == 0)
        r = xapi_call(xapi, "host.get_all_records", json_array(), &hosts, NULL, err);
    if (r == 0)
        r = take_hosts(hosts, reference, coordinator, facts, err);
    if (r == 0)
        *ret_role = strcmp(reference, coordinator) == 0 ? XAPI_COORDINATOR : XAPI_SUPPORTER;
    return r;
}

static int enter(struct xapi *xapi, enum xapi_role *ret_role, struct xapi_facts *facts,
                 struct err *err)
{
    struct rpc_refusal refusal = {.code = ""};
    struct err first = ERR_INIT;
    int r = log_in(xapi, &refusal, &first);
    if (r < 0 && strcmp(refusal.code, "HOST_IS_SLAVE") == 0) {
        snprintf(facts->coordinator, sizeof facts->coordinator, "%s", refusal.detail);
        *ret_role = XAPI_SUPPORTER;
        return 0;
    }
    if (r == 0)
        r = look_around(xapi, ret_role, facts, &first);
    return err_pass(err, r, &first);
}

static bool is_installed(const char *root)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s", strcmp(root, "/") == 0 ? "" : root, installed);
    return access(path, F_OK) == 0;
}

static int open_at(struct xapi *xapi, const struct xapi_options *options, enum xapi_role *ret_role,
                   struct xapi_facts *facts, struct err *err)
{
    if (!rpc_find_socket(options->root, xapi->socket)) {
        if (is_installed(options->root))
            return err_set(err, ERR_NOTFOUND,
                           "XAPI does not run: there is no socket '%s'; start it (systemctl start "
                           "xapi) and try again",
                           xapi->socket);
        *ret_role = XAPI_ABSENT;
        return 0;
    }
    int r = enter(xapi, ret_role, facts, err);
    if (r != ERR_CANCELLED)
        err_prefix(err, r, "XAPI of this host does not answer as it should");
    return r;
}

int xapi_open(const struct xapi_options *options, enum xapi_role *ret_role, struct xapi **ret,
              struct xapi_facts *ret_facts, struct err *err)
{
    CLEANUP(xapi_cleanup) struct xapi *xapi = calloc(1, sizeof *xapi);
    struct xapi_facts facts = {.hosts = 0};
    enum xapi_role role = XAPI_ABSENT;
    if (!xapi)
        return err_nomem(err);
    rpc_guard_memory();
    snprintf(xapi->program, sizeof xapi->program, "%s", options->program);
    xapi->patience_ms = options->patience_ms > 0 ? options->patience_ms : PATIENCE_MS;
    xapi->cancelled = options->cancelled;
    int r = open_at(xapi, options, &role, &facts, err);
    if (r < 0)
        return r;
    *ret_role = role;
    *ret = role == XAPI_COORDINATOR ? TAKE(xapi) : NULL;
    if (ret_facts)
        *ret_facts = facts;
    return 0;
}

void xapi_finish(struct xapi *xapi)
{
    xapi->cancelled = NULL;
}

void *xapi_close(struct xapi *xapi)
{
    if (!xapi)
        return NULL;
    /* Even a cancelled program says goodbye: sessions are few, and XAPI keeps them for a day. */
    struct limit last = {.deadline_ms = io_now_ms() + GOODBYE_MS};
    struct rpc_way way = way_of(xapi);
    rpc_logout(&way, xapi->session, &last);
    free(xapi);
    return NULL;
}

const char *xapi_pool_reference(const struct xapi *xapi)
{
    return xapi->pool;
}
