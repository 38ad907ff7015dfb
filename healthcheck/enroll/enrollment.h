/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What this host itself remembers of its enrollment: enrollment.yaml in /etc/xenhealth, 0600, with
 *
 *     url: cis+https://insight.example/feeds/api/
 *     pool: 6f1c...          # uuid; the word standalone on a host without XAPI
 *     enrolled: 2026-11-22T06:49:22Z
 *     credential: token      # none | token | fields, see credential.h
 *
 * and beside it upload.credential, 0600, when the credential is not one of XAPI's secrets.
 */
#pragma once

#include "common/err.h"

#define ENROLLMENT_URL_BYTES 2048
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
};

/* ERR_NOTFOUND: this host is not enrolled. ERR_PARSE: the file is none of ours; ERR_DENIED: others
 * can write it, so it is not believed. */
int enrollment_load(const char *folder, struct enrollment *ret, struct err *err);

/* Atomic. Makes the folder when there is none. */
int enrollment_save(const char *folder, const struct enrollment *enrollment, struct err *err);

/* Both files. None is no error. */
int enrollment_forget(const char *folder, struct err *err);
