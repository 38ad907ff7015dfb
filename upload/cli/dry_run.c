/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What an upload would do, told from what is here: no packet is sent, nothing is written.
 */
#include <inttypes.h>

#include "common/units.h"
#include "upload/cli/credentials.h"
#include "upload/cli/upload.h"

static void put(struct strbuf *out, const char *label, const char *text)
{
    strbuf_addf(out, "%-14s%s\n", label, text);
}

static void put_tls(const struct net_options *net, struct strbuf *out)
{
    if (net->cacert)
        put(out, "Trusted:", net->cacert);
    if (net->pin)
        put(out, "Pinned key:", net->pin);
    if (net->cert)
        put(out, "Certificate:", net->cert);
}

static void put_ssh(const struct net_options *net, struct strbuf *out)
{
    if (net->identity)
        put(out, "Private key:", net->identity);
    if (net->known_hosts)
        put(out, "Known hosts:", net->known_hosts);
}

static void put_connection(const struct protocol *protocol, const struct net_options *net,
                           struct strbuf *out)
{
    char text[64];
    put(out, "Proxy:", net->proxy ? net->proxy : "none");
    if (protocol == &protocol_sftp)
        put_ssh(net, out);
    else
        put_tls(net, out);
    if (net->rate > 0) {
        units_format_bytes(net->rate, text, sizeof text);
        strbuf_addf(out, "%-14sat most %s a second\n", "Rate:", text);
    }
}

/* A URL's query may be the permission itself: it is taken out, whatever a protocol says. */
static void put_step(const struct target *target, const char *line, size_t length,
                     struct strbuf *out)
{
    const char *query = strchr(target->url, '?');
    size_t size = query ? strlen(query) : 0;
    strbuf_adds(out, "  ");
    while (length > 0) {
        bool is_query = size > 1 && length >= size && memcmp(line, query, size) == 0;
        size_t taken = is_query ? size : 1;
        if (is_query)
            strbuf_adds(out, "?...");
        else
            strbuf_addc(out, *line);
        line += taken;
        length -= taken;
    }
    strbuf_addc(out, '\n');
}

int upload_describe(struct upload *upload, struct strbuf *out, struct err *err)
{
    CLEANUP(record_cleanup) struct record *record = NULL;
    CLEANUP(net_cleanup) struct net *net = NULL;
    const struct options *o = upload->options;
    const struct protocol *protocol = upload->target.protocol;
    char kind[CREDENTIALS_KIND_MAX], size[32];
    struct strbuf steps = STRBUF_INIT;
    bool damaged = false;
    int r = upload_open_net(upload, &net, err); /* what it refuses, it would refuse then */
    if (r == 0)
        r = record_look(upload->state.data, upload->key.data, &record, &damaged, err);
    if (r < 0)
        return r;
    int64_t bytes = source_size(upload->source);
    strbuf_addf(out, "%-14s%s (%s, %" PRId64 " bytes)\n", "File:", source_path(upload->source),
                units_format_bytes(bytes, size, sizeof size), bytes);
    put(out, "SHA-256:", source_sha256(upload->source));
    strbuf_addf(out, "%-14s%s, by %s (%s)\n", "To:", upload->target.origin, protocol->name,
                protocol->summary);
    put(out, "Credentials:", credentials_describe(o, &upload->secrets, kind));
    if (protocol != &protocol_file)
        put_connection(protocol, &o->net, out);
    if (o->transfer.chunk_bytes > 0)
        put(out, "Chunks of:", units_format_bytes(o->transfer.chunk_bytes, size, sizeof size));
    put(out, "State:",
        damaged                   ? "that of an earlier upload cannot be read and would be dropped"
        : record_is_empty(record) ? "no unfinished upload of this file to this place is known"
                                  : "an unfinished upload would be gone on with");
    const struct transfer transfer = {.target = &upload->target,
                                      .options = &o->transfer,
                                      .source = upload->source,
                                      .record = record,
                                      .cancelled = upload->cancelled,
                                      .retry_after_s = -1};
    if (protocol->describe)
        protocol->describe(&transfer, &steps);
    strbuf_adds(out, "It would\n");
    for (const char *line = steps.data; *line;) {
        size_t length = strcspn(line, "\n");
        put_step(&upload->target, line, length, out);
        line += length + (line[length] == '\n');
    }
    strbuf_release(&steps);
    return strbuf_ok(out) ? 0 : err_nomem(err);
}
