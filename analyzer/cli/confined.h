/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reading reports in the sandbox, again without those that ended their reader.
 */
#pragma once

#include "analyzer/cli/inputs.h"
#include "analyzer/cli/outputs.h"
#include "analyzer/sandbox/sandbox.h"

/* What the confined job sees of the command. */
struct confined {
    struct options *options;
    const struct inputs *inputs;
    const struct outputs *outputs;
    struct sandbox *sandbox;
    bool is_trial; /* to see whether the child survives it: nothing is shown or written */
    size_t trial;  /* ... which reads this input alone */
};

/*
 * A command over the options' operands. The job prepares itself, calls confined_begin(), then
 * confined_reading() before each input, and returns an exit status; it runs in a child, once or
 * more.
 */
typedef int (*confined_job)(struct confined *confined, struct err *err);

/* Opens what the job needs, runs it until it ends well, and publishes its outputs. */
int confined_run(struct options *options, confined_job job, struct err *err);

/* For the job: from here on it can do nothing else. */
int confined_begin(struct confined *confined, struct err *err);

/* For the job: whether an input takes part in this run. */
bool confined_takes(const struct confined *confined, size_t input);

/* For the job: it now reads this input; inputs.list.count: it has read them all and judges. */
void confined_reading(struct confined *confined, size_t input);
