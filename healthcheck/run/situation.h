/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What there is to know before anything is decided: who we are in the pool, what its keys say, what
 * this host remembers. The run acts on it, and `status` shows it.
 */
#pragma once

#include "healthcheck/enroll/enrollment.h"
#include "healthcheck/history/history.h"
#include "healthcheck/settings/settings.h"
#include "healthcheck/xapi/config.h"

struct situation {
    struct xapi *xapi;     /* only on a coordinator */
    struct config *config; /* of its pool */
    struct xapi_facts about;
    bool unreachable; /* XAPI is installed and does not answer: this host stands for itself */
    bool enrolled;    /* here or on the pool */
    bool unreadable;  /* there is an enrollment on this host, but it cannot be read */
    char url[ENROLLMENT_URL_BYTES]; /* where reports go; "" when nowhere */
    struct enrollment enrollment;   /* of this host; its url is "" when there is none */
    struct schedule_facts facts;
    char uuid[STORE_UUID_BYTES];
    struct strbuf notes; /* for people, a sentence a line */
};

#define SITUATION_INIT                                                                             \
    {                                                                                              \
        .notes = STRBUF_INIT                                                                       \
    }

struct situation_place {
    const struct settings *settings;
    const char *config;            /* folder of enrollment.yaml */
    const struct store *store;     /* NULL: nothing has run here yet */
    const struct history *history; /* or NULL */
    const struct check *pending;   /* or NULL */
    int64_t now_s;
    int64_t patience_ms; /* with XAPI; 0: the default */
};

/* Looks once; what cannot be had is in the notes. ERR_NOMEM. Release in any case. */
int situation_look(const struct situation_place *place, struct situation *ret, struct err *err);
void situation_release(struct situation *situation);

int situation_open_xapi(const struct settings *settings, int64_t patience_ms,
                        enum xapi_role *ret_role, struct xapi **ret, struct xapi_facts *ret_facts,
                        struct err *err);
