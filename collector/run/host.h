/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who the report is about: for the heads of inventory and manifest. Below another root the answers
 * come from recordings (.commands/hostname, uname, uptime, date), so that a sample tells of its
 * made-up host.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct host {
    char name[256];
    char uname[512];   /* fields joined by blanks; the sixth is empty, hence a blank at the end */
    char uptime[256];  /* what `uptime` prints */
    char product[128]; /* "XCP-ng 8.3.0", or empty */
    char user[64];     /* who started the run, or empty */
    bool utc;          /* `taken` is to be shown as UTC; else in local time, as the original does */
    int64_t taken;     /* epoch seconds: when the report was begun, by the host's clock */
};

/* `now` stands in for the clock (SOURCE_DATE_EPOCH); -1: the real one. Never fails: what is unknown
 * is empty. */
void host_describe(const char *root, int64_t now, struct host *ret);

/* The value of a key of /etc/xensource-inventory (KEY='value'). False, and "", when it has none. */
bool host_inventory_value(const char *root, const char *key, char *ret, size_t size);
