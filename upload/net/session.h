/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the parts of net share: one libcurl handle, and one exchange (a request with its answer)
 * while it is under way.
 */
#pragma once

#include <curl/curl.h>

#include "upload/net/answer.h"
#include "upload/net/net.h"

struct net {
    struct net_options options;
    struct net_secrets secrets;
    char proxy_user[256], proxy_password[512];
    bool global; /* libcurl is initialised */
    CURL *easy;
    bool never_continues; /* the server has ignored "Expect: 100-continue" */
    CURLM *multi;         /* keeps the connection from one request to the next */
    char host[256];       /* of the exchange, as the certificate must name it */
    char origin[300];     /* of the exchange, for people: "https://host:port" */
    char reason[CURL_ERROR_SIZE];
    bool hung_up;    /* of SFTP: the other end had closed the connection that was closed last */
    unsigned denied; /* logins in a row that failed on a connection that ended so */
};

struct exchange {
    struct net *net;
    const struct source *source;
    const char *body;
    int64_t offset, length; /* of the body, in `source` or `body` */
    int64_t given;          /* bytes of it that libcurl has taken */
    net_progress progress;
    void *context;
    struct answer_reader *reader; /* of HTTP; NULL else */
    bool ends_early;
    struct err err;  /* why we ended it ourselves */
    CURLcode result; /* libcurl's, when it was carried out; net->reason has its words */
};

/*
 * Makes the handle ready for an exchange with `url` (https:// or http://, or else sftp://): all
 * that is the same for every request, and all that protects.
 */
int session_begin(struct net *net, struct exchange *exchange, const char *url, bool is_sftp,
                  struct err *err);

/* The body of the exchange is what is sent. */
int session_send_body(struct net *net, struct exchange *exchange, struct err *err);

/* Carries it out. 0, or why not (as net_ask()). */
int session_run(struct net *net, struct exchange *exchange, struct err *err);

/* curl_easy_setopt() with a check: an option that is not there is a reason not to go on. */
#define SESSION_SET(net, option, value, good)                                                      \
    ((good) = (good) && curl_easy_setopt((net)->easy, (option), (value)) == CURLE_OK)
