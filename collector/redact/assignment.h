/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The name in front of a value, for the two files that look for the value: detect_assignment.c and
 * loose.c.
 */
#pragma once

#include "collector/redact/detect.h"
#include "collector/redact/secrets.h"

struct key {
    const char *from, *to;
    const char *start; /* before its own opening quote */
    bool option;       /* it had dashes in front */
    bool quoted;       /* it ends with a quote */
    bool list;         /* a bracket stands before its quote: ('key', 'value') */
    bool element;      /* <key */
    bool query;        /* ?key or &key of a URL */
    bool variable;     /* $key or ${key: code that uses a secret */
    const char *after; /* behind the key and its quote */
};

/*
 * A value whose end its form tells: "(name value)", "{ name value; }".
 */
bool loose_value_find_ended(const struct passage *line, const struct key *key,
                            enum secret_kind kind, struct finding *ret);

/*
 * The value that nothing but a blank or a word of English separates from its name: 'password "x"',
 * "the password is x1y2z3". *ret is where it begins.
 */
bool loose_value_find(const struct passage *line, const struct key *key, enum secret_kind kind,
                      const char **ret);
