/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What an enrollment will be, before anybody is asked and anything is done.
 */
#pragma once

#include "common/strbuf.h"
#include "healthcheck/enroll/enroll.h"
#include "healthcheck/xapi/config.h"

struct plan {
    enum xapi_role role; /* coordinator, or absent: a standalone host */
    struct xapi_facts facts;
    char interval[8], weekday[8], hour[8]; /* for the pool's keys; "" on a standalone host */
};

/*
 * The schedule: as asked for, else as the pool has it, else as XenCenter chooses (14 days, a
 * weekday and an hour of the night by chance, so that not all pools come at once). `config` is NULL
 * on a standalone host, whose schedule stands in its settings: ERR_USAGE when one is asked for.
 */
int plan_schedule(const struct enroll_request *request, const struct config *config,
                  struct plan *plan, struct err *err);

/* What will leave the house, and when, for a person who decides. */
void plan_describe(const struct enroll_request *request, const struct plan *plan,
                   struct strbuf *text);
