/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Running the other programs: no shell, a process group of its own, a time limit, TERM and then
 * KILL. Whatever the program left running in its group ends with it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/strbuf.h"

struct child_spec {
    const char *const *argv; /* argv[0] is the program's path; NULL ends them */
    int64_t time_limit_ms;
    const atomic_bool *cancelled; /* or NULL; looked at several times a second */
    /* Where output goes, as much as their maximum holds; the rest is read and lost. NULL: to
     * nobody. */
    struct strbuf *out, *errors;
    bool pass_errors; /* to our own standard error, instead */
};

enum child_outcome { CHILD_EXITED, CHILD_SIGNALLED, CHILD_TIMEOUT, CHILD_CANCELLED };

struct child_end {
    enum child_outcome outcome;
    int status; /* exit status or signal */
};

/* Fails only when nothing could be started: ERR_NOTFOUND, ERR_DENIED, ERR_IO. */
int child_run(const struct child_spec *spec, struct child_end *ret, struct err *err);

/*
 * The path of one of our programs: beside the running one, else where they are installed.
 * ERR_NOTFOUND.
 */
int child_find(const char *program, char *ret, size_t size, struct err *err);

/*
 * For people, an error out of an end that is not `exit 0`: "xen-upload: WHY", with the last line of
 * `errors` (or NULL) as far as it is harmless. ERR_TIMEOUT, ERR_CANCELLED, else `code`.
 */
int child_complain(const struct child_spec *spec, const struct child_end *end, int code,
                   struct err *err);
