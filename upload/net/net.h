/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * All that talks to a network: one request, one answer, over libcurl.
 *
 * The rules that keep a token at home are here and nowhere else: TLS 1.2 or newer with a verified
 * certificate, no redirects, no proxy but the one that was named, no .netrc, answers and heads that
 * are bounded, an end to every wait. Protocols say what to ask; they never see a secret, and cannot
 * weaken any of this. Secrets stand in no text of an error.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/strbuf.h"
#include "upload/source/source.h"

#define NET_MAX_URL     8192       /* presigned ones with a session token have 2 KiB */
#define NET_MAX_ANSWER  (64 << 10) /* body: ids, offsets, a list of parts; no server needs more */
#define NET_MAX_HEAD    (32 << 10) /* all headers together */
#define NET_MAX_HEADERS 64

/* How the user wants connections to be made; texts are borrowed, NULL where not given. */
struct net_options {
    const char *proxy; /* "http://host:port", "socks5h://host:port"; never from the environment.
                          Through an HTTP proxy everything goes in a tunnel (CONNECT). */
    const char *proxy_credentials; /* file with username= and password= */
    const char *cacert;            /* PEM file instead of the system's */
    const char
        *pin; /* "sha256//BASE64[;...]" of the server's public key, besides all other checks */
    const char *cert, *key;       /* the client's, PEM files; `key` like a secret */
    const char *known_hosts;      /* of SFTP */
    const char *identity;         /* private key of SFTP, like a secret */
    int64_t rate;                 /* bytes a second, 0: as fast as it goes */
    int64_t patience_s;           /* a connection on which nothing moves is given up; 0: 60 s */
    bool allow_plain;             /* http:// and to 127.0.0.0/8 and [::1] only */
    const atomic_bool *cancelled; /* looked at several times a second */
};

/* What the server knows us by. Filled from files by the command line, wiped by net_free(). */
struct net_secrets {
    char token[2048];
    char user[256], password[512];
    char access_key[256], secret_key[256], session_token[2048];
};

enum net_auth {
    NET_AUTH_NONE,   /* a URL that is itself the permission */
    NET_AUTH_BEARER, /* "Bearer TOKEN", or basic when there are user and password, or nothing */
    NET_AUTH_BT,     /* "BT TOKEN", of the Health Check protocol */
    NET_AUTH_SIGV4,  /* AWS, service s3 */
    NET_AUTH_SSH     /* of SFTP alone: a private key or a password */
};

/* For the bar and for limits of "no progress": bytes of this request's body that went out. */
typedef void (*net_progress)(void *context, int64_t sent);

struct net_request {
    const char *method;
    const char *url;            /* absolute; without user or password */
    const char *const *headers; /* "Name: value", NULL ends the list; NULL: none. Of NET_AUTH_SIGV4
                                   all are signed; without "x-amz-content-sha256" the body is not */
    enum net_auth auth;
    const char *region; /* of NET_AUTH_SIGV4 */
    /* The body: a range of a source, or bytes, or none. */
    const struct source *source;
    int64_t offset, length;
    const void *body;
    size_t body_length;
    net_progress progress;
    void *context;
    /* A success may be told before the body is sent, and is then what counts. Else only a failure
     * may: a success that came too early is none (ERR_AGAIN). */
    bool ends_early;
};

struct net_header {
    char *name, *value;
};

struct net_answer {
    int status;
    struct net_header headers[NET_MAX_HEADERS]; /* of the last head; control characters refused */
    size_t count;
    struct strbuf body;
    int64_t retry_after_s; /* -1: the server said nothing (seconds or a date); at most a day */
};

struct net;

/*
 * Copies the secrets. Clears from this process's environment what libraries would obey (proxies,
 * SSLKEYLOGFILE). ERR_USAGE: an option that cannot be; ERR_DENIED, ERR_NOTFOUND, ERR_PARSE: a file.
 */
int net_new(const struct net_options *options, const struct net_secrets *secrets, struct net **ret,
            struct err *err);
void *net_free(struct net *net); /* returns NULL; wipes */

