/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The common options may stand before or behind the verb, and a verb parses its own options itself.
 * So the common ones are picked out first; what is left keeps its order.
 */
#include "healthcheck/cli/arguments.h"

#include <string.h>

#include "healthcheck/history/store.h"

struct common_option {
    const char *name;
    const char **to;
};

/* The value of `--name VALUE` or `--name=VALUE`; *ret_taken tells how many arguments that were. */
static int match(const struct common_option *option, int left, char **argv, int *ret_taken,
                 struct err *err)
{
    size_t length = strlen(option->name);
    *ret_taken = 0;
    if (strncmp(argv[0], option->name, length) != 0 ||
        (argv[0][length] != '\0' && argv[0][length] != '='))
        return 0;
    bool joined = argv[0][length] == '=';
    const char *value = joined ? argv[0] + length + 1 : left > 1 ? argv[1] : "";
    if (*value == '\0')
        return err_set(err, ERR_USAGE, "%s needs a path", option->name);
    *option->to = value;
    *ret_taken = joined ? 1 : 2;
    return 0;
}

int arguments_parse(int argc, char **argv, struct arguments *ret, struct err *err)
{
    struct arguments found = {
        .config = ARGUMENTS_CONFIG, .state = STORE_PATH, .runtime = ARGUMENTS_RUNTIME};
    const struct common_option options[] = {{"--settings", &found.settings},
                                            {"--config", &found.config},
                                            {"--state", &found.state},
                                            {"--runtime", &found.runtime}};
    int kept = 1;
    for (int i = 1; i < argc;) {
        int taken = 0;
        for (size_t j = 0; taken == 0 && j < ARRAY_SIZE(options); j++) {
            int r = match(&options[j], argc - i, argv + i, &taken, err);
            if (r < 0)
                return r;
        }
        if (taken == 0)
            argv[kept++] = argv[i++];
        i += taken;
    }
    argv[kept] = NULL;
    if (kept > 1) {
        found.verb = argv[1];
        found.rest = argv + 2;
        found.count = kept - 2;
    }
    *ret = found;
    return 0;
}
