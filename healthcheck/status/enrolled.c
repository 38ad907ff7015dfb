/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where reports go is known to the host that was the coordinator when somebody enrolled the pool,
 * and not to the pool (enrollment.h tells why). So when another host takes over, both are asked to
 * say what is missing, and where.
 */
#include <string.h>
#include <strings.h>

#include "common/url_text.h"
#include "healthcheck/status/status.h"

#define COMMAND "xen-healthcheck enroll URL"

static bool has_token_of_another_enrollment(const struct situation *situation)
{
    const char *token =
        situation->config ? config_get(situation->config, CONFIG_UPLOAD_TOKEN) : NULL;
    return situation->enrollment.credential == ENROLLMENT_XAPI_TOKEN &&
           strcasecmp(token ? token : "", situation->enrollment.token) != 0;
}

const char *status_blocked(const struct status *status)
{
    const struct situation *situation = &status->situation;
    if (status->is_root && situation->unreadable)
        return "this host's enrollment cannot be read";
    if (!situation->enrolled || situation->facts.role != SCHEDULE_COORDINATOR)
        return NULL;
    if (!situation->url[0] && !situation->enrollment.url[0])
        return "this host does not know where to send reports";
    if (!situation->url[0])
        return "this host's enrollment is of another pool";
    if (has_token_of_another_enrollment(situation))
        return "the pool was enrolled anew elsewhere, with another token";
    return NULL;
}

static void add_coordinator(const struct situation *situation, const char *blocked,
                            struct strbuf *problems)
{
    strbuf_addf(problems, "The pool is enrolled, but %s, so reports stay here: " COMMAND, blocked);
    strbuf_adds(problems, " (and --token or --credentials, where the service wants them).");
    if (!situation->enrollment.url[0])
        strbuf_adds(problems, " If another host was the coordinator when the pool was enrolled, "
                              "the URL stands in enrollment.yaml there; XenCenter writes none.");
    strbuf_addc(problems, '\n');
}

/* It was the coordinator, and still knows what the new one may lack. */
static void add_supporter(const struct situation *situation, struct strbuf *problems)
{
    const char *url = situation->enrollment.url, *who = situation->about.coordinator;
    strbuf_addf(problems,
                "The pool was enrolled on this host, but %s%s%s coordinates it now and must know, "
                "too, where reports go: if 'xen-healthcheck status' there says that it does not, "
                "run there: xen-healthcheck enroll %.*s\n",
                *who ? "'" : "", *who ? who : "another host", *who ? "'" : "",
                (int)url_text_public_length(url), url);
}

void status_add_enrollment(const struct status *status, struct strbuf *problems)
{
    const struct situation *situation = &status->situation;
    const char *blocked = status_blocked(status);
    if (situation->unreadable)
        return; /* told with its cause where it was read */
    if (blocked)
        add_coordinator(situation, blocked, problems);
    else if (situation->facts.role == SCHEDULE_SUPPORTER && situation->enrollment.url[0] &&
             strcmp(situation->enrollment.pool, "standalone") != 0)
        add_supporter(situation, problems);
}
