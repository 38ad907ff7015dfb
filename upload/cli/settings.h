/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The settings file: YAML, a map of options by their names. The command line wins.
 */
#pragma once

#include "common/arena.h"
#include "upload/cli/options.h"

#define SETTINGS_DEFAULT   "/etc/xenhealth/upload.yaml"
#define SETTINGS_MAX_BYTES (64 << 10)

/*
 * Fills in what was not given. `options->settings` must exist, the default file may be missing.
 * Texts live in `arena`. ERR_USAGE with the place; ERR_NOTFOUND, ERR_DENIED, ERR_IO.
 */
int settings_load(struct options *options, struct arena *arena, struct err *err);

/* The same from bytes that `name` is the name of. */
int settings_parse(struct options *options, struct arena *arena, const char *name,
                   const char *bytes, size_t length, struct err *err);
