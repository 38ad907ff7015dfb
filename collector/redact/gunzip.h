/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Unpacking gzip, with ISA-L where it is (three times as fast) and else with zlib.
 */
#pragma once

#include <stddef.h>

#include "common/err.h"

struct gunzip;

enum gunzip_status { GUNZIP_MORE, GUNZIP_MEMBER_END, GUNZIP_DAMAGED };

struct gunzip_step {
    const char *in; /* moved on by what was taken */
    size_t in_left;
    char *out;
    size_t room, made;
};

int gunzip_new(struct gunzip **ret, struct err *err);
void gunzip_free(struct gunzip *gunzip);

/* Takes some input, makes some output. After GUNZIP_MEMBER_END another member may be given. */
enum gunzip_status gunzip_run(struct gunzip *gunzip, struct gunzip_step *step);
