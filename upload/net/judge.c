/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Statuses, in words. What the server itself writes beside its status is not shown: a page of an
 * error often repeats the request, and with it what must not be seen.
 */
#include "upload/net/net.h"

#include "upload/net/url.h"

static const struct verdict {
    int status, code;
    const char *words;
} verdicts[] = {
    {400, ERR_UNSUPPORTED, "the server does not understand the request"},
    {401, ERR_DENIED,
     "the server wants another token or password: look at the file of --token or --credentials"},
    {403, ERR_DENIED, "the server does not allow it with these credentials"},
    {404, ERR_NOTFOUND, "the server knows no such place: look at the URL"},
    {405, ERR_UNSUPPORTED, "the server does not take uploads this way: look at the URL's protocol"},
    {407, ERR_DENIED, "the proxy wants other credentials: look at --proxy-credentials"},
    {408, ERR_AGAIN, "the server has waited too long for us"},
    {409, ERR_EXISTS, "the server has something else in that place"},
    {410, ERR_NOTFOUND, "what was begun there is gone"},
    {411, ERR_UNSUPPORTED, "the server wants a length that was sent: a proxy is in between?"},
    {412, ERR_EXISTS, "the server has something else in that place"},
    {413, ERR_LIMIT, "the file is too large for the server"},
    {415, ERR_UNSUPPORTED, "the server does not take this kind of content"},
    {421, ERR_UNSUPPORTED, "the server is not the one that this URL means"},
    {425, ERR_AGAIN, "the server is not ready for it yet"},
    {429, ERR_AGAIN, "the server asks us to come back later"},
    {500, ERR_AGAIN, "the server has an error of its own"},
    {501, ERR_UNSUPPORTED, "the server cannot do that"},
    {502, ERR_AGAIN, "a server behind the server does not answer"},
    {503, ERR_AGAIN, "the server is too busy or being worked on"},
    {504, ERR_AGAIN, "a server behind the server does not answer in time"},
    {505, ERR_UNSUPPORTED, "the server does not speak HTTP/1.1"},
    {507, ERR_AGAIN, "the server has no room left"},
};

static int redirected(const struct net_answer *answer, const char *what, struct err *err)
{
    char host[URL_HOST_SIZE];
    const char *location = net_header(answer, "Location");
    if (location && url_host(location, host))
        return err_set(err, ERR_UNSUPPORTED,
                       "%s: the server sends us on to '%s' (status %d), where we do not follow: "
                       "name that URL if it is the right one",
                       what, host, answer->status);
    return err_set(err, ERR_UNSUPPORTED,
                   "%s: the server sends us elsewhere (status %d), where we do not follow", what,
                   answer->status);
}

int net_judge(const struct net_answer *answer, const char *what, struct err *err)
{
    int status = answer->status;
    if (status >= 200 && status <= 299)
        return 0;
    if (status >= 300 && status <= 399)
        return redirected(answer, what, err);
    for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
        if (verdicts[i].status == status)
            return err_set(err, verdicts[i].code, "%s: %s (status %d)", what, verdicts[i].words,
                           status);
    return status >= 500 && status <= 599
               ? err_set(err, ERR_AGAIN, "%s: the server failed (status %d)", what, status)
               : err_set(err, ERR_UNSUPPORTED, "%s: the server refuses (status %d)", what, status);
}
