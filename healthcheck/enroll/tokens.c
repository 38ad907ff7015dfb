/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Asking a service is the uploader's business: it has the TLS, the proxy and the certificates. What
 * it gets comes back in a file, in a folder that only we can read, and is wiped from there.
 */
#include "healthcheck/enroll/tokens.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/io.h"
#include "common/replace.h"
#include "common/secret.h"
#include "common/url_text.h"
#include "healthcheck/enroll/folder.h"
#include "healthcheck/enroll/uploader.h"

#define GRANT_LIMIT_MS 180000 /* four questions to a service */
#define GRANT_FILE     "grant.json"
#define MAX_GRANT      16384
#define VALUE_BYTES    2048
#define PLACE_BYTES    512 /* of for=: a scheme, a host and a port */
#define SCHEME         "cis+"

bool tokens_are_granted(const char *url)
{
    return strncasecmp(url, SCHEME, strlen(SCHEME)) == 0;
}

void tokens_forget(struct tokens *tokens)
{
    secret_forget(tokens, sizeof *tokens);
}

static int take_token(const json_t *object, const char *key, char *ret, struct err *err)
{
    const json_t *value = json_object_get(object, key);
    size_t length = json_string_length(value);
    if (length >= XAPI_SECRET_BYTES || strlen(length ? json_string_value(value) : "") != length)
        return err_set(err, ERR_PARSE, "the service gave a token that cannot be one");
    memcpy(ret, length ? json_string_value(value) : "", length + 1);
    return 0;
}

static int take_grant(int dirfd, struct tokens *tokens, struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    int r = folder_read(dirfd, GRANT_FILE, MAX_GRANT, &text, err);
    json_auto_t *object =
        r == 0 ? json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL) : NULL;
    secret_release(&text);
    if (r == 0)
        r = take_token(object, "upload_token", tokens->upload, err);
    if (r == 0)
        r = take_token(object, "diagnostic_token", tokens->diagnostic, err);
    if (r == 0 && !tokens->upload[0])
        r = err_set(err, ERR_PARSE, "xen-upload brought no token from the service");
    return r;
}

static int get_grant(const struct enroll_place *place, const struct enroll_request *request,
                     struct tokens *tokens, struct err *err)
{
    char output[PATH_MAX];
    CLEANUP_FD int fd = -1;
    snprintf(output, sizeof output, "%s/" GRANT_FILE, place->runtime);
    int r = secret_check_file(request->credentials, err); /* before a service is asked */
    if (r == 0)
        r = folder_open(place->runtime, 0700, &fd, err);
    if (r < 0)
        return r;
    const char *const words[] = {"--grant",
                                 request->url + strlen(SCHEME),
                                 "--credentials",
                                 request->credentials,
                                 "--output",
                                 output,
                                 NULL};
    r = uploader_run(place, words, true, GRANT_LIMIT_MS, err);
    if (r == 0)
        r = take_grant(fd, tokens, err);
    folder_wipe(fd, place->runtime, GRANT_FILE, NULL);
    return r;
}

static int check_place(const char *path, const char *place, const char *url, struct err *err)
{
    if (!*place || url_text_same_origin(place, url))
        return 0;
    return err_set(err, ERR_DENIED, "'%s' is for %s alone (for=), and the URL is another server's",
                   path, place);
}

/*
 * The lines of a file for xen-upload, as far as it knows them. Which server they are for is not
 * kept: the enrollment says it.
 */
static int take_lines(const char *path, const char *url, struct tokens *tokens, struct err *err)
{
    static const char *const keys[] = {"username", "password", "access_key", "secret_key",
                                       "session_token"};
    char values[ARRAY_SIZE(keys)][VALUE_BYTES], place[PLACE_BYTES] = "";
    struct secret_field fields[ARRAY_SIZE(keys) + 3];
    size_t used = 0;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        fields[i] = (struct secret_field){keys[i], values[i], VALUE_BYTES};
    fields[ARRAY_SIZE(keys)] = (struct secret_field){"token", tokens->upload, VALUE_BYTES};
    fields[ARRAY_SIZE(keys) + 1] = (struct secret_field){"for", place, sizeof place};
    fields[ARRAY_SIZE(keys) + 2] = (struct secret_field){.key = NULL};
    int r = secret_read_fields(path, fields, err);
    if (r == 0)
        r = check_place(path, place, url, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(keys); i++) {
        int n = *values[i] ? snprintf(tokens->lines + used, sizeof tokens->lines - used, "%s=%s\n",
                                      keys[i], values[i])
                           : 0;
        if (n < 0 || used + (size_t)n >= sizeof tokens->lines)
            r = err_set(err, ERR_LIMIT, "'%s' is too long", path);
        used += (size_t)n;
    }
    secret_forget(values, sizeof values);
    if (r == 0 && !tokens->lines[0] == !tokens->upload[0])
        r = err_set(err, ERR_PARSE, "'%s' must hold either a token or other credentials", path);
    return r;
}

int tokens_get(const struct enroll_place *place, const struct enroll_request *request,
               struct tokens *ret, struct err *err)
{
    struct tokens tokens = {.upload = ""};
    int r = 0;
    if (request->token)
        r = secret_read_text(request->token, tokens.upload, sizeof tokens.upload, err);
    else if (request->credentials && tokens_are_granted(request->url))
        r = get_grant(place, request, &tokens, err);
    else if (request->credentials)
        r = take_lines(request->credentials, request->url, &tokens, err);
    else if (tokens_are_granted(request->url))
        r = err_set(err, ERR_USAGE,
                    "the service wants a token: give --token FILE, or --credentials FILE with "
                    "username= and password= to get one");
    if (r == 0)
        *ret = tokens;
    tokens_forget(&tokens);
    return r;
}
