/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The file rules/facts.yaml, compiled into the program.
 */
#pragma once

#include "common/embed.h"

extern const struct embedded_file embedded_facts[];
