/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The map is written before the archive gets its name: names could not be turned back without it,
 * while a map without an archive, which a kill may leave, hurts nobody and is replaced by the next
 * run of that name.
 */
#include "collector/cli/conceal.h"

#define MAP_SUFFIX ".map"

struct closing {
    struct obfuscator *obfuscator;
    const char *map;
    bool written;
};

int conceal_open(const struct options *options, const char *root, const char *host_name,
                 struct conceal *ret, struct err *err)
{
    struct conceal conceal = {.obfuscator = NULL};
    int r = 0;
    if (options->obfuscate)
        r = obfuscator_open(options->obfuscate, root, host_name, &conceal.obfuscator, err);
    if (r == 0 && options->obfuscate && options->outfd >= 0)
        r = leak_search_new(conceal.obfuscator, &conceal.leaks, err);
    if (r < 0)
        conceal_release(&conceal);
    else
        *ret = conceal;
    return r;
}

void conceal_start(const struct conceal *conceal, struct run *run)
{
    run->obfuscator = conceal->obfuscator;
    run->leaks = conceal->leaks;
}

void conceal_describe(const struct conceal *conceal, struct run_log *log)
{
    struct strbuf line = STRBUF_INIT;
    if (!conceal->obfuscator)
        return;
    obfuscator_describe(conceal->obfuscator, &line);
    run_log_add(log, "%s", line.data);
    strbuf_release(&line);
}

static int check(void *context, int fd, struct err *err)
{
    struct closing *closing = context;
    int r = obfuscator_search(closing->obfuscator, fd, err);
    if (r < 0)
        return r;
    unlink(closing->map);
    r = obfuscator_write_map(closing->obfuscator, closing->map, err);
    closing->written = r == 0;
    return r;
}

int conceal_close(struct conceal *conceal, struct destination *destination, struct err *err)
{
    if (!conceal->obfuscator)
        return bundle_close(destination->bundle, err);
    struct strbuf map = STRBUF_INIT;
    size_t folder = strlen(destination->path) - strlen(destination->file);
    strbuf_addf(&map, "%.*s%s" MAP_SUFFIX, (int)folder, destination->path, destination->top);
    struct closing closing = {.obfuscator = conceal->obfuscator, .map = map.data};
    int r = bundle_close_checked(destination->bundle, check, &closing, err);
    if (r < 0 && closing.written)
        unlink(map.data);
    strbuf_release(&map);
    return r;
}

void conceal_release(struct conceal *conceal)
{
    leak_search_free(conceal->leaks);
    obfuscator_free(conceal->obfuscator);
    *conceal = (struct conceal){.obfuscator = NULL};
}
