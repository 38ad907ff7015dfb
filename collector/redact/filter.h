/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a filter has to do. Each is a row in the table of filters.c.
 *
 * A filter appends what may be seen to the output it is handed and keeps what it cannot judge yet,
 * within a stated limit. What it does not understand is an error, never passed on.
 */
#pragma once

#include <stdint.h>

#include "common/err.h"
#include "common/strbuf.h"

/* What stands in place of a secret; scripts and people look for this word. */
#define REMOVED "REMOVED"

struct filter_output {
    struct strbuf bytes; /* a failure to grow is seen by the caller */
    int64_t replaced;    /* how many values were */
};

struct filter_ops {
    const char *name;
    int (*open)(void **ret, struct err *err);
    int (*write)(void *filter, const char *bytes, size_t length, struct filter_output *out,
                 struct err *err);
    int (*finish)(void *filter, struct filter_output *out, struct err *err);
    void (*free)(void *filter);
};

/* Ends with a row without a name. */
extern const struct filter_ops filters[];
