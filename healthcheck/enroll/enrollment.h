/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What this host itself remembers of its enrollment: enrollment.yaml in /etc/xenhealth, 0600, with
 *
 *     url: cis+https://insight.example/feeds/api/
 *     pool: 6f1c...          # uuid; the word standalone on a host without XAPI
 *     enrolled: 2026-11-22T06:49:22Z
 *     credential: xapi       # none | xapi | file
 *     token: 03b2...         # with xapi: uuid of the secret
 *
 * and beside it upload.credential, 0600, when the credential is not one of XAPI's secrets. The
 * token is named so that one of another enrollment (XenCenter's) is never sent to this one's
 * server.
 */
#pragma once

#include "common/err.h"
#include "common/strbuf.h"
#include "common/url_text.h"

#define ENROLLMENT_URL_BYTES (URL_TEXT_MAX + 1)
#define ENROLLMENT_FILE      "enrollment.yaml"
#define ENROLLMENT_SECRET    "upload.credential"

enum enrollment_credential {
    ENROLLMENT_NO_CREDENTIAL, /* the server wants none, or xen-upload's own settings have it */
    ENROLLMENT_XAPI_TOKEN,    /* UploadToken.Secret of the pool */
    ENROLLMENT_LOCAL,         /* upload.credential */
};

struct enrollment {
    char url[ENROLLMENT_URL_BYTES];
    char pool[40]; /* uuid, or "standalone" */
    char enrolled[32];
    enum enrollment_credential credential;
    char token[40]; /* uuid of XAPI's secret, or "" */
};

/* ERR_NOTFOUND: this host is not enrolled. ERR_PARSE: the file is none of ours; ERR_DENIED: others
 * can write it, so it is not believed. */
int enrollment_load(const char *folder, struct enrollment *ret, struct err *err);

/*
 * Each file atomic; makes the folder when there is none. `lines` is the content of
 * upload.credential for ENROLLMENT_LOCAL, otherwise that file is removed.
 */
int enrollment_save(const char *folder, const struct enrollment *enrollment, const char *lines,
                    struct err *err);

/* What both files hold, to be put back after a failure. */
struct enrollment_backup {
    struct strbuf file, secret;
    bool has_file, has_secret;
};

int enrollment_back_up(const char *folder, struct enrollment_backup *ret, struct err *err);
int enrollment_restore(const char *folder, const struct enrollment_backup *backup, struct err *err);
void enrollment_backup_release(struct enrollment_backup *backup); /* wipes it */

/* Both files. None is no error. */
int enrollment_forget(const char *folder, struct err *err);
