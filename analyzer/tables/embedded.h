/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The YAML files of rules/tables, compiled into the program. Names are relative to that folder.
 */
#pragma once

#include "common/embed.h"

extern const struct embedded_file embedded_tables[];
