/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The filter that everything goes through, after the filters of its entry: secrets are found by
 * what they look like and what stands next to them.
 *
 * Text is looked at line by line; a line of more than 256 KiB in pieces that overlap by 64 KiB,
 * which is the longest secret that is found as a whole. From the first NUL on the data count as
 * binary: strings end at any control character, and a secret is overwritten in place, so that
 * offsets in a database or table stay right.
 */
#pragma once

#include "collector/redact/filter.h"

struct generic;

int generic_new(struct generic **ret, struct err *err);
int generic_write(struct generic *generic, const char *bytes, size_t length,
                  struct filter_output *out, struct err *err);

/* What follows counts as binary, NUL or not. */
void generic_treat_as_binary(struct generic *generic);

int generic_finish(struct generic *generic, struct filter_output *out, struct err *err);
void *generic_free(struct generic *generic);
