/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Filters of JSON: the value of a secret key, whatever it is, becomes "REMOVED". Anything that is
 * not strict JSON of reasonable depth is refused (ERR_PARSE), since in it a key could not be told
 * from a value.
 */
#pragma once

#include "collector/redact/filter.h"

int json_filter_write(void *filter, const char *bytes, size_t length, struct filter_output *out,
                      struct err *err);
int json_filter_finish(void *filter, struct filter_output *out, struct err *err);
void json_filter_free(void *filter);

/* The database of the cluster daemon: authentication key, key pairs, the API's token. */
int json_open_clusterd(void **ret, struct err *err);

/* XenServer's SNMP settings: community names and the keys of version 3 users. */
int json_open_snmp(void **ret, struct err *err);
