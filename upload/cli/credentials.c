/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * $CREDENTIALS_DIRECTORY is the only thing that is taken from the environment: systemd sets it, and
 * it names a folder, not a secret.
 */
#include "upload/cli/credentials.h"

#include <limits.h>
#include <strings.h>

#include "common/secret.h"
#include "common/url_text.h"
#include "upload/protocols/grant.h"

#define MAX_PLACE 512 /* bytes of for=: a scheme, a host and a port */

const char *credentials_folder(const struct options *options)
{
    const char *folder =
        options->credentials_dir ? options->credentials_dir : getenv("CREDENTIALS_DIRECTORY");
    return folder && *folder ? folder : NULL;
}

static int path_of(const struct options *options, char *ret, size_t size, struct err *err)
{
    const char *folder = credentials_folder(options);
    const char *name = options->credential;
    if (!name) {
        snprintf(ret, size, "%s", options->token ? options->token : options->credentials);
        return 0;
    }
    if (!folder)
        return err_set(err, ERR_USAGE,
                       "'--credential' needs a folder: --credentials-dir DIR, or a systemd unit "
                       "with LoadCredential=");
    if (strchr(name, '/') || name[0] == '.')
        return err_set(err, ERR_USAGE, "the credential '%.60s' must be a name without a path",
                       name);
    if ((size_t)snprintf(ret, size, "%s/%s", folder, name) >= size)
        return err_set(err, ERR_USAGE, "the path of the credential '%.60s' is too long", name);
    return 0;
}

static bool is_for(const struct options *options, const char *origin)
{
    size_t length = url_text_origin_length(origin);
    return !options->origin || (url_text_origin_length(options->origin) == length &&
                                strncasecmp(origin, options->origin, length) == 0);
}

static int load_token(const char *path, struct net_secrets *s, struct err *err)
{
    char text[SECRET_MAX_BYTES + 1];
    int r = secret_read_text(path, text, sizeof text, err);
    if (r == 0 && (r = grant_take_token(text, sizeof text, err)) < 0)
        err_prefix(err, r, "'%s'", path);
    if (r == 0 && strlen(text) >= sizeof s->token)
        r = err_set(err, ERR_PARSE, "'%s' holds more than %zu characters", path,
                    sizeof s->token - 1);
    if (r == 0)
        snprintf(s->token, sizeof s->token, "%s", text);
    secret_forget(text, sizeof text);
    return r;
}

/* The server that the file names: also for a job that was queued before the file was replaced. */
static int check_place(const struct options *options, const char *place, struct err *err)
{
    const char *url = options->grant ? options->grant : options->url;
    if (!*place || url_text_same_origin(place, url))
        return 0;
    return err_set(err, ERR_DENIED, SECRET_ELSEWHERE "%s alone, and %.*s does not get them", place,
                   (int)url_text_origin_length(url), url);
}

int credentials_load(const struct options *options, const char *origin, struct net_secrets *ret,
                     bool *ret_withheld, struct err *err)
{
    char path[PATH_MAX];
    struct net_secrets *s = ret;
    memset(ret, 0, sizeof *ret);
    *ret_withheld = false;
    if (!options->token && !options->credentials && !options->credential)
        return 0;
    if (!is_for(options, origin)) {
        *ret_withheld = true;
        return 0;
    }
    int r = path_of(options, path, sizeof path, err);
    if (r == 0 && options->token)
        return load_token(path, s, err);
    char place[MAX_PLACE] = "";
    const struct secret_field fields[] = {
        {"token", s->token, sizeof s->token},
        {"username", s->user, sizeof s->user},
        {"password", s->password, sizeof s->password},
        {"access_key", s->access_key, sizeof s->access_key},
        {"secret_key", s->secret_key, sizeof s->secret_key},
        {"session_token", s->session_token, sizeof s->session_token},
        {"for", place, sizeof place},
        {NULL, NULL, 0},
    };
    r = r < 0 ? r : secret_read_fields(path, fields, err);
    r = r < 0 ? r : check_place(options, place, err);
    if (r < 0)
        secret_forget(ret, sizeof *ret);
    return r;
}

const char *credentials_describe(const struct options *options, const struct net_secrets *secrets,
                                 char buffer[CREDENTIALS_KIND_MAX])
{
    const char *path = options->token         ? options->token
                       : options->credentials ? options->credentials
                                              : options->credential;
    const char *kind = secrets->access_key[0] && secrets->token[0] ? "a token and an access key"
                       : secrets->access_key[0]                    ? "an access key"
                       : secrets->token[0] && secrets->user[0]    ? "a token, a user and a password"
                       : secrets->token[0]                        ? "a token"
                       : secrets->user[0] && secrets->password[0] ? "a user and a password"
                       : secrets->user[0]                         ? "a user without a password"
                                                                  : NULL;
    if (kind && path)
        snprintf(buffer, CREDENTIALS_KIND_MAX, "%s (from '%.200s')", kind, path);
    else
        snprintf(buffer, CREDENTIALS_KIND_MAX, "none");
    return buffer;
}
