/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Name and password of a person become tokens of a machine, which alone are kept.
 */
#include "upload/cli/grant_command.h"

#include <strings.h>

#include "common/replace.h"
#include "common/secret.h"
#include "common/url_text.h"
#include "upload/cli/credentials.h"
#include "upload/protocols/grant.h"

static int check_url(const struct options *options, struct err *err)
{
    const char *url = options->grant;
    struct url_text parts;
    bool safe = strncasecmp(url, "https://", 8) == 0 ||
                (strncasecmp(url, "http://", 7) == 0 && options->net.allow_plain);
    if (!safe || !url_text_split(url, &parts))
        return err_set(err, ERR_USAGE,
                       "'--grant' needs the address of the service: https://HOST; a password goes "
                       "there");
    int r = url_text_check_signs(url, err);
    if (r == 0)
        r = url_text_check_authority(&parts, false, err);
    return err_prefix(err, r, "'--grant'");
}

/* Before anything is asked for: a token that is granted and then cannot be written stays valid. */
static int check_output(const char *path, struct err *err)
{
    struct err why = ERR_INIT;
    return replace_check(path, &why) == 0
               ? 0
               : err_set(err, ERR_USAGE, "the tokens cannot be written: %s", why.text);
}

static int fetch(const struct options *options, const struct net_secrets *secrets,
                 const atomic_bool *cancelled, struct grant *ret, struct err *err)
{
    struct net_options net = options->net;
    net.cancelled = cancelled;
    if (!secrets->user[0] || !secrets->password[0])
        return err_set(err, ERR_USAGE,
                       "'--grant' needs a file with username= and password=: --credentials FILE");
    const struct grant_wish wish = {
        .service = options->grant,
        .user = secrets->user,
        .password = secrets->password,
        .product_key = options->product_key,
        .expires_s = options->expires_s,
    };
    return grant_fetch(&net, &wish, ret, err);
}

int grant_command(const struct options *options, const atomic_bool *cancelled, struct err *err)
{
    struct net_secrets secrets = {.user = ""};
    struct grant grant = {.upload_url = ""};
    bool withheld;
    int r = check_url(options, err);
    if (r == 0)
        r = check_output(options->output, err);
    if (r == 0)
        r = credentials_load(options, options->grant, &secrets, &withheld, err);
    if (r == 0)
        r = fetch(options, &secrets, cancelled, &grant, err);
    if (r == 0)
        r = grant_write(&grant, options->output, err);
    if (r == 0)
        printf("Tokens are in '%s'; upload with --token of that file to %s\n", options->output,
               grant.upload_url);
    secret_forget(&secrets, sizeof secrets);
    grant_forget(&grant);
    return r;
}
