/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Data files compiled into a program (cmake/Embed.cmake). A table ends with a row whose name is
 * NULL. Everything here is constant and lives as long as the program.
 */
#pragma once

struct embedded_file {
    const char *name; /* relative path, for example "storage/root-fs-full.yaml" */
    const char *data; /* first byte; a NUL follows the last one */
    const char *end;  /* one past the last byte; NULL: `data` is a packed document (doc_packed.h) */
};
