/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The host of whom the coordinator says that it is gone is asked all the same: it may be the
 * coordinator that is cut off. Then nobody tells what it offers, and it is asked for its defaults.
 *
 * The session goes in a cookie, not in the address as other clients send it, because XAPI writes
 * the addresses it is asked for into its log, and the log into the report.
 */
#include "collector/pool/take.h"

#include "collector/pool/direct.h"
#include "common/rpc/http.h"
#include "collector/pool/offer.h"
#include "common/escape.h"
#include "common/io.h"

#define OFFER_LIMIT_MS 60000 /* a host with many devices needs some seconds to count them */

const char *take_status_name(enum take_status status)
{
    static const char *const names[TAKE_STATUS_COUNT] = {
        [TAKE_OMITTED] = "omitted",         [TAKE_COMPLETE] = "complete",
        [TAKE_TRUNCATED] = "truncated",     [TAKE_TIMEOUT] = "timeout",
        [TAKE_UNREACHABLE] = "unreachable", [TAKE_UNTRUSTED] = "untrusted",
        [TAKE_REFUSED] = "refused",         [TAKE_MALFORMED] = "malformed",
        [TAKE_FAILED] = "failed",
    };
    return names[status];
}

const char *take_way_name(enum take_way way)
{
    static const char *const names[] = {"https", "local socket", "direct"};
    return names[way];
}

static enum take_status status_of(const struct take *take, int r)
{
    bool some = take->unpacked.members > 0 || take->unpacked.cut[0];
    switch (r) {
    case 0:
        return TAKE_COMPLETE;
    case ERR_TIMEOUT:
        return TAKE_TIMEOUT;
    case ERR_DENIED:
        return TAKE_UNTRUSTED;
    case ERR_PARSE:
        return TAKE_MALFORMED;
    case ERR_IO:
    case ERR_NOTFOUND:
        return some                       ? TAKE_TRUNCATED
               : take->http_status        ? TAKE_MALFORMED
               : take->way == TAKE_DIRECT ? TAKE_FAILED
                                          : TAKE_UNREACHABLE;
    default:
        return TAKE_FAILED;
    }
}

static void settle(struct take *take, int r, const struct err *err)
{
    take->status =
        take->http_status && take->http_status != 200 ? TAKE_REFUSED : status_of(take, r);
    snprintf(take->reason, sizeof take->reason, "%s", r < 0 ? err->text : "");
}

/* What the host is asked for; "": its own defaults. */
static int choose_entries(const struct take_setting *setting, struct take *take,
                          const struct limit *limit, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf entries = STRBUF_INIT;
    if (setting->entries) {
        strbuf_adds(&entries, setting->entries);
    } else if (setting->xapi) {
        struct limit shorter = limit_within(limit, OFFER_LIMIT_MS);
        struct err ignored = ERR_INIT;
        CLEANUP_FREE char *xml = NULL;
        int r = xapi_get_capabilities(setting->xapi, take->host, &shorter, &xml, &ignored);
        if (r == 0 && offer_to_entries(xml, setting->all, &entries, &ignored) < 0)
            strbuf_clear(&entries);
    }
    free(take->entries);
    take->entries = strdup(entries.data);
    return take->entries && strbuf_ok(&entries) ? 0 : err_nomem(err);
}

static void add_encoded(struct strbuf *target, const char *text)
{
    for (const char *c = text; *c; c++)
        if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
            strchr("-._,:", *c))
            strbuf_addc(target, *c);
        else
            strbuf_addf(target, "%%%02X", (unsigned char)*c);
}

static int read_body(void *context, void *buffer, size_t size, size_t *ret, struct err *err)
{
    return http_read(context, buffer, size, ret, err);
}

static int receive(const struct take_setting *setting, struct stream *stream, const char *host,
                   struct take *take, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf target = STRBUF_INIT;
    CLEANUP_FREE struct http_answer *answer = malloc(sizeof *answer);
    strbuf_adds(&target, "/system-status?entries=");
    add_encoded(&target, take->entries);
    strbuf_adds(&target, "&output=tar");
    if (!answer || !strbuf_ok(&target))
        return err_nomem(err);
    const struct http_request request = {.method = "GET",
                                         .target = target.data,
                                         .host = host,
                                         .program = XAPI_PROGRAM,
                                         .session = setting->xapi->session};
    int r = http_ask(stream, &request, answer, err);
    if (r < 0)
        return r;
    take->http_status = answer->status;
    if (answer->status != 200)
        return err_set(err, ERR_IO, "XAPI answers with HTTP status %d", answer->status);
    return unpack_tar(setting->sink, take->folder, read_body, answer, &take->unpacked, err);
}

/* Through the XAPI of that very host: over the local socket, or its address. */
static int take_through_xapi(const struct take_setting *setting, struct take *take,
                             const struct limit *limit, struct err *err)
{
    struct xapi way = *setting->xapi;
    struct stream *stream = NULL;
    if (!take->is_local) {
        way.socket[0] = '\0';
        take->way = TAKE_BY_HTTPS;
        int r = endpoint_parse(take->host->address, &way.endpoint, err);
        if (r < 0) {
            err_prefix(err, r, "XAPI gives no address of this host");
            return ERR_NOTFOUND;
        }
    }
    int r = xapi_connect(&way, limit, &stream, err);
    if (r == 0)
        r = choose_entries(setting, take, limit, err);
    if (r == 0)
        r = receive(setting, stream, take->is_local ? "localhost" : way.endpoint.host, take, err);
    stream_free(stream);
    explicit_bzero(way.session, sizeof way.session);
    return r;
}

static int take_direct(const struct take_setting *setting, struct take *take, struct err *err)
{
    struct limit limit = limit_within(&setting->limit, setting->host_limit_ms);
    take->way = TAKE_DIRECT;
    take->http_status = 0;
    return direct_take(setting->spawner, setting->argv, &limit, setting->sink, take->folder,
                       &take->unpacked, err);
}

static bool may_go_on(const struct take_setting *setting, const struct take *take)
{
    bool cancelled = setting->limit.cancelled && atomic_load(setting->limit.cancelled);
    return setting->argv && take->is_local && take->unpacked.members == 0 && !cancelled;
}

void take_run(const struct take_setting *setting, struct take *take)
{
    struct err err = ERR_INIT;
    int64_t begun_ms = io_now_ms();
    struct limit limit = limit_within(&setting->limit, setting->host_limit_ms);
    int r = ERR_NOTFOUND;
    take->way = TAKE_BY_SOCKET;
    if (setting->xapi) {
        r = take_through_xapi(setting, take, &limit, &err);
        settle(take, r, &err);
    }
    if (r < 0 && may_go_on(setting, take)) {
        struct err first = err;
        err_clear(&err);
        r = take_direct(setting, take, &err);
        settle(take, r, &err);
        if (r == 0 && first.code != 0)
            snprintf(take->reason, sizeof take->reason, "without XAPI: %.500s", first.text);
    }
    take->duration_ms = io_now_ms() - begun_ms;
}
