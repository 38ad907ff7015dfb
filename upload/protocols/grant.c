/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Three steps carry what they have in their bodies; the fourth shows the token of the first in a
 * header, and headers of that kind are made by net alone: so it gets a net of its own, which knows
 * that token and no other secret.
 */
#include "upload/protocols/grant.h"

#include <jansson.h>
#include <time.h>

#include "common/replace.h"
#include "common/secret.h"
#include "upload/protocols/cis_answer.h"

#define PATH_IDENTITY   "/auth/api/create_identity/"
#define PATH_GRANT      "/feeds/api/create_grant/"
#define PATH_UPLOAD     "/feeds/api/create_upload/"
#define PATH_DIAGNOSTIC "/diag_sdk/token_grant/"
#define PATH_BASE       "/feeds/api" /* what users copy from the URL of uploads */
#define AGENT           "XenServer"  /* services know this one */
#define SCHEMA          "xenhealth-grant/1"

/* XenCenter's. */
#define PRODUCT_KEY "1a2d94a4263cd016dd7a7d510bde87f058a0b75d"

#define MAX_TOKEN sizeof(((struct grant *)0)->upload_token)

static void wipe_text(char **text)
{
    secret_free(*text);
}

static void wipe_answer(struct net_answer *answer)
{
    secret_release(&answer->body);
    net_answer_release(answer);
}

static void wipe_token(char (*token)[MAX_TOKEN])
{
    secret_forget(*token, MAX_TOKEN);
}

static void add_url(struct strbuf *out, const char *base, const char *path)
{
    size_t length = strlen(base), end = strlen(PATH_BASE);
    while (length > 0 && base[length - 1] == '/')
        length--;
    if (length > end && memcmp(base + length - end, PATH_BASE, end) == 0)
        length -= end;
    strbuf_add(out, base, length);
    strbuf_adds(out, path);
}

/* Takes over `body`. On success *ret_token has the answer's token. */
static int ask(struct net *net, const char *service, const char *path, enum net_auth auth,
               const char *what, json_t *body, char *ret_token, int *ret_status, struct err *err)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    CLEANUP(strbuf_release) struct strbuf url = STRBUF_INIT_MAX(NET_MAX_URL);
    json_auto_t *owned = body;
    CLEANUP(wipe_text) char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;
    add_url(&url, service, path);
    if (!text)
        return err_set(err, ERR_USAGE, "%s: name, password or key are no UTF-8", what);
    if (!strbuf_ok(&url))
        return err_set(err, ERR_USAGE, "%s: the URL is longer than %d bytes", what, NET_MAX_URL);
    struct net_request request = {.method = "POST",
                                  .url = url.data,
                                  .headers = headers,
                                  .auth = auth,
                                  .body = text,
                                  .body_length = strlen(text)};
    CLEANUP(wipe_answer) struct net_answer answer = {0};
    int r = net_ask(net, &request, &answer, err);
    if (r < 0)
        return err_prefix(err, r, "%s", what);
    *ret_status = answer.status;
    r = net_judge(&answer, what, err);
    if (r < 0)
        return r;
    r = cis_read_token(&answer.body, ret_token, MAX_TOKEN, err);
    return err_prefix(err, r, "%s", what);
}

static int ask_identity(struct net *net, const struct grant_wish *wish, char *ret, struct err *err)
{
    struct err refusal = ERR_INIT;
    int status = 0;
    int r = ask(net, wish->service, PATH_IDENTITY, NET_AUTH_NONE, "logging in",
                json_pack("{s:s, s:s}", "username", wish->user, "password", wish->password), ret,
                &status, &refusal);
    if (r < 0 && status == 403)
        return err_set(err, ERR_DENIED, "the service says that name or password are wrong (403)");
    return err_pass(err, r, &refusal);
}

static int ask_grant(struct net *net, const struct grant_wish *wish, const char *identity,
                     char *ret, struct err *err)
{
    int status;
    json_t *body = json_pack("{s:s}", "identity_token", identity);
    if (wish->expires_s) /* XenCenter leaves it out for what lasts for ever */
        json_object_set_new(body, "expiration", json_integer(wish->expires_s));
    return ask(net, wish->service, PATH_GRANT, NET_AUTH_NONE, "asking for a grant", body, ret,
               &status, err);
}

