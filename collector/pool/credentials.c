/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Two fields of a file that common/secret.h reads; a name there must be.
 */
#include "collector/pool/credentials.h"

#include "common/secret.h"

int credentials_read(const char *path, struct credentials *ret, struct err *err)
{
    struct credentials found = {.user = ""};
    const struct secret_field fields[] = {
        {"username", found.user, sizeof found.user},
        {"password", found.password, sizeof found.password},
        {NULL, NULL, 0},
    };
    int r = secret_read_fields(path, fields, err);
    if (r == 0 && !found.user[0])
        r = err_set(err, ERR_PARSE, "'%s' has no line username=NAME", path);
    if (r == 0)
        *ret = found;
    credentials_forget(&found);
    return r;
}

void credentials_forget(struct credentials *credentials)
{
    secret_forget(credentials, sizeof *credentials);
}
