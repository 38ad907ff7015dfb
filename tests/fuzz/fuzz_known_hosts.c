/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A file of known hosts: what libssh2 gets of it are whole lines about the one host.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "upload/net/known_hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char name[] = "[store.example.org]:2222 ";
    CLEANUP(strbuf_release) struct strbuf lines = STRBUF_INIT, revoked = STRBUF_INIT;
    known_hosts_choose((const char *)data, size, "store.example.org", 2222, &lines, &revoked);
    assert(strlen(lines.data) == lines.length);
    for (const char *line = lines.data; *line != '\0';) {
        const char *end = strchr(line, '\n');
        assert(end && end - line < 4000);
        assert(strncmp(line, name, sizeof name - 1) == 0);
        line = end + 1;
    }
    return 0;
}
