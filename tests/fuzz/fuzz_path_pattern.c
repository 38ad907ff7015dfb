/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * First line: a path pattern; the rest: a path. Captures must lie inside the path.
 */
#include <assert.h>
#include <stdint.h>

#include "analyzer/report/path_pattern.h"
#include "common/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = memchr(data, '\n', size);
    struct arena *arena = arena_new(1 << 20);
    if (!line || !arena || size > 600) {
        arena_free(arena);
        return 0;
    }
    char *text = arena_memdup(arena, data, (size_t)(line - data));
    char *path = arena_memdup(arena, line + 1, size - (size_t)(line + 1 - data));
    struct path_pattern pattern;
    if (path_pattern_compile(arena, text, &pattern, NULL) == 0) {
        struct path_capture captures[PATH_PATTERN_CAPTURES];
        path_pattern_match_log(&pattern, path);
        if (path_pattern_match(&pattern, path, captures))
            for (unsigned i = 0; i < pattern.captures; i++)
                assert(captures[i].length > 0 && captures[i].start >= path &&
                       captures[i].start + captures[i].length <= path + strlen(path));
    }
    arena_free(arena);
    return 0;
}
