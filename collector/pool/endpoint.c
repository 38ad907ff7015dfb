/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Members of a pool are known to XAPI by address; only a server given by the user may be a name.
 *
 * The child prints the addresses it finds as numbers, one a line, so that what comes back is parsed
 * like anything else.
 */
#include "collector/pool/endpoint.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"
#include "common/units.h"

#define HTTPS_PORT       "443"
#define MAX_ANSWER       4096 /* bytes of all addresses of a name */
#define RESOLVE_LIMIT_MS 20000

static int take_port(const char *text, struct endpoint *endpoint, struct err *err)
{
    int64_t number;
    if (!units_integer(text, &number) || number < 1 || number > 65535)
        return err_set(err, ERR_USAGE, "'%.20s' is no port: a number from 1 to 65535 is needed",
                       text);
    snprintf(endpoint->port, sizeof endpoint->port, "%d", (int)number);
    return 0;
}

int endpoint_parse(const char *text, struct endpoint *ret, struct err *err)
{
    struct endpoint endpoint = {.port = HTTPS_PORT};
    const char *host = text, *end = text + strlen(text), *port = NULL;
    const char *colon = strchr(text, ':');
    if (*text == '[') {
        host = text + 1;
        end = strchr(text, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return err_set(err, ERR_USAGE, "'%.100s' is no address of a host", text);
        port = end[1] == ':' ? end + 2 : NULL;
    } else if (colon && colon == strrchr(text, ':')) { /* with more it is an IPv6 address */
        end = colon;
        port = colon + 1;
    }
    size_t length = (size_t)(end - host);
    if (length == 0 || length >= sizeof endpoint.host ||
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-%") <
            length ||
        *host == '-')
        return err_set(err, ERR_USAGE, "'%.100s' is no name or address of a host", text);
    memcpy(endpoint.host, host, length);
    int r = port ? take_port(port, &endpoint, err) : 0;
    if (r == 0)
        *ret = endpoint;
    return r;
}

static struct addrinfo *look_up(const char *host, const char *port, int flags)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *found = NULL;
    return getaddrinfo(host, port, &hints, &found) == 0 ? found : NULL;
}

bool endpoint_is_address(const struct endpoint *endpoint)
{
    struct addrinfo *found = look_up(endpoint->host, NULL, AI_NUMERICHOST);
    if (found)
        freeaddrinfo(found);
    return found != NULL;
}

static void add_numeric(const char *host, const char *port, struct endpoint_addresses *addresses)
{
    struct addrinfo *found = look_up(host, port, AI_NUMERICHOST | AI_NUMERICSERV);
    if (found && addresses->count < ENDPOINT_ADDRESSES) {
        memcpy(&addresses->items[addresses->count], found->ai_addr, found->ai_addrlen);
        addresses->lengths[addresses->count++] = found->ai_addrlen;
    }
    if (found)
        freeaddrinfo(found);
}

static int run_resolve(void *context, int argc, const char *const *argv)
{
    (void)context;
    char number[NI_MAXHOST];
    struct addrinfo *found = argc == 2 ? look_up(argv[1], NULL, AI_ADDRCONFIG) : NULL;
    for (const struct addrinfo *a = found; a; a = a->ai_next)
        if (getnameinfo(a->ai_addr, a->ai_addrlen, number, sizeof number, NULL, 0,
                        NI_NUMERICHOST) == 0)
            puts(number);
    if (found)
        freeaddrinfo(found);
    return found ? 0 : 1;
}

const struct spawner_function endpoint_functions[] = {
    {"resolve", run_resolve},
    {NULL, NULL},
};

static int take_answer(void *context, const void *bytes, size_t length, struct err *err)
{
    struct strbuf *answer = context;
    (void)err;
    strbuf_add(answer, bytes, length);
    return strbuf_ok(answer) ? 0 : 1;
}

static int resolve_name(const struct endpoint *endpoint, struct spawner *spawner,
                        const struct limit *limit, struct endpoint_addresses *addresses,
                        struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf answer = STRBUF_INIT_MAX(MAX_ANSWER);
    const char *const argv[] = {"resolve", endpoint->host, NULL};
    struct limit shorter = limit_within(limit, RESOLVE_LIMIT_MS);
    const struct child_spec spec = {.is_function = true,
                                    .argv = argv,
                                    .time_limit_ms = shorter.deadline_ms - io_now_ms(),
                                    .cancelled = limit->cancelled};
    struct child_end end;
    int r = child_run(spawner, &spec, take_answer, &answer, &end, err);
    if (r < 0)
        return r;
    if (end.outcome == CHILD_CANCELLED)
        return err_set(err, ERR_CANCELLED, "interrupted");
    if (end.outcome != CHILD_EXITED)
        return err_set(err, ERR_TIMEOUT, "the name service gave no address of '%s' in time",
                       endpoint->host);
    char *save = NULL;
    for (char *line = strtok_r(answer.length ? answer.data : NULL, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save))
        add_numeric(line, endpoint->port, addresses);
    return 0;
}

int endpoint_resolve(const struct endpoint *endpoint, struct spawner *spawner,
                     const struct limit *limit, struct endpoint_addresses *ret, struct err *err)
{
    struct endpoint_addresses addresses = {.count = 0};
    add_numeric(endpoint->host, endpoint->port, &addresses);
    int r = addresses.count == 0 ? resolve_name(endpoint, spawner, limit, &addresses, err) : 0;
    if (r == 0 && addresses.count == 0)
        r = err_set(err, ERR_NOTFOUND, "there is no address of a host named '%s'", endpoint->host);
    if (r == 0)
        *ret = addresses;
    return r;
}
