/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Hosts are taken by a few threads, since most of the time goes by in waiting for them. A host that
 * does not answer costs its own report and one thread its time limit, nothing else.
 *
 * Without a local XAPI nobody knows who is in the pool; this host's report is made all the same.
 */
#include "collector/pool/pool.h"

#include <limits.h>

#include "collector/pool/pool_manifest.h"
#include "collector/run/host.h"
#include "common/escape.h"
#include "common/io.h"

#define LOGIN_LIMIT_MS  30000 /* for what must be answered before anything begins */
#define LOGOUT_LIMIT_MS 5000
#define LABEL_LENGTH    20 /* of a host's name in a folder's (source: XenCenter) */
#define MAX_JOBS        16

/* The certificates that the hosts of a pool show each other (source: XAPI). */
static const char pool_certificates[] = "/etc/stunnel/xapi-pool-ca-bundle.pem";

struct work {
    const struct take_setting *setting;
    const struct pool_options *options;
    struct take *takes;
    size_t count, next;
    pthread_mutex_t lock; /* of `next`, and of options->say */
};

static void below(const char *root, const char *path, char *ret, size_t size)
{
    snprintf(ret, size, "%s%s", strcmp(root, "/") == 0 ? "" : root, path);
}

static int load_trust(const struct pool_options *options, struct trust **ret, struct err *err)
{
    char path[PATH_MAX];
    if (options->cacert)
        return trust_load_file(options->cacert, ret, err);
    below(options->root, pool_certificates, path, sizeof path);
    return trust_load_pool(path, ret, err);
}

/* What the user gave must be good before anything is asked. */
static int prepare(const struct pool_options *options, struct xapi *xapi,
                   struct credentials *credentials, struct err *err)
{
    int r = load_trust(options, &xapi->trust, err);
    if (r == 0 && options->server)
        r = endpoint_parse(options->server, &xapi->endpoint, err);
    if (r == 0 && options->credentials)
        r = credentials_read(options->credentials, credentials, err);
    if (!options->server)
        rpc_find_socket(options->root, xapi->socket);
    return r;
}

static int enter(struct xapi *xapi, const struct credentials *credentials,
                 const struct pool_options *options, struct xapi_pool *pool, struct err *err)
{
    int64_t patience_ms =
        options->host_limit_ms < LOGIN_LIMIT_MS ? options->host_limit_ms : LOGIN_LIMIT_MS;
    struct limit limit = limit_within(&options->limit, patience_ms);
    int r = xapi_login(xapi, credentials, &limit, err);
    limit = limit_within(&options->limit, patience_ms);
    if (r == 0)
        r = xapi_get_pool(xapi, &limit, pool, err);
    if (r == 0 && !options->cacert)
        xapi_learn_certificates(xapi, &limit, xapi->trust);
    return r;
}

/* When only this host is known. */
static int stand_alone(const char *root, struct xapi_pool *pool, struct err *err)
{
    struct host host;
    char uuid[64];
    host_describe(root, -1, &host);
    host_inventory_value(root, "INSTALLATION_UUID", uuid, sizeof uuid);
    pool->hosts = calloc(1, sizeof *pool->hosts);
    if (!pool->hosts)
        return err_nomem(err);
    pool->count = 1;
    pool->hosts[0] = (struct xapi_host){.reference = strdup(""),
                                        .uuid = strdup(uuid),
                                        .name = strdup(host.name),
                                        .address = strdup("")};
    pool->name = strdup("");
    pool->uuid = strdup("");
    const struct xapi_host *only = pool->hosts;
    return only->reference && only->uuid && only->name && only->address && pool->name && pool->uuid
               ? 0
               : err_nomem(err);
}

static void name_folder(const char *stamp, size_t number, const char *label, struct take *take)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    char clean[4 * LABEL_LENGTH + 1];
    size_t used = 0, left = strlen(label);
    for (int i = 0; i < LABEL_LENGTH && left > 0; i++) {
        unsigned point, length = escape_utf8_length(label, left, &point);
        if (length > 1 && !escape_is_dangerous(point)) {
            memcpy(clean + used, label, length);
            used += length;
        } else {
            clean[used++] = length == 1 && strchr(allowed, *label) ? *label : '_';
        }
        label += length ? length : 1;
        left -= length ? length : 1;
    }
    clean[used] = '\0';
    snprintf(take->folder, sizeof take->folder, "%s-%zu-bugtool-%s", stamp, number,
             used ? clean : "host");
}

static struct take *make_takes(const struct pool_options *options, const struct xapi *xapi,
                               const struct xapi_pool *pool, bool answered)
{
    char own_uuid[64] = "";
    struct take *takes = calloc(pool->count, sizeof *takes);
    if (xapi->socket[0])
        host_inventory_value(options->root, "INSTALLATION_UUID", own_uuid, sizeof own_uuid);
    for (size_t i = 0; takes && i < pool->count; i++) {
        takes[i].host = &pool->hosts[i];
        takes[i].is_local =
            !answered || (own_uuid[0] && strcmp(own_uuid, pool->hosts[i].uuid) == 0);
        snprintf(takes[i].reason, sizeof takes[i].reason, "the time for the whole run was up");
        name_folder(options->stamp, i + 1, pool->hosts[i].name, &takes[i]);
    }
    return takes;
}

