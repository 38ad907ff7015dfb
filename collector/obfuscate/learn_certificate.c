/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Names in certificates: of the subject and the issuer, and the alternative ones. A file may hold
 * several certificates, and the private key too, which is passed over.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "collector/obfuscate/learn.h"

#define MAX_CERTIFICATES 64

static int learn_text(struct names *names, const struct sources *sources, const ASN1_STRING *string,
                      struct err *err)
{
    const char *text = (const char *)ASN1_STRING_get0_data(string);
    size_t length = (size_t)ASN1_STRING_length(string);
    if (length > 2 && memcmp(text, "*.", 2) == 0) {
        text += 2;
        length -= 2;
    }
    return memchr(text, '\0', length) ? 0
                                      : learn_value(names, sources, NAME_HOST, text, length, err);
}

static int learn_common_name(struct names *names, const struct sources *sources,
                             const X509_NAME *name, struct err *err)
{
    int r = 0;
    for (int at = -1; r == 0 && (at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0;)
        r = learn_text(names, sources, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)),
                       err);
    return r;
}

static int learn_alternatives(struct names *names, const struct sources *sources,
                              const X509 *certificate, struct err *err)
{
    GENERAL_NAMES *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int r = 0;
    for (int i = 0; list && r == 0 && i < sk_GENERAL_NAME_num(list); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(list, i);
        if (name->type == GEN_DNS)
            r = learn_text(names, sources, name->d.dNSName, err);
    }
    GENERAL_NAMES_free(list);
    return r;
}

int learn_certificates(struct names *names, const struct sources *sources, const char *text,
                       size_t length, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(text, (int)length);
    X509 *certificate;
    int r = bio ? 0 : err_nomem(err);
    for (int i = 0; r == 0 && i < MAX_CERTIFICATES; i++) {
        certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (!certificate)
            break;
        r = learn_common_name(names, sources, X509_get_subject_name(certificate), err);
        if (r == 0)
            r = learn_common_name(names, sources, X509_get_issuer_name(certificate), err);
        if (r == 0)
            r = learn_alternatives(names, sources, certificate, err);
        X509_free(certificate);
    }
    BIO_free(bio);
    ERR_clear_error(); /* the end of the file counts as an error there */
    return r;
}
