/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The folders are those of the XDG Base Directory Specification.
 */
#include "upload/cli/state_folder.h"

#define OF_ROOT "/var/lib/xenhealth/upload"
#define BELOW   "/xenhealth/upload"

int state_folder_find(const char *wanted, struct strbuf *ret, struct err *err)
{
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (wanted)
        strbuf_adds(ret, wanted);
    else if (geteuid() == 0)
        strbuf_adds(ret, OF_ROOT);
    else if (xdg && *xdg == '/') /* a relative one is to be ignored, says the specification */
        strbuf_addf(ret, "%s" BELOW, xdg);
    else if (home && *home == '/')
        strbuf_addf(ret, "%s/.local/state" BELOW, home);
    else
        return err_set(err, ERR_USAGE,
                       "there is no home folder to keep state in: give --state DIR");
    return strbuf_ok(ret) ? 0 : err_nomem(err);
}
