/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where results go. Files are opened before the reports are read, under a temporary name in the
 * same folder, and get their own name when everything has gone well: whatever happens, a name that
 * was asked for holds a whole result, or what it held before.
 */
#pragma once

#include "analyzer/cli/options.h"
#include "common/strbuf.h"

struct output_file {
    const char *path; /* borrowed; NULL: standard output */
    int fd;
    char *temporary; /* NULL: standard output, a pipe or a device, which is written to at once */
    unsigned mode;
    bool may_replace; /* an existing file */
};

struct outputs {
    struct output_file *files; /* one for each of the options' */
    size_t count;
    struct output_file database; /* --export; fd -1 when there is none */
};

/* ERR_IO, ERR_DENIED, ...: a sentence that names the file. */
int outputs_open(struct outputs *ret, const struct options *options, struct err *err);

/* Empties the temporary files for another try. */
int outputs_restart(struct outputs *outputs, struct err *err);

/* Makes the files durable and gives them their names. */
int outputs_publish(struct outputs *outputs, struct err *err);

/* Removes what was not published. */
void outputs_release(struct outputs *outputs);

int output_write(const struct output_file *file, const struct strbuf *bytes, struct err *err);
