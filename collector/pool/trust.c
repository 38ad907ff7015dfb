/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The check is a callback in the middle of the handshake, so nothing is sent to a host that is not
 * trusted. Validity times count in both ways.
 */
#include "collector/pool/trust.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "common/io.h"
#include "common/vec.h"

#define MAX_FILE         ((size_t)4 << 20) /* a pool of 64 hosts needs 100 KiB */
#define MAX_FINGERPRINTS 1024              /* two a host, and many to spare */
#define POOL_SERVER      "pool" /* the name under which a host shows its pool certificate */

struct fingerprint {
    unsigned char bytes[SHA256_DIGEST_LENGTH];
};

struct trust {
    SSL_CTX *context;
    VEC(X509 *) known;
    VEC(struct fingerprint) fingerprints; /* of others that are known */
    bool known_only; /* a certificate must be one of them; being signed by one is not enough */
};

static bool is_known(const struct trust *trust, X509 *certificate)
{
    for (size_t i = 0; i < trust->known.count; i++)
        if (X509_cmp(trust->known.items[i], certificate) == 0)
            return true;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (!X509_digest(certificate, EVP_sha256(), digest, &length) || length != SHA256_DIGEST_LENGTH)
        return false;
    for (size_t i = 0; i < trust->fingerprints.count; i++)
        if (memcmp(trust->fingerprints.items[i].bytes, digest, length) == 0)
            return true;
    return false;
}

static int check_times(const X509 *certificate)
{
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
        return X509_V_ERR_CERT_NOT_YET_VALID;
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        return X509_V_ERR_CERT_HAS_EXPIRED;
    return X509_V_OK;
}

static int verify(X509_STORE_CTX *store, void *argument)
{
    const struct trust *trust = argument;
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    int verdict = X509_V_ERR_CERT_UNTRUSTED;
    if (certificate && is_known(trust, certificate))
        verdict = check_times(certificate);
    else if (certificate && !trust->known_only)
        return X509_verify_cert(store) > 0;
    X509_STORE_CTX_set_error(store, verdict);
    return verdict == X509_V_OK;
}

static int parse(struct trust *trust, const struct strbuf *text, const char *path, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(text->data, (int)text->length);
    X509_STORE *store = SSL_CTX_get_cert_store(trust->context);
    X509 *certificate;
    int r = bio ? 0 : err_nomem(err);
    while (r == 0 && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        X509 **slot = vec_push(&trust->known);
        if (!slot) {
            X509_free(certificate);
            r = err_nomem(err);
            break;
        }
        *slot = certificate;
        if (!trust->known_only)
            X509_STORE_add_cert(store, certificate);
    }
    ERR_clear_error(); /* the end of the file is one */
    BIO_free(bio);
    if (r == 0 && trust->known.count == 0 && !trust->known_only)
        r = err_set(err, ERR_NOTFOUND, "'%s' holds no certificate in PEM form", path);
    return r;
}

static int load(const char *path, bool known_only, struct trust **ret, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct err missing = ERR_INIT;
    int r = io_read_file(AT_FDCWD, path, MAX_FILE, &text, &missing);
    if (r < 0 && !known_only)
        return err_pass(err, r, &missing);
    if (r < 0)
        strbuf_clear(&text);
    r = 0;
    struct trust *trust = calloc(1, sizeof *trust);
    if (!trust)
        return err_nomem(err);
    trust->known_only = known_only;
    trust->context = SSL_CTX_new(TLS_client_method());
    if (!trust->context)
        r = err_nomem(err);
    if (r == 0)
        r = parse(trust, &text, path, err);
    if (r < 0) {
        trust_free(trust);
        return r;
    }
    SSL_CTX_set_min_proto_version(trust->context, TLS1_2_VERSION);
    SSL_CTX_set_verify(trust->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(trust->context, verify, trust);
    /* Whether a body is complete is seen from the body. */
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
    SSL_CTX_set_options(trust->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
    *ret = trust;
    return 0;
}

int trust_load_pool(const char *path, struct trust **ret, struct err *err)
{
    return load(path, true, ret, err);
}

int trust_load_file(const char *path, struct trust **ret, struct err *err)
{
    return load(path, false, ret, err);
}

static bool parse_fingerprint(const char *text, struct fingerprint *ret)
{
    size_t length = strlen(text);
    if (length != 3 * sizeof ret->bytes - 1)
        return false;
    for (size_t i = 0; i < sizeof ret->bytes; i++) {
        const char *pair = text + 3 * i;
        const char two[] = {pair[0], pair[1], '\0'};
        if (strspn(two, "0123456789abcdefABCDEF") != 2 || (pair[2] && pair[2] != ':'))
            return false;
        ret->bytes[i] = (unsigned char)strtoul(two, NULL, 16);
    }
    return true;
}

int trust_add_fingerprint(struct trust *trust, const char *fingerprint, struct err *err)
{
    struct fingerprint parsed;
    if (trust->fingerprints.count >= MAX_FINGERPRINTS || !parse_fingerprint(fingerprint, &parsed))
        return 0;
    struct fingerprint *slot = vec_push(&trust->fingerprints);
    if (!slot)
        return err_nomem(err);
    *slot = parsed;
    return 0;
}

void *trust_free(struct trust *trust)
{
    if (!trust)
        return NULL;
    for (size_t i = 0; i < trust->known.count; i++)
        X509_free(trust->known.items[i]);
    vec_free(&trust->known);
    vec_free(&trust->fingerprints);
    SSL_CTX_free(trust->context);
    free(trust);
    return NULL;
}

/* The name that a certificate must hold when it is not known itself. */
static bool expect_name(const struct endpoint *peer, SSL *session)
{
    X509_VERIFY_PARAM *parameters = SSL_get0_param(session);
    if (endpoint_is_address(peer))
        return X509_VERIFY_PARAM_set1_ip_asc(parameters, peer->host);
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(parameters, peer->host, 0) &&
           SSL_set_tlsext_host_name(session, peer->host);
}

int trust_new_session(const struct trust *trust, const struct endpoint *peer, SSL **ret,
                      struct err *err)
{
    SSL *session = SSL_new(trust->context);
    bool ready = session && (trust->known_only ? SSL_set_tlsext_host_name(session, POOL_SERVER) == 1
                                               : expect_name(peer, session));
    if (!ready) {
        SSL_free(session);
        return err_nomem(err);
    }
    *ret = session;
    return 0;
}
