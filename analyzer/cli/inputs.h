/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The REPORTs of a command line, opened before anybody looks into one.
 *
 * The reader is confined (analyzer/sandbox) and cannot open anything, so everything that shall be
 * read goes through here. A report that ended its reader is marked as rejected, and the next try
 * goes without it.
 */
#pragma once

#include <stdint.h>

#include "analyzer/cli/options.h"
#include "common/vec.h"

struct input {
    const char *path; /* borrowed */
    int fd;           /* -1: it could not be opened, for the reason `failure` */
    char *failure;
    int64_t start; /* where reading begins, for a second try; -1: it can be read only once */
    int64_t size;  /* of a file, else -1 */
    bool is_folder;
    bool is_baseline; /* to compare with */
    char *rejected;   /* why it is left out, or NULL */
};

struct inputs {
    VEC(struct input) list;
};

/* Opens what can be opened. Only ERR_NOMEM. */
int inputs_open(struct inputs *inputs, const string_list *paths, bool is_baseline, struct err *err);
/* Says what could not be. */
void inputs_say_failures(const struct inputs *inputs);
void inputs_release(struct inputs *inputs);

/* Those that can be read: opened, and not rejected. */
bool input_is_left(const struct input *input);
size_t inputs_left(const struct inputs *inputs);

/* Leaves one out from now on. `why` goes on after "the reader". ERR_NOMEM. */
int inputs_reject(struct inputs *inputs, size_t index, const char *why, struct err *err);

/*
 * Makes ready for the next try, after one that came as far as the report `reached`: what was read
 * from a pipe is gone, so that is rejected. ERR_NOMEM.
 */
int inputs_rewind(struct inputs *inputs, size_t reached, struct err *err);
