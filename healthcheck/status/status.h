/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How the health check of this host stands: gathered once, shown in one of several forms. It reads
 * and changes nothing.
 */
#pragma once

#include "healthcheck/history/reports.h"
#include "healthcheck/run/situation.h"

#define STATUS_TREND 10 /* scores that are shown */

struct status {
    int64_t now_s;
    const char *state;   /* folder */
    struct store *store; /* NULL: nothing has run here yet */
    struct history history;
    struct check pending; /* with what the uploader's spool says of it, if that can be read */
    bool has_pending, running;
    struct err hindrance; /* why no run can use the state folder; its code is 0 when it can */
    bool broken;          /* the settings cannot be read, so nothing runs */
    bool ended;           /* `pending` was killed before there was a report to send */
    bool nobody;          /* is enrolled, as far as root can see: nothing is sent */
    bool dropped;         /* `pending` was on its way when the enrollment ended: it is not sent */
    bool stuck;     /* `pending` should be sent or given up by now, and no run has seen to it */
    bool forgotten; /* there may have been checks that the history does not have (any more) */
    bool timer;     /* the timer is enabled */
    bool is_root;   /* others see neither XAPI nor the enrollment */
    struct situation situation;
    struct schedule_decision decision;
    char reason[SCHEDULE_TEXT_BYTES]; /* why a check is due, or why none is, as things stand now */
    struct schedule_decision sending; /* of checks whose reports are sent; next is SCHEDULE_NOTHING
                                         where none are */
    bool sends;                       /* such checks are wanted here */
    struct reports_usage reports;
    struct strbuf problems; /* a sentence a line */
    /* Borrowed from the history, NULL when there is none. */
    const struct check *newest; /* the last check, however it ended */
    const struct check *good;   /* the last that was analysed */
    const struct check *before; /* the one that `good` is compared with */
    const struct check *sent;   /* the last whose report arrived; may be `pending` */
    const struct check *unsent; /* one whose report was given up or refused, and none arrived since;
                                   may be `pending`; NULL also where nobody is enrolled: then
                                   nothing is missed */
};

struct status_place {
    const struct settings *settings;
    const char *settings_problem; /* NULL: they could be read */
    const char *config, *state;
    const char *timer; /* path of the link that systemd makes for an enabled timer */
};

#define STATUS_TIMER "/etc/systemd/system/timers.target.wants/xen-healthcheck.timer"

/* ERR_DENIED: the files are not for this user. ERR_IO, ERR_NOMEM. Release in any case. */
int status_gather(const struct status_place *place, struct status *ret, struct err *err);
void status_release(struct status *status);

/* Findings of `good` that `before` had not; and of `before` that are gone (`lost` false), or that
 * nobody could judge this time (`lost`). Calls back in the order of the findings. */
typedef void (*status_finding)(void *context, const struct check_finding *finding);
void status_each_new(const struct status *status, status_finding each, void *context);
void status_each_past(const struct status *status, bool lost, status_finding each, void *context);

unsigned status_count_new(const struct status *status);
unsigned status_count_past(const struct status *status, bool lost);

/* Whether the report of `pending` may still be sent; if not, it only has to be recorded. */
bool status_is_sending(const struct status *status);

/* No check for much longer than the settings want one, or none whose date can be believed. */
bool status_is_overdue(const struct status *status);

/* Why an enrolled pool sends nothing from here, in a few words; NULL: it does, or is not enrolled.
 */
const char *status_blocked(const struct status *status);
/* The same as a sentence with the remedy, also for a host that is the coordinator no longer. */
void status_add_enrollment(const struct status *status, struct strbuf *problems);

struct status_format {
    const char *name;
    /* Appends; the result is the exit status. */
    int (*show)(const struct status *status, struct strbuf *out);
};

extern const struct status_format status_format_text, status_format_json, status_format_nagios,
    status_format_prometheus;
const struct status_format *status_format_find(const char *name);
