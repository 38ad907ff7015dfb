/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XenCenter's dialog asks for a consent to a long text; here are the few lines that matter.
 */
#include "healthcheck/enroll/plan.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/escape.h"
#include "common/units.h"
#include "healthcheck/enroll/tokens.h"
#include "healthcheck/times/times.h"

#define INTERVAL_DAYS 14

/* least..most; by chance, and without a source of chance the least. */
static int choose(int least, int most)
{
    unsigned char byte = 0;
    if (getrandom(&byte, sizeof byte, GRND_NONBLOCK) != sizeof byte)
        return least;
    return least + byte % (most - least + 1);
}

static void settle(int wanted, const char *there, int otherwise, char ret[8])
{
    if (wanted < 0 && there && *there && strlen(there) < 8) /* read by whoever follows it */
        snprintf(ret, 8, "%s", there);
    else
        snprintf(ret, 8, "%d", wanted < 0 ? otherwise : wanted);
}

/* What cannot be read does not count as a choice. */
static const char *interval_of(const struct config *config)
{
    int64_t days;
    const char *text = config_get(config, CONFIG_INTERVAL);
    return text && units_integer(text, &days) && days > 0 ? text : NULL;
}

static const char *weekday_of(const struct config *config)
{
    int weekday;
    const char *text = config_get(config, CONFIG_DAY);
    return text && times_read_weekday(text, &weekday) ? text : NULL;
}

static const char *hour_of(const struct config *config)
{
    int hour;
    const char *text = config_get(config, CONFIG_HOUR);
    return text && times_read_hour(text, &hour) ? text : NULL;
}

int plan_schedule(const struct enroll_request *request, const struct config *config,
                  struct plan *plan, struct err *err)
{
    if (!config && (request->interval_days > 0 || request->weekday >= 0 || request->hour >= 0))
        return err_set(err, ERR_USAGE,
                       "on a host without XAPI the schedule stands in the settings "
                       "(healthcheck.yaml), not in options of enroll");
    if (!config)
        return 0;
    settle(request->interval_days, interval_of(config), INTERVAL_DAYS, plan->interval);
    settle(request->weekday, weekday_of(config), choose(1, 6), plan->weekday);
    settle(request->hour, hour_of(config), choose(1, 4), plan->hour);
    return 0;
}

static void add_who(const struct plan *plan, struct strbuf *text)
{
    if (plan->role == XAPI_ABSENT)
        strbuf_adds(text, "This host (it has no XAPI)");
    else if (plan->facts.pool_name[0])
        strbuf_addf(text, "The pool '%s' (%zu host%s)", plan->facts.pool_name, plan->facts.hosts,
                    plan->facts.hosts == 1 ? "" : "s");
    else
        strbuf_addf(text, "The host '%s'", plan->facts.host_name);
}

static void add_when(const struct plan *plan, struct strbuf *text)
{
    int weekday;
    if (plan->role == XAPI_ABSENT)
        strbuf_adds(text, "  when:   as the schedule in healthcheck.yaml says\n");
    else if (times_read_weekday(plan->weekday, &weekday))
        strbuf_addf(
            text,
            "  when:   every %s days, on %s between %s:00 and %s:59 by this host's clock, and "
            "when XenCenter asks for it\n",
            plan->interval, times_weekday(weekday), plan->hour, plan->hour);
}

void plan_describe(const struct enroll_request *request, const struct plan *plan,
                   struct strbuf *text)
{
    add_who(plan, text);
    strbuf_adds(text,
                " will send status reports out of the house:\n"
                "  what:   logs, configuration and XAPI's database of every host. Passwords and "
                "keys are taken out;\n"
                "          names and addresses stay, unless the settings have them "
                "obfuscated\n"
                "  where:  ");
    escape_terminal(text, request->url, strlen(request->url), false);
    strbuf_addc(text, '\n');
    add_when(plan, text);
    if (request->credentials && tokens_are_granted(request->url))
        strbuf_adds(text, "  now:    the service is asked for an upload token\n");
    strbuf_adds(text, "'xen-healthcheck disable' ends it.\n");
}
