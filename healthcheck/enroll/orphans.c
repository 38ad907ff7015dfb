/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A uuid is no secret, so the notes are a plain file: one a line. A line that is none is skipped;
 * it cannot lead to anything.
 */
#include "healthcheck/enroll/orphans.h"

#include <fcntl.h>
#include <string.h>

#include "common/io.h"
#include "common/replace.h"
#include "healthcheck/enroll/folder.h"
#include "healthcheck/xapi/secret.h"

#define NOTES    "enroll.secrets"
#define MAX_FILE 65536 /* hundreds of failed attempts */

/* What is noted; empty when nothing is. */
static int read_notes(int dirfd, struct strbuf *notes, struct err *err)
{
    struct err own = ERR_INIT;
    int r = io_read_file(dirfd, NOTES, MAX_FILE, notes, &own);
    if (r == ERR_NOTFOUND)
        return 0;
    if (r < 0 && err)
        *err = own;
    return r;
}

int orphans_note(const char *state, const char *const *uuids, size_t count, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
    CLEANUP_FD int fd = -1;
    int r = folder_open(state, 0755, &fd, err);
    if (r == 0)
        r = read_notes(fd, &notes, err);
    if (r < 0)
        return r;
    size_t before = notes.length;
    for (size_t i = 0; i < count; i++)
        if (uuids[i] && xapi_is_uuid(uuids[i]))
            strbuf_addf(&notes, "%s\n", uuids[i]);
    if (!strbuf_ok(&notes))
        return err_nomem(err);
    return notes.length > before
               ? replace_file(fd, state, NOTES, notes.data, notes.length, 0600, err)
               : 0;
}

int orphans_settle(const char *state, struct xapi *xapi, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
    CLEANUP(config_cleanup) struct config *config = NULL;
    CLEANUP_FD int fd = -1;
    char *save = NULL;
    int r = folder_open(state, 0755, &fd, err);
    if (r == 0)
        r = read_notes(fd, &notes, err);
    if (r < 0 || notes.length == 0)
        return r;
    r = config_read(xapi, &config, err);
    for (char *uuid = strtok_r(notes.data, "\n", &save); r == 0 && uuid;
         uuid = strtok_r(NULL, "\n", &save))
        if (!config_has_value(config, uuid))
            r = xapi_secret_destroy(xapi, uuid, err);
    return r == 0 ? replace_remove(fd, state, NOTES, err) : r;
}
