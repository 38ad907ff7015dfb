/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A certificate must be valid, lead to a trusted one, be meant for servers, and name the host as an
 * alternative name. libcurl would take the common name where there are no alternative names, which
 * nobody checks when a certificate is signed; so OpenSSL is told to look as well (tls_context), and
 * that is also why libcurl must be the one that uses OpenSSL.
 *
 * Not done: revocation. Neither lists nor OCSP are asked, since dom0 can rarely reach either, and
 * an answer that fails to come would have to be taken for a yes. A pin is the means against a key
 * that was stolen.
 */
#include "upload/net/trust.h"

#include <errno.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "common/secret.h"
#include "upload/net/identity.h"
#include "upload/net/url.h"

/* 112 bits of security: no SHA-1, no MD5, no RSA below 2048 bits, whatever openssl.cnf says. */
#define CIPHERS "DEFAULT@SECLEVEL=2"

#define PIN_CHARACTERS 44 /* of a SHA-256 in Base64 */

static bool is_pin(const char *pin, size_t length)
{
    static const char prefix[] = "sha256//";
    size_t start = sizeof prefix - 1;
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return length == start + PIN_CHARACTERS && memcmp(pin, prefix, start) == 0 &&
           strspn(pin + start, base64) == PIN_CHARACTERS - 1 && pin[length - 1] == '=';
}

static int check_pins(const char *pins, struct err *err)
{
    for (const char *pin = pins;;) {
        size_t length = strcspn(pin, ";");
        if (!is_pin(pin, length))
            return err_set(err, ERR_USAGE,
                           "'--pin' wants the SHA-256 of a public key: sha256//BASE64, several "
                           "with ; between");
        if (pin[length] == '\0')
            return 0;
        pin += length + 1;
    }
}

static int check_proxy(const char *proxy, struct err *err)
{
    static const char *const schemes[] = {"http", "socks5", "socks5h"};
    struct url url;
    int r = url_parse(proxy, &url, err);
    if (r < 0)
        return err_prefix(err, r, "'--proxy'");
    bool known = false;
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        known = known || strcmp(url.scheme, schemes[i]) == 0;
    url_release(&url);
    return known ? 0
                 : err_set(err, ERR_USAGE,
                           "'--proxy' wants http://HOST:PORT, socks5://… or socks5h://…");
}

int trust_check_options(const struct net_options *options, struct err *err)
{
    int r = options->pin ? check_pins(options->pin, err) : 0;
    if (r == 0 && options->proxy)
        r = check_proxy(options->proxy, err);
    if (r == 0 && !options->cert != !options->key)
        r = err_set(err, ERR_USAGE, "'--cert' and '--key' need each other");
    if (r == 0 && options->key)
        r = secret_check_file(options->key, err);
    if (r == 0 && options->identity)
        r = identity_check(options->identity, err);
    if (r == 0 && options->cacert && access(options->cacert, R_OK) < 0)
        r = err_set_errno(err, errno, "cannot read '%s'", options->cacert);
    if (r == 0 && options->known_hosts && access(options->known_hosts, R_OK) < 0)
        r = err_set_errno(err, errno, "cannot read '%s'", options->known_hosts);
    return r;
}

static CURLcode tls_context(CURL *easy, void *context, void *user)
{
    (void)easy;
    const struct net *net = user;
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    struct url url = {.handle = NULL};
    snprintf(url.host, sizeof url.host, "%s", net->host);
    int good = url_host_is_address(&url) ? X509_VERIFY_PARAM_set1_ip_asc(param, net->host)
                                         : X509_VERIFY_PARAM_set1_host(param, net->host, 0);
    return good ? CURLE_OK : CURLE_SSL_CONNECT_ERROR;
}

bool trust_set_tls(struct net *net)
{
    const struct net_options *options = &net->options;
    bool good = true;
    SESSION_SET(net, CURLOPT_SSL_VERIFYPEER, 1L, good);
    SESSION_SET(net, CURLOPT_SSL_VERIFYHOST, 2L, good);
    SESSION_SET(net, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2, good);
    SESSION_SET(net, CURLOPT_SSL_CIPHER_LIST, CIPHERS, good);
    SESSION_SET(net, CURLOPT_SSL_CTX_FUNCTION, tls_context, good);
    SESSION_SET(net, CURLOPT_SSL_CTX_DATA, net, good);
    /* A session that is taken up again would not be verified again. */
    SESSION_SET(net, CURLOPT_SSL_SESSIONID_CACHE, 0L, good);
    if (options->cacert) {
        SESSION_SET(net, CURLOPT_CAINFO, options->cacert, good);
        /* The system's folder would be trusted besides. */
        SESSION_SET(net, CURLOPT_CAPATH, NULL, good);
    }
    if (options->pin)
        SESSION_SET(net, CURLOPT_PINNEDPUBLICKEY, options->pin, good);
    if (options->cert) {
        SESSION_SET(net, CURLOPT_SSLCERT, options->cert, good);
        SESSION_SET(net, CURLOPT_SSLKEY, options->key, good);
        /* Without one OpenSSL would ask at the terminal. */
        SESSION_SET(net, CURLOPT_KEYPASSWD, "", good);
    }
    return good;
}
