/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Unpacking gzip, with ISA-L where it is (three times as fast) and else with zlib: the half of
 * codec_gzip that has two ways.
 */
#pragma once

#include "collector/redact/codec.h"

int gunzip_new(void **ret, struct err *err);
void gunzip_free(void *gunzip);

/* Takes some input, makes some output. After CODEC_END another member may be given. */
enum codec_status gunzip_run(void *gunzip, struct codec_step *step);
