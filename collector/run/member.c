/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * An archive that goes to a descriptor is gone, byte by byte, so each of its members is searched
 * before it goes; an archive in a file is searched when it is complete.
 */
#include "collector/run/member.h"

int member_name(const struct run *run, const char *name, struct strbuf *out, struct err *err)
{
    if (!run->obfuscator) {
        strbuf_addf(out, "%s/%s", run->top, name);
        return strbuf_ok(out) ? 0 : err_nomem(err);
    }
    struct strbuf full = STRBUF_INIT;
    strbuf_addf(&full, "%s/%s", run->top, name);
    int r = strbuf_ok(&full) ? obfuscate_text(run->obfuscator, full.data, full.length, out, err)
                             : err_nomem(err);
    strbuf_release(&full);
    return r;
}

static int look(void *context, const void *bytes, size_t length, struct err *err)
{
    return obfuscation_write(context, bytes, length, err);
}

int member_search(const struct run *run, const char *name, struct stage *stage, struct err *err)
{
    struct obfuscation *stream;
    bool damaged;
    int r = leak_search_member(run->leaks, name, &stream, err);
    if (r < 0)
        return r;
    r = stage_read(stage, look, stream, err);
    if (r == 0)
        r = obfuscation_finish(stream, &damaged, err);
    obfuscation_free(stream);
    return r < 0 ? r : leak_search_verdict(run->leaks, err);
}
