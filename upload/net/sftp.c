/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Files over SFTP, by libcurl's use of libssh2. What a host key must be like stands in trust.c.
 */
#include "upload/net/session.h"
#include "upload/net/trust.h"

#define MAX_COMMAND 2048

static int begin(struct net *net, struct exchange *exchange, const char *url, struct err *err)
{
    if (!net->options.known_hosts)
        return err_set(err, ERR_USAGE, "SFTP needs to know the server's key: give --known-hosts");
    if (!net->options.identity && !net->secrets.password[0])
        return err_set(err, ERR_USAGE,
                       "SFTP needs a key (--identity) or a password (--credentials)");
    int r = session_begin(net, exchange, url, true, err);
    if (r < 0)
        return r;
    return trust_set_ssh(net) ? 0 : err_set(err, ERR_UNSUPPORTED, "libcurl cannot do SFTP here");
}

static size_t drop(char *bytes, size_t size, size_t count, void *user)
{
    (void)bytes;
    (void)user;
    return size * count;
}

int net_sftp_size(struct net *net, const char *url, int64_t *ret_size, struct err *err)
{
    struct exchange exchange = {.source = NULL};
    int r = begin(net, &exchange, url, err);
    if (r < 0)
        return r;
    bool good = true;
    SESSION_SET(net, CURLOPT_NOBODY, 1L, good);
    SESSION_SET(net, CURLOPT_WRITEFUNCTION, drop, good);
    if (!good)
        return err_nomem(err);
    r = session_run(net, &exchange, err);
    curl_off_t size = -1;
    if (r == 0)
        curl_easy_getinfo(net->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    if (r == 0)
        *ret_size = size;
    return r;
}

int net_sftp_put(struct net *net, const char *url, const struct source *source, int64_t offset,
                 net_progress progress, void *context, struct err *err)
{
    /* libcurl itself moves the body to where it resumes. */
    struct exchange exchange = {
        .source = source,
        .length = source_size(source),
        .progress = progress,
        .context = context,
    };
    int r = begin(net, &exchange, url, err);
    if (r == 0)
        r = session_send_body(net, &exchange, err);
    if (r < 0)
        return r;
    bool good = true;
    SESSION_SET(net, CURLOPT_NEW_FILE_PERMS, 0600L, good);
    SESSION_SET(net, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)offset, good);
    return good ? session_run(net, &exchange, err) : err_nomem(err);
}

/* A name in a command of libcurl: in quotes, in which quotes and backslashes are escaped. */
static void add_name(const char *name, struct strbuf *out)
{
    strbuf_adds(out, " \"");
    for (; *name; name++) {
        if (*name == '"' || *name == '\\')
            strbuf_addc(out, '\\');
        strbuf_addc(out, *name);
    }
    strbuf_addc(out, '"');
}

static int run_command(struct net *net, const char *url, const char *command, struct err *err)
{
    struct exchange exchange = {.source = NULL};
    int r = begin(net, &exchange, url, err);
    if (r < 0)
        return r;
    struct curl_slist *commands = curl_slist_append(NULL, command);
    bool good = commands;
    SESSION_SET(net, CURLOPT_QUOTE, commands, good);
    SESSION_SET(net, CURLOPT_NOBODY, 1L, good);
    SESSION_SET(net, CURLOPT_WRITEFUNCTION, drop, good);
    r = good ? session_run(net, &exchange, err) : err_nomem(err);
    curl_easy_setopt(net->easy, CURLOPT_QUOTE, NULL);
    curl_slist_free_all(commands);
    return r;
}

int net_sftp_rename(struct net *net, const char *url, const char *from, const char *to,
                    struct err *err)
{
    struct strbuf command = STRBUF_INIT_MAX(MAX_COMMAND);
    strbuf_adds(&command, "rename");
    add_name(from, &command);
    add_name(to, &command);
    int r = strbuf_ok(&command) ? run_command(net, url, command.data, err)
                                : err_set(err, ERR_USAGE, "the path on the server is too long");
    strbuf_release(&command);
    return r;
}
