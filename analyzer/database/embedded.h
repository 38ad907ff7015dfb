/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The file rules/facts.yaml and others, compiled into the program.
 */
#pragma once

#include "common/embed.h"

extern const struct embedded_file embedded_facts[];

/* rules/differences.yaml */
extern const struct embedded_file embedded_differences[];