DEFINE_CLEANUP(net_cleanup, struct net *, net_free)

/*
 * What can be refused without a packet. ERR_USAGE: http:// to another machine, or the keys that
 * `auth` needs are missing; ERR_DENIED: there are credentials, of a kind that does not do. `url`
 * may be NULL.
 */
int net_check(const struct net *net, const char *url, enum net_auth auth, struct err *err);

/*
 * Asks once. 0 means that an answer came, whatever its status (see net_judge()).
 * ERR_AGAIN: no connection, no answer, a cut or stalled one; ERR_DENIED: a certificate, pin or host
 * key that is not trusted; ERR_PARSE: what came is no HTTP or breaks a limit; ERR_CANCELLED;
 * ERR_USAGE, ERR_UNSUPPORTED: a URL that we do not ask. `answer` is to be released in any case.
 */
int net_ask(struct net *net, const struct net_request *request, struct net_answer *answer,
            struct err *err);
void net_answer_release(struct net_answer *answer);

/* The value, or NULL. Names are compared without case. */
const char *net_header(const struct net_answer *answer, const char *name);

/* A whole number that is not negative, or -1; also when the server gave several that differ. */
int64_t net_header_number(const struct net_answer *answer, const char *name);

/*
 * What an HTTP status means for us, in one sentence that starts with `what`. 0 for 2xx.
 * ERR_DENIED: 401, 403, 407. ERR_AGAIN: 408, 425, 429 and 5xx but 501 and 505. ERR_NOTFOUND: 404,
 * 410. ERR_EXISTS: 409, 412. ERR_LIMIT: 413. ERR_UNSUPPORTED: 3xx (names the host it leads to,
 * nothing more) and all others.
 */
int net_judge(const struct net_answer *answer, const char *what, struct err *err);

/*
 * Resolves `location` (an absolute or relative reference of a header) against `base`. The result
 * must have the origin of `base` (scheme, host, port): a token must never go anywhere else.
 * ERR_DENIED with the other origin's host; ERR_PARSE.
 */
int net_same_origin(const char *base, const char *location, struct strbuf *ret, struct err *err);

/*
 * Files over SFTP, each named by its URL "sftp://host[:port]/path". The host's key must be known:
 * options.known_hosts, or when that is NULL ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts. The
 * user is secrets.user, or who we are; a password or options.identity proves it.
 * ERR_NOTFOUND: no such file or folder; ERR_EXISTS; ERR_DENIED: a host key that is not known or
 * another one, or the server does not let us in, or not there; ERR_AGAIN; the rest as net_ask().
 * The first three open the file for reading; ERR_UNSUPPORTED: it, or its folder, does not let us.
 */
int net_sftp_size(struct net *net, const char *url, int64_t *ret_size, struct err *err);

/* The same question for less: the connection stays, unless the file is longer. */
int net_sftp_has_size(struct net *net, const char *url, int64_t size, bool *ret, struct err *err);

/* Whether a folder can be listed there; its URL ends in a slash. */
bool net_sftp_is_folder(struct net *net, const char *url);

/* SHA-256 of a range of it. ERR_AGAIN when the file ends before. */
int net_sftp_digest(struct net *net, const char *url, int64_t offset, int64_t length,
                    unsigned char ret[DIGEST_BYTES], struct err *err);

/*
 * Writes `source` from `offset` to its end. With 0 a file is made (0600) or emptied; else the file
 * must be there with `offset` bytes, as the rest is appended (libcurl opens it so).
 */
int net_sftp_put(struct net *net, const char *url, const struct source *source, int64_t offset,
                 net_progress progress, void *context, struct err *err);

/*
 * Paths are the server's own, not encoded; `folder` is the URL of any folder there, with a slash at
 * its end. ERR_IO: the server refuses; some give no reason. A server may replace a file `to`,
 * though OpenSSH's does not: ask net_sftp_size() first.
 */
int net_sftp_rename(struct net *net, const char *folder, const char *from, const char *to,
                    struct err *err);
int net_sftp_remove(struct net *net, const char *folder, const char *path, struct err *err);