static int ask_upload(struct net *net, const struct grant_wish *wish, const char *grant, char *ret,
                      struct err *err)
{
    int status;
    return ask(net, wish->service, PATH_UPLOAD, NET_AUTH_NONE, "asking for a token for uploads",
               json_pack("{s:s, s:s, s:I}", "grant_token", grant, "product_key",
                         wish->product_key ? wish->product_key : PRODUCT_KEY, "expiration",
                         (json_int_t)wish->expires_s),
               ret, &status, err);
}

static int ask_diagnostic(const struct net_options *options, const struct grant_wish *wish,
                          const char *identity, char *ret, struct err *err)
{
    struct net_secrets secrets = {0};
    CLEANUP(net_cleanup) struct net *net = NULL;
    struct err refusal = ERR_INIT;
    int status = 0;
    snprintf(secrets.token, sizeof secrets.token, "%s", identity);
    int r = net_new(options, &secrets, &net, err);
    secret_forget(&secrets, sizeof secrets);
    if (r < 0)
        return r;
    r = ask(net, wish->service, PATH_DIAGNOSTIC, NET_AUTH_BT, "asking for a token for results",
            json_pack("{s:s, s:I}", "agent", AGENT, "max_age", (json_int_t)wish->expires_s), ret,
            &status, &refusal);
    if (r < 0 && status == 404) {
        *ret = '\0';
        return 0;
    }
    return err_pass(err, r, &refusal);
}

static int name_upload_url(const struct grant_wish *wish, struct grant *grant, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf url = STRBUF_INIT_MAX(sizeof grant->upload_url - 1);
    strbuf_adds(&url, "cis+");
    add_url(&url, wish->service, PATH_BASE "/");
    if (!strbuf_ok(&url))
        return err_set(err, ERR_USAGE, "the URL of the service is too long");
    memcpy(grant->upload_url, url.data, url.length + 1);
    return 0;
}

int grant_fetch(const struct net_options *options, const struct grant_wish *wish, struct grant *ret,
                struct err *err)
{
    static const struct net_secrets nothing;
    CLEANUP(net_cleanup) struct net *net = NULL;
    CLEANUP(wipe_token) char identity[MAX_TOKEN] = "";
    CLEANUP(wipe_token) char passing[MAX_TOKEN] = "";
    CLEANUP(grant_forget) struct grant grant = {0};
    if (!wish->user || !*wish->user || !wish->password || !*wish->password)
        return err_set(
            err, ERR_USAGE,
            "a grant needs the lines username= and password= in the file of credentials");
    json_set_alloc_funcs(malloc, secret_free);
    int r = name_upload_url(wish, &grant, err);
    if (r == 0)
        r = net_new(options, &nothing, &net, err);
    if (r == 0)
        r = ask_identity(net, wish, identity, err);
    if (r == 0)
        r = ask_grant(net, wish, identity, passing, err);
    if (r == 0)
        r = ask_upload(net, wish, passing, grant.upload_token, err);
    if (r == 0)
        r = ask_diagnostic(options, wish, identity, grant.diagnostic_token, err);
    if (r < 0)
        return r;
    *ret = grant;
    return 0;
}

int grant_write(const struct grant *grant, const char *path, struct err *err)
{
    const char *diagnostic = grant->diagnostic_token;
    char created[32] = "";
    struct tm broken;
    time_t now = time(NULL);
    if (gmtime_r(&now, &broken))
        strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &broken);
    json_auto_t *object =
        json_pack("{s:s, s:s, s:s, s:s?, s:s}", "schema", SCHEMA, "upload_url", grant->upload_url,
                  "upload_token", grant->upload_token, "diagnostic_token",
                  *diagnostic ? diagnostic : NULL, "created", created);
    CLEANUP(wipe_text) char *text = object ? json_dumps(object, 0) : NULL;
    return text ? replace_path(path, text, strlen(text), 0600, err) : err_nomem(err);
}

int grant_take_token(char *text, size_t size, struct err *err)
{
    const char *schema = NULL, *token = NULL;
    if (*text != '{') /* no token begins so */
        return 0;
    json_set_alloc_funcs(malloc, secret_free);
    json_auto_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (json_unpack(object, "{s:s, s:s}", "schema", &schema, "upload_token", &token) < 0 ||
        strcmp(schema, SCHEMA) != 0 || !*token)
        return err_set(err, ERR_PARSE, "is neither a token nor what --grant writes");
    secret_forget(text, size);
    snprintf(text, size, "%s", token);
    return 0;
}

void grant_forget(struct grant *grant)
{
    secret_forget(grant, sizeof *grant);
}
