/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The command line up to the verb's own options.
 */
#pragma once

#include "common/err.h"

#define ARGUMENTS_CONFIG  "/etc/xenhealth"
#define ARGUMENTS_RUNTIME "/run/xenhealth"

struct arguments {
    const char *settings; /* NULL: healthcheck.yaml in `config`, which need not be there */
    const char *config, *state, *runtime; /* folders */
    const char *verb;                     /* NULL: none was given */
    int count;                            /* what follows the verb, common options taken out */
    char **rest;                          /* NULL-ended; a part of argv, which is rearranged */
};

/* ERR_USAGE. Texts are borrowed from argv. */
int arguments_parse(int argc, char **argv, struct arguments *ret, struct err *err);
