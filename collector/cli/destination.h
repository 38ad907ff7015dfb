/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Where the archive goes and what it is called.
 */
#pragma once

#include "collector/cli/options.h"

struct destination {
    char top[128];  /* folder that holds all members, and base of the file's name */
    char file[160]; /* "" with --outfd */
    char path[4400];
    int spool_fd;                  /* folder for temporary files; -1: there is none */
    struct room *room;             /* there */
    struct compressor *compressor; /* for the bundle and its stages */
    struct bundle *bundle;
};

/*
 * Opens the archive (and creates the folder for it). `epoch` stands in for the clock, -1: the real
 * one. ERR_USAGE: a bad descriptor.
 */
int destination_open(const struct options *options, int64_t epoch, struct destination *ret,
                     struct err *err);

/* Closes what destination_open() opened, except for the bundle. */
void destination_release(struct destination *destination);
