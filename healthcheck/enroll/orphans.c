/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Neither a uuid nor a mark is a secret, so the notes are a plain file: one a line, "uuid" or
 * "mark HEX". A line that is neither is skipped; it cannot lead to anything.
 */
#include "healthcheck/enroll/orphans.h"

#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include "common/hex.h"
#include "common/io.h"
#include "common/replace.h"
#include "healthcheck/enroll/folder.h"
#include "healthcheck/xapi/secret.h"

#define NOTES      "enroll.secrets"
#define MAX_FILE   65536 /* hundreds of failed attempts */
#define MARK       "mark "
#define MARK_BYTES 16
#define A_MARK_HAS 8 /* secrets; an attempt creates two */

/* What is noted; empty when nothing is. */
static int open_notes(const char *state, int *ret, struct strbuf *notes, struct err *err)
{
    struct err own = ERR_INIT;
    int r = folder_open(state, 0755, ret, err);
    if (r < 0)
        return r;
    r = io_read_file(*ret, NOTES, MAX_FILE, notes, &own);
    return r == ERR_NOTFOUND ? 0 : err_pass(err, r, &own);
}

static int save(const char *state, int fd, const struct strbuf *notes, struct err *err)
{
    if (!strbuf_ok(notes))
        return err_nomem(err);
    if (notes->length == 0)
        return replace_remove(fd, state, NOTES, err);
    return replace_file(fd, state, NOTES, notes->data, notes->length, 0600, err);
}

int orphans_begin(const char *state, char ret_mark[ORPHANS_MARK_BYTES], struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
    CLEANUP_FD int fd = -1;
    unsigned char random[MARK_BYTES];
    int r = open_notes(state, &fd, &notes, err);
    if (r < 0)
        return r;
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return err_set(err, ERR_IO, "the system gives no random numbers");
    hex_write(random, sizeof random, ret_mark);
    strbuf_addf(&notes, MARK "%s\n", ret_mark);
    return save(state, fd, &notes, err);
}

int orphans_named(const char *state, const char *mark, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT, rest = STRBUF_INIT;
    CLEANUP_FD int fd = -1;
    char *place = NULL;
    int r = open_notes(state, &fd, &notes, err);
    for (char *line = strtok_r(notes.data, "\n", &place); line; line = strtok_r(NULL, "\n", &place))
        if (strncmp(line, MARK, strlen(MARK)) != 0 || strcmp(line + strlen(MARK), mark) != 0)
            strbuf_addf(&rest, "%s\n", line);
    return r == 0 ? save(state, fd, &rest, err) : r;
}

int orphans_note(const char *state, const char *const *uuids, size_t count, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
    CLEANUP_FD int fd = -1;
    int r = open_notes(state, &fd, &notes, err);
    size_t before = notes.length;
    for (size_t i = 0; i < count; i++)
        if (uuids[i] && xapi_is_uuid(uuids[i]))
            strbuf_addf(&notes, "%s\n", uuids[i]);
    return r == 0 && notes.length > before ? save(state, fd, &notes, err) : r;
}

static int destroy(struct xapi *xapi, const struct config *config, const char *uuid,
                   struct err *err)
{
    return config_has_value(config, uuid) ? 0 : xapi_secret_destroy(xapi, uuid, err);
}

static int destroy_marked(struct xapi *xapi, const struct config *config, const char *mark,
                          struct err *err)
{
    char uuids[A_MARK_HAS][XAPI_UUID_BYTES];
    size_t count = 0;
    int r = xapi_secret_find(xapi, mark, uuids, A_MARK_HAS, &count, err);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = destroy(xapi, config, uuids[i], err);
    return r;
}

int orphans_settle(const char *state, struct xapi *xapi, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
    CLEANUP(config_cleanup) struct config *config = NULL;
    CLEANUP_FD int fd = -1;
    char *place = NULL;
    int r = open_notes(state, &fd, &notes, err);
    if (r < 0 || notes.length == 0)
        return r;
    r = config_read(xapi, &config, err);
    for (char *line = strtok_r(notes.data, "\n", &place); r == 0 && line;
         line = strtok_r(NULL, "\n", &place))
        r = strncmp(line, MARK, strlen(MARK)) == 0
                ? destroy_marked(xapi, config, line + strlen(MARK), err)
                : destroy(xapi, config, line, err);
    return r == 0 ? replace_remove(fd, state, NOTES, err) : r;
}
