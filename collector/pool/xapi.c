/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A pool's coordinator is found by asking any of its hosts; whose answers count is trust's matter.
 */
#include "collector/pool/xapi.h"

#include "collector/pool/tls.h"
#include "common/io.h"
#include "common/rpc/rpc.h"

static int connect_way(const void *context, const struct limit *limit, struct stream **ret,
                       struct err *err)
{
    return xapi_connect(context, limit, ret, err);
}

static struct rpc_way way_of(const struct xapi *xapi)
{
    return (struct rpc_way){.program = XAPI_PROGRAM,
                            .host = xapi->socket[0] ? "localhost" : xapi->endpoint.host,
                            .connect = connect_way,
                            .context = xapi};
}

int xapi_connect(const struct xapi *xapi, const struct limit *limit, struct stream **ret,
                 struct err *err)
{
    if (xapi->socket[0])
        return stream_open_local(xapi->socket, limit, ret, err);
    return tls_open(&xapi->endpoint, xapi->trust, xapi->spawner, limit, ret, err);
}

static int call(const struct xapi *xapi, const char *method, json_t *parameters,
                const struct limit *limit, json_t **ret, struct err *err)
{
    struct rpc_way way = way_of(xapi);
    return rpc_call(&way, method, parameters, limit, ret, NULL, err);
}

static int log_in(struct xapi *xapi, const struct credentials *credentials,
                  const struct limit *limit, struct rpc_refusal *ret_refusal, struct err *err)
{
    struct rpc_way way = way_of(xapi);
    return rpc_login(&way, credentials ? credentials->user : "root",
                     credentials ? credentials->password : "", limit, xapi->session, ret_refusal,
                     err);
}

int xapi_login(struct xapi *xapi, const struct credentials *credentials, const struct limit *limit,
               struct err *err)
{
    struct err first = ERR_INIT;
    struct rpc_refusal refusal;
    int r = log_in(xapi, credentials, limit, &refusal, &first);
    if (r < 0 && !xapi->socket[0] && strcmp(refusal.code, "HOST_IS_SLAVE") == 0) {
        err_clear(&first);
        r = endpoint_parse(refusal.detail, &xapi->endpoint, &first);
        if (r == 0)
            r = log_in(xapi, credentials, limit, NULL, &first);
    }
    return err_pass(err, r, &first);
}

void xapi_logout(struct xapi *xapi, const struct limit *limit)
{
    struct rpc_way way = way_of(xapi);
    rpc_logout(&way, xapi->session, limit);
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
    int r = call(xapi, "pool.get_all_records", json_pack("[s]", xapi->session), limit, &pools, err);
    if (r == 0)
        r = call(xapi, "host.get_all_records", json_pack("[s]", xapi->session), limit, &hosts, err);
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
             &certificates, &ignored) < 0)
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
                 json_pack("[s, s]", xapi->session, host->reference), limit, &result, err);
    if (r < 0)
        return r;
    char *copy = json_is_string(result) ? strdup(json_string_value(result)) : NULL;
    if (!copy)
        return err_set(err, ERR_PARSE, "XAPI gives no capabilities");
    *ret = copy;
    return 0;
}
