/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A token goes only to the server it was given for: the enrollment names the secret, and another
 * one in the pool's configuration is not taken instead.
 */
#include "healthcheck/enroll/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <strings.h>

#include "common/io.h"
#include "common/replace.h"
#include "common/secret.h"
#include "common/url_text.h"
#include "healthcheck/enroll/folder.h"
#include "healthcheck/xapi/secret.h"

/* "token=...\n" */
static int take_from_pool(struct xapi *xapi, const struct config *config,
                          const struct enrollment *enrollment, struct strbuf *text, struct err *err)
{
    char token[XAPI_SECRET_BYTES];
    const char *uuid = config_get(config, CONFIG_UPLOAD_TOKEN);
    if (!uuid || !*uuid)
        return err_set(err, ERR_NOTFOUND,
                       "the pool has no upload token (%s): run 'xen-healthcheck enroll' again",
                       CONFIG_UPLOAD_TOKEN);
    if (enrollment && strcasecmp(uuid, enrollment->token) != 0)
        return err_set(err, ERR_DENIED,
                       "the pool's upload token (%s) is of another enrollment than this host's, so "
                       "it is not sent: run 'xen-healthcheck enroll' again",
                       CONFIG_UPLOAD_TOKEN);
    int r = xapi_secret_get(xapi, uuid, token, sizeof token, err);
    if (r == ERR_NOTFOUND)
        err_prefix(err, r, "the pool's upload token is gone, run 'xen-healthcheck enroll' again");
    if (r < 0)
        return r;
    strbuf_addf(text, "token=%s\n", token);
    secret_forget(token, sizeof token);
    return 0;
}

static int take_from_file(const char *settings, struct strbuf *text, struct err *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/" ENROLLMENT_SECRET, settings);
    int r = secret_check_file(path, err);
    if (r == 0)
        r = folder_read(AT_FDCWD, path, SECRET_MAX_BYTES, text, err);
    if (r == 0 && text->length == 0)
        r = err_set(err, ERR_NOTFOUND, "'%s' is empty", path);
    if (r == ERR_NOTFOUND)
        err_prefix(err, r,
                   "the credentials of this enrollment are gone, run 'xen-healthcheck enroll' "
                   "again");
    return r;
}

/*
 * Says in the file which server it is for: a report of an earlier enrollment may still wait in the
 * spool, and goes to another one.
 */
static void bind_to_server(const struct enrollment *enrollment, struct strbuf *text)
{
    if (!enrollment)
        return;
    const char *end = text->data[text->length - 1] == '\n' ? "" : "\n";
    strbuf_addf(text, "%sfor=%.*s\n", end, (int)url_text_origin_length(enrollment->url),
                enrollment->url);
}

static int keep(const char *folder, const struct strbuf *text, struct err *err)
{
    CLEANUP_FD int fd = -1;
    int r = folder_open(folder, 0700, &fd, err);
    return r == 0 ? replace_file(fd, folder, CREDENTIAL_NAME, text->data, text->length, 0600, err)
                  : r;
}

int credential_write(struct xapi *xapi, const struct config *config,
                     const struct enrollment *enrollment, const char *settings, const char *folder,
                     bool *ret_written, struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    if (enrollment && !enrollment->url[0])
        enrollment = NULL;
    bool has_token = config && config_get(config, CONFIG_UPLOAD_TOKEN);
    bool wants_token = enrollment ? enrollment->credential == ENROLLMENT_XAPI_TOKEN : has_token;
    int r = folder_reserve(&text, err);
    if (r < 0)
        return r;
    if (enrollment && enrollment->credential == ENROLLMENT_LOCAL)
        r = take_from_file(settings, &text, err);
    else if (wants_token && !(xapi && config))
        r = err_set(err, ERR_AGAIN, "the upload token is in XAPI, which does not answer");
    else if (wants_token)
        r = take_from_pool(xapi, config, enrollment, &text, err);
    bool any = text.length > 0;
    if (r == 0 && any)
        bind_to_server(enrollment, &text);
    if (r == 0 && !strbuf_ok(&text))
        r = err_nomem(err);
    if (r == 0)
        r = any ? keep(folder, &text, err) : credential_wipe(folder, err);
    secret_release(&text);
    if (r == 0)
        *ret_written = any;
    return r;
}

int credential_wipe(const char *folder, struct err *err)
{
    CLEANUP_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "cannot open '%s'", folder);
    return folder_wipe(fd, folder, CREDENTIAL_NAME, err);
}
