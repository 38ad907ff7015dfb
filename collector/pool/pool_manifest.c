/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The list of coordinators is the form that XenCenter writes, with its line ends, because other
 * readers know it. The manifest is ours: in XenCenter's bundles a host that did not answer is just
 * missing.
 */
#include "collector/pool/pool_manifest.h"

#include <jansson.h>

#include "common/escape.h"
#include "common/version.h"

/* Foreign text as JSON: what is not UTF-8 is replaced. */
static json_t *text(const char *value)
{
    struct strbuf valid = STRBUF_INIT;
    escape_utf8(&valid, value, strlen(value));
    json_t *json = strbuf_ok(&valid) ? json_stringn(valid.data, valid.length) : NULL;
    strbuf_release(&valid);
    return json;
}

static const char *role_name(const struct pool_facts *facts, const struct xapi_host *host)
{
    return facts->silence[0] ? "unknown" : host->is_coordinator ? "coordinator" : "supporter";
}

static json_t *describe_host(const struct pool_facts *facts, size_t i)
{
    const struct take *take = &facts->takes[i];
    const struct xapi_host *host = take->host;
    json_t *json = json_pack(
        "{s:i, s:o, s:o, s:o, s:s, s:s, s:b, s:s, s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:I}",
        "number", (int)i + 1, "name", text(host->name), "uuid", text(host->uuid), "address",
        text(host->address), "role", role_name(facts, host), "folder", take->folder, "answered",
        take->unpacked.members > 0, "status", take_status_name(take->status), "reason",
        text(take->reason), "way", take_way_name(take->way), "entries",
        take->entries ? text(take->entries) : json_null(), "members",
        (json_int_t)take->unpacked.members, "bytes", (json_int_t)take->unpacked.bytes, "redactions",
        (json_int_t)take->unpacked.redactions, "refused", (json_int_t)take->unpacked.refused,
        "duration_ms", (json_int_t)take->duration_ms);
    if (json && take->http_status)
        json_object_set_new(json, "http_status", json_integer(take->http_status));
    if (json && take->unpacked.cut[0])
        json_object_set_new(json, "cut", text(take->unpacked.cut));
    return json;
}

static json_t *describe_hosts(const struct pool_facts *facts)
{
    json_t *hosts = json_array();
    for (size_t i = 0; i < facts->pool->count; i++)
        json_array_append_new(hosts, describe_host(facts, i));
    return hosts;
}

static json_t *count_hosts(const struct pool_facts *facts)
{
    int by_status[TAKE_STATUS_COUNT] = {0};
    for (size_t i = 0; i < facts->pool->count; i++)
        by_status[facts->takes[i].status]++;
    json_t *counts = json_object();
    for (int i = 0; i < TAKE_STATUS_COUNT; i++)
        if (by_status[i])
            json_object_set_new(counts, take_status_name((enum take_status)i),
                                json_integer(by_status[i]));
    return counts;
}

static json_t *describe_run(const struct pool_facts *facts)
{
    char started[40];
    time_t clock = (time_t)facts->started;
    struct tm parts;
    gmtime_r(&clock, &parts);
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%S+00:00", &parts);
    return json_pack("{s:s, s:I, s:I, s:o}", "started", started, "duration_ms",
                     (json_int_t)facts->duration_ms, "host_limit_ms",
                     (json_int_t)facts->host_limit_ms, "entries",
                     facts->entries ? text(facts->entries) : json_null());
}

static int add_manifest(const struct pool_facts *facts, struct sink *sink, struct err *err)
{
    json_auto_t *json = json_pack(
        "{s:s, s:{s:s, s:s}, s:{s:o, s:o}, s:o, s:{s:b, s:o}, s:{s:i, s:o}, s:o}", "schema",
        "xenhealth-pool-manifest/1", "tool", "name", "xen-bugtool", "version", XENHEALTH_VERSION,
        "pool", "name", text(facts->pool->name), "uuid", text(facts->pool->uuid), "run",
        describe_run(facts), "xapi", "answered", !facts->silence[0], "reason", text(facts->silence),
        "totals", "hosts", (int)facts->pool->count, "by_status", count_hosts(facts), "hosts",
        describe_hosts(facts));
    char *dump = json ? json_dumps(json, JSON_INDENT(1) | JSON_PRESERVE_ORDER) : NULL;
    if (!dump)
        return err_nomem(err);
    int r = sink_add_text(sink, "pool-manifest.json", facts->started, dump, strlen(dump), err);
    free(dump);
    return r;
}

static void add_name(struct strbuf *list, const char *name)
{
    escape_terminal(list, name, strlen(name), false);
}

static int add_list(const struct pool_facts *facts, const char *stamp, struct sink *sink,
                    struct err *err)
{
    char name[100];
    CLEANUP(strbuf_release) struct strbuf list = STRBUF_INIT;
    const struct xapi_pool *pool = facts->pool;
    for (size_t i = 0; i < pool->count; i++) {
        strbuf_adds(&list, "Server '");
        add_name(&list, pool->hosts[i].name);
        if (pool->count == 1 && !pool->name[0]) {
            strbuf_adds(&list, "' is a stand alone server\r\n");
            continue;
        }
        strbuf_addf(&list, "' is a %s of pool '", role_name(facts, &pool->hosts[i]));
        add_name(&list, pool->name);
        strbuf_adds(&list, "'\r\n");
    }
    if (!strbuf_ok(&list))
        return err_nomem(err);
    snprintf(name, sizeof name, "%s-Coordinators.txt", stamp);
    return sink_add_text(sink, name, facts->started, list.data, list.length, err);
}

int pool_manifest_add(const struct pool_facts *facts, const char *stamp, struct sink *sink,
                      struct err *err)
{
    int r = facts->silence[0] ? 0 : add_list(facts, stamp, sink, err);
    return r == 0 ? add_manifest(facts, sink, err) : r;
}