static void say(const struct work *work, const struct take *take)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    if (take->status == TAKE_COMPLETE)
        strbuf_addf(&line, "%s: %lld files%s%s", take->host->name,
                    (long long)take->unpacked.members, take->reason[0] ? ", " : "", take->reason);
    else
        strbuf_addf(&line, "%s: %s: %s", take->host->name, take_status_name(take->status),
                    take->reason);
    work->options->say(work->options->context, line.data);
}

static void *take_hosts(void *argument)
{
    struct work *work = argument;
    const struct limit *limit = &work->setting->limit;
    pthread_mutex_lock(&work->lock);
    while (work->next < work->count && limit_check(limit, "", NULL) == 0 &&
           work->setting->sink->failure.code == 0) {
        struct take *take = &work->takes[work->next++];
        pthread_mutex_unlock(&work->lock);
        take_run(work->setting, take);
        pthread_mutex_lock(&work->lock);
        say(work, take);
    }
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

/* This thread is one of the workers, so that the work is done when no other can be had. */
static void run_workers(struct work *work, int jobs)
{
    pthread_t threads[MAX_JOBS];
    int started = 0;
    while (started + 1 < jobs && started + 1 < MAX_JOBS && (size_t)started + 1 < work->count &&
           pthread_create(&threads[started], NULL, take_hosts, work) == 0)
        started++;
    take_hosts(work);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static int check_end(const struct pool_options *options, const struct sink *sink,
                     const struct take *takes, size_t count, struct pool_result *result,
                     struct err *err)
{
    *result = (struct pool_result){.hosts = count};
    for (size_t i = 0; i < count; i++) {
        result->complete += takes[i].status == TAKE_COMPLETE;
        result->partial += takes[i].status != TAKE_COMPLETE && takes[i].unpacked.members > 0;
    }
    if (sink->failure.code != 0)
        return err_set(err, sink->failure.code, "%s", sink->failure.text);
    if (options->limit.cancelled && atomic_load(options->limit.cancelled))
        return err_set(err, ERR_CANCELLED, "interrupted");
    if (result->complete + result->partial == 0)
        return err_set(err, ERR_NOTFOUND, "no host of the pool gave a report: %s", takes[0].reason);
    return 0;
}

static int take_pool(const struct pool_options *options, struct xapi *xapi, struct xapi_pool *pool,
                     const struct err *silence, struct sink *sink, struct pool_result *ret,
                     struct err *err)
{
    bool answered = silence->code == 0;
    const struct take_setting setting = {.xapi = answered ? xapi : NULL,
                                         .entries = options->entries,
                                         .all = options->all,
                                         .argv = options->argv,
                                         .host_limit_ms = options->host_limit_ms,
                                         .limit = options->limit,
                                         .spawner = xapi->spawner,
                                         .sink = sink};
    struct work work = {.setting = &setting,
                        .options = options,
                        .takes = make_takes(options, xapi, pool, answered),
                        .count = pool->count,
                        .lock = PTHREAD_MUTEX_INITIALIZER};
    if (!work.takes)
        return err_nomem(err);
    int64_t begun_ms = io_now_ms();
    run_workers(&work, options->jobs);
    int r = check_end(options, sink, work.takes, work.count, ret, err);
    const struct pool_facts facts = {.pool = pool,
                                     .takes = work.takes,
                                     .silence = silence->text,
                                     .entries = options->entries,
                                     .host_limit_ms = options->host_limit_ms,
                                     .started = options->when,
                                     .duration_ms = io_now_ms() - begun_ms};
    if (r == 0)
        r = pool_manifest_add(&facts, options->stamp, sink, err);
    for (size_t i = 0; i < work.count; i++)
        free(work.takes[i].entries);
    free(work.takes);
    return r;
}

int pool_collect(const struct pool_options *options, struct spawner *spawner, struct sink *sink,
                 struct pool_result *ret, struct err *err)
{
    struct xapi xapi = {.spawner = spawner};
    struct xapi_pool pool = {.count = 0};
    struct credentials credentials = {.user = ""};
    struct err silence = ERR_INIT; /* why XAPI does not answer */
    rpc_guard_memory();
    int r = prepare(options, &xapi, &credentials, err);
    if (r == 0)
        r = enter(&xapi, options->credentials ? &credentials : NULL, options, &pool, &silence);
    bool alone =
        r < 0 && silence.code != 0 && r != ERR_CANCELLED && !options->server && options->argv;
    if (alone) {
        CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
        strbuf_addf(&line, "XAPI does not answer, so only this host is taken: %s", silence.text);
        options->say(options->context, line.data);
        r = stand_alone(options->root, &pool, err);
    } else if (r < 0 && silence.code != 0 && err) {
        *err = silence;
    }
    if (r == 0)
        r = take_pool(options, &xapi, &pool, &silence, sink, ret, err);
    struct limit last = {.deadline_ms = io_now_ms() + LOGOUT_LIMIT_MS};
    xapi_logout(&xapi, &last);
    credentials_forget(&credentials);
    xapi_pool_release(&pool);
    trust_free(xapi.trust);
    return r;
}
