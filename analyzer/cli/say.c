/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/cli/commands.h"
#include "common/escape.h"

void say_error(const char *message)
{
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    strbuf_adds(&line, "xen-analyze: ");
    escape_terminal(&line, message, strlen(message), false);
    fprintf(stderr, "%s\n", line.data);
}
