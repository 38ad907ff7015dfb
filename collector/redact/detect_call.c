/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Calls of XAPI that take a password as a parameter without a name: JSON-RPC, XML-RPC, and code or
 * logs that write method(a, b). From the first secret parameter on all of them go; what follows a
 * password is a version and who calls.
 *
 * Source: the signatures in XAPI's data model (session, pool, user).
 */
#include <ctype.h>
#include <string.h>

#include "collector/redact/detect.h"
#include "collector/redact/filter.h"
#include "collector/redact/quoting.h"
#include "common/compiler.h"

#define LOOK_AHEAD 1024 /* from the name of the method to its parameters */

static const struct {
    const char *method;
    unsigned before; /* parameters before the first secret one */
} calls[] = {
    {"login_with_password", 1}, {"slave_login", 1},   {"slave_local_login", 1},
    {"change_password", 1},     {"secret.create", 1}, {"pool.join_force", 3},
    {"pool.join", 3},
};

static const char *skip_to(const char *p, const char *end, const char *text)
{
    size_t left = end > p ? (size_t)(end - p) : 0;
    const char *found = memmem(p, left < LOOK_AHEAD ? left : LOOK_AHEAD, text, strlen(text));
    return found ? found + strlen(text) : NULL;
}

static bool set(const char *from, const char *to, struct finding *ret)
{
    static const size_t mask = sizeof REMOVED - 1;
    *ret = (struct finding){from, to};
    return to > from && !((size_t)(to - from) == mask && memcmp(from, REMOVED, mask) == 0);
}

/* ["root", "secret", "1.0"]: from the first letter of the secret to the last quote. */
static bool strings(const char *p, const char *end, unsigned before, char closing,
                    struct finding *ret)
{
    struct quote quote;
    struct quoted text;
    const char *from = NULL, *to = NULL;
    for (unsigned i = 0;; i++) {
        while (p < end && strchr(" \t,:{[", *p)) /* a map may be among them */
            p++;
        if (p == end || *p == closing || !quote_open(&p, end, &quote))
            break;
        if (!quote_close(p, end, &quote, &text))
            text = (struct quoted){p, (size_t)(end - p), end};
        if (i >= before) {
            from = from ? from : text.text;
            to = text.text + text.length;
        }
        p = text.after;
    }
    return from && set(from, to, ret);
}

static bool xml_params(const char *p, const char *end, unsigned before, struct finding *ret)
{
    for (unsigned i = 0; i <= before; i++)
        if (!(p = skip_to(p, end, "<param>")))
            return false;
    while (end - p > 1 && *p == '<' && p[1] != '/')
        if (!(p = skip_to(p, end, ">")))
            return false;
    const char *to = memmem(p, (size_t)(end - p), "</params>", strlen("</params>"));
    to = to ? to : end;
    while (to > p && to[-1] == '>') { /* the tags behind the last one */
        const char *tag = memrchr(p, '<', (size_t)(to - p));
        if (!tag || tag + 1 == to || tag[1] != '/')
            break;
        to = tag;
    }
    return set(p, to, ret);
}

/* "login_with_password root x1", as somebody types it: nothing else stands on the line. */
static bool words(const char *p, const char *end, unsigned before, struct finding *ret)
{
    const char *from = p;
    unsigned count = 0;
    bool digit = false;
    while (p < end) {
        while (p < end && *p == ' ')
            p++;
        from = p;
        digit = false;
        for (; p < end && *p != ' '; p++)
            digit |= isdigit((unsigned char)*p) != 0;
        if (p > from && ++count > before + 1)
            return false;
    }
    return count > 0 && digit && !memchr(from, ':', (size_t)(end - from)) && set(from, end, ret);
}

bool detect_call(const struct passage *line, const char *at, struct finding *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        size_t n = strlen(calls[i].method);
        if ((size_t)(line->end - at) < n || memcmp(at, calls[i].method, n) != 0)
            continue;
        const char *p = at + n, *end = line->end;
        if (p < end && *p == '<')
            return xml_params(p, end, calls[i].before, ret);
        if (p < end && *p == '(')
            return strings(p + 1, end, calls[i].before, ')', ret);
        const char *params = skip_to(p, end, "params");
        const char *bracket = params ? skip_to(params, end, "[") : NULL;
        if (!bracket)
            return p < end && *p == ' ' && words(p, end, calls[i].before, ret);
        return strings(bracket, end, calls[i].before, ']', ret);
    }
    return false;
}
