/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Files over SFTP, by libcurl's use of libssh2.
 *
 * libcurl knows uploads, downloads and a few commands, and no question "how large". But it knows
 * the size before the first byte of a download comes, and ends one that begins exactly at the end
 * of the file without moving anything; the first costs the connection, the second does not. It
 * renames as SFTP 3 does, which OpenSSH refuses when the new name is taken, and which other servers
 * may not: who calls looks first.
 *
 * Neither agents nor keys of the home folder are used, only what was named.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <pwd.h>
#include <sys/socket.h>

#include "common/escape.h"
#include "common/io.h"
#include "common/units.h"
#include "upload/net/known_hosts.h"
#include "upload/net/session.h"
#include "upload/net/url.h"

#define MAX_COMMAND 8192
#define MAX_DENIED  3 /* times, until what looks like a cut is taken for a no */
#define USER_SIZE   256

struct call {
    struct exchange exchange;
    const char *url;
    int known_hosts; /* a file in memory */
    char user[USER_SIZE];
    /* Of a download. */
    EVP_MD_CTX *digest; /* NULL: nothing is wanted */
    int64_t wanted, got;
    struct curl_slist *commands;
};

#define CALL_INIT                                                                                  \
    {                                                                                              \
        .known_hosts = -1                                                                          \
    }

static void call_release(struct call *call)
{
    io_close(&call->known_hosts);
    EVP_MD_CTX_free(call->digest);
    curl_slist_free_all(call->commands);
}

/* Only keys that are in the file are fine; the file was chosen to hold no other host's. */
static int judge_host_key(CURL *easy, const struct curl_khkey *known,
                          const struct curl_khkey *found, enum curl_khmatch match, void *user)
{
    struct exchange *exchange = user;
    (void)easy, (void)known, (void)found;
    if (match == CURLKHMATCH_OK)
        return CURLKHSTAT_FINE;
    const char *file = exchange->net->options.known_hosts;
    err_set(&exchange->err, ERR_DENIED,
            "%s has another host key than %s says: somebody is in between, or the host was set up "
            "anew (then ssh-keygen -R removes the old key)",
            exchange->net->origin, file ? file : "~/.ssh/known_hosts or /etc/ssh/ssh_known_hosts");
    return CURLKHSTAT_REJECT;
}

static int open_known_hosts(struct net *net, struct call *call, struct err *err)
{
    struct url url;
    int64_t port = 22;
    int r = url_parse(call->url, &url, err);
    if (r < 0)
        return r;
    units_integer(url.port, &port);
    r = known_hosts_open(net->options.known_hosts, url.host, (int)port, &call->known_hosts, err);
    url_release(&url);
    return r;
}

static bool set_user(struct net *net, struct call *call)
{
    const struct passwd *self = net->secrets.user[0] ? NULL : getpwuid(geteuid());
    bool good = true;
    snprintf(call->user, sizeof call->user, "%s",
             self && self->pw_name ? self->pw_name : net->secrets.user);
    SESSION_SET(net, CURLOPT_USERNAME, call->user, good);
    return good;
}

/* libcurl tells a login that was refused and one whose connection was cut by the same words. */
static int close_socket(void *user, curl_socket_t fd)
{
    struct net *net = user;
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    net->hung_up = got == 0 || (got < 0 && errno != EAGAIN);
    return close(fd);
}

static bool set_ssh(struct net *net, struct call *call)
{
    const struct net_options *options = &net->options;
    bool good = set_user(net, call);
    char file[64];
    long ways = (options->identity ? CURLSSH_AUTH_PUBLICKEY : 0) |
                (net->secrets.password[0] ? CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD : 0);
    snprintf(file, sizeof file, "/proc/self/fd/%d", call->known_hosts);
    SESSION_SET(net, CURLOPT_SSH_AUTH_TYPES, ways, good);
    SESSION_SET(net, CURLOPT_SSH_KNOWNHOSTS, file, good);
    SESSION_SET(net, CURLOPT_SSH_KEYFUNCTION, judge_host_key, good);
    SESSION_SET(net, CURLOPT_SSH_KEYDATA, &call->exchange, good);
    if (options->identity)
        SESSION_SET(net, CURLOPT_SSH_PRIVATE_KEYFILE, options->identity, good);
    if (net->secrets.password[0])
        SESSION_SET(net, CURLOPT_PASSWORD, net->secrets.password, good);
    SESSION_SET(net, CURLOPT_KEYPASSWD, "", good);
    SESSION_SET(net, CURLOPT_CLOSESOCKETFUNCTION, close_socket, good);
    SESSION_SET(net, CURLOPT_CLOSESOCKETDATA, net, good);
    return good;
}

static size_t take(char *bytes, size_t size, size_t count, void *user)
{
    struct call *call = user;
    size_t length = size * count;
    int64_t left = call->wanted - call->got;
    size_t used = (int64_t)length < left ? length : (size_t)left;
    if (!call->digest || EVP_DigestUpdate(call->digest, bytes, used) != 1)
        return 0;
    call->got += (int64_t)used;
    return used == length ? length : 0;
}

static int begin(struct net *net, struct call *call, const char *url, struct err *err)
{
    bool good = true;
    call->url = url;
    int r = net_check(net, NULL, NET_AUTH_SSH, err);
    if (r == 0)
        r = open_known_hosts(net, call, err);
    if (r == 0)
        r = session_begin(net, &call->exchange, url, true, err);
    if (r < 0)
        return r;
    SESSION_SET(net, CURLOPT_WRITEFUNCTION, take, good);
    SESSION_SET(net, CURLOPT_WRITEDATA, call, good);
    return good && set_ssh(net, call)
               ? 0
               : err_set(err, ERR_UNSUPPORTED, "the libcurl of this system cannot do SFTP (%s)",
                         curl_version());
}

static int tell(const struct net *net, const struct call *call, int code, const char *text,
                struct err *err)
{
    struct strbuf reason CLEANUP(strbuf_release) = STRBUF_INIT_MAX(300);
    escape_terminal(&reason, net->reason, strlen(net->reason), false);
    return err_set(err, code, "%s: %s (user '%s': %s)", net->origin, text, call->user,
                   reason.length > 0 ? reason.data : "no reason given");
}

/* A server may also hang up to say no, but then it does so each time. */
static int judge_login(struct net *net, const struct call *call, struct err *err)
{
    if (net->hung_up && ++net->denied < MAX_DENIED)
        return tell(net, call, ERR_AGAIN, "the connection ended during the login", err);
    return tell(
        net, call, ERR_DENIED,
        "the server does not let us in; RSA keys and keys with a passphrase may not do, use "
        "an Ed25519 key without one",
        err);
}

/* What only SFTP says; all else was judged already. */
static int run(struct net *net, struct call *call, struct err *err)
{
    struct err judged = ERR_INIT;
    net->hung_up = false;
    int r = session_run(net, &call->exchange, &judged);
    if (call->exchange.result != CURLE_LOGIN_DENIED)
        net->denied = 0;
    if (call->exchange.err.code == ERR_OK)
        switch (call->exchange.result) {
        case CURLE_REMOTE_FILE_NOT_FOUND:
            return tell(net, call, ERR_NOTFOUND, "there is no such file or folder", err);
        case CURLE_REMOTE_ACCESS_DENIED:
            return tell(net, call, ERR_DENIED, "the server does not allow it", err);
        case CURLE_LOGIN_DENIED:
            return judge_login(net, call, err);
        case CURLE_REMOTE_DISK_FULL:
            return tell(net, call, ERR_AGAIN, "there is no room on the server", err);
        case CURLE_REMOTE_FILE_EXISTS:
            return tell(net, call, ERR_EXISTS, "a file of that name is there", err);
        case CURLE_QUOTE_ERROR:
            return tell(net, call, ERR_IO, "the server refuses to rename or remove", err);
        default:
            break;
        }
    return err_pass(err, r, &judged);
}

/* A download that ends with its first byte, from `offset` on; its size is known before that. */
static int look(struct net *net, const char *url, int64_t offset, CURLcode *ret_result,
                int64_t *ret_length, struct err *err)
{
    struct call call CLEANUP(call_release) = CALL_INIT;
    struct err reason = ERR_INIT;
    curl_off_t length = -1;
    bool good = true;
    int r = begin(net, &call, url, err);
    if (r < 0)
        return r;
    SESSION_SET(net, CURLOPT_BUFFERSIZE, 1024L, good); /* libssh2 reads ahead some of these */
    SESSION_SET(net, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)offset, good);
    if (!good)
        return err_nomem(err);
    r = run(net, &call, &reason);
    *ret_result = call.exchange.result;
    if (call.exchange.err.code == ERR_OK && *ret_result == CURLE_REMOTE_ACCESS_DENIED)
        r = ERR_UNSUPPORTED;
    else if (call.exchange.err.code == ERR_OK &&
             (*ret_result == CURLE_WRITE_ERROR || *ret_result == CURLE_BAD_DOWNLOAD_RESUME))
        r = 0;
    curl_easy_getinfo(net->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    *ret_length = length;
    return err_pass(err, r, &reason);
}

int net_sftp_size(struct net *net, const char *url, int64_t *ret_size, struct err *err)
{
    CURLcode result;
    int64_t length;
    int r = look(net, url, 0, &result, &length, err);
    if (r < 0)
        return r;
    if (length < 0)
        return err_set(err, ERR_UNSUPPORTED, "%s does not tell the sizes of files", net->origin);
    *ret_size = length;
    return 0;
}

bool net_sftp_is_folder(struct net *net, const char *url)
{
    CURLcode result;
    int64_t length;
    return look(net, url, 0, &result, &length, NULL) == 0;
}

int net_sftp_has_size(struct net *net, const char *url, int64_t size, bool *ret, struct err *err)
{
    CURLcode result;
    int64_t length;
    int r = look(net, url, size, &result, &length, err);
    if (r == 0)
        *ret = result == CURLE_OK; /* else it is shorter, or a byte came */
    return r;
}

/* *ret_refused: it ended before the first byte, in the way in which a refusal to read does, too. */
static int digest_once(struct net *net, const char *url, int64_t offset, int64_t length,
                       unsigned char ret[DIGEST_BYTES], bool *ret_refused, struct err *err)
{
    struct call call CLEANUP(call_release) = CALL_INIT;
    char range[64];
    bool good = true;
    *ret_refused = false;
    int r = begin(net, &call, url, err);
    if (r < 0)
        return r;
    call.wanted = length;
    call.digest = EVP_MD_CTX_new();
    if (!call.digest || EVP_DigestInit_ex(call.digest, EVP_sha256(), NULL) != 1)
        return err_nomem(err);
    snprintf(range, sizeof range, "%" PRId64 "-%" PRId64, offset, offset + length - 1);
    if (length > 0) {
        SESSION_SET(net, CURLOPT_RANGE, range, good);
        r = good ? run(net, &call, err) : err_nomem(err);
        CURLcode result = call.exchange.result;
        *ret_refused = call.exchange.err.code == ERR_OK && call.got == 0 &&
                       (result == CURLE_SSH || result == CURLE_REMOTE_ACCESS_DENIED);
    }
    if (r < 0)
        return r;
    if (call.got != length)
        return err_set(err, ERR_AGAIN, "%s: the file ended before it was read", net->origin);
    return EVP_DigestFinal_ex(call.digest, ret, NULL) == 1 ? 0 : err_nomem(err);
}

int net_sftp_digest(struct net *net, const char *url, int64_t offset, int64_t length,
                    unsigned char ret[DIGEST_BYTES], struct err *err)
{
    for (int try = 1;; try++) {
        struct err reason = ERR_INIT;
        bool is_refused;
        int r = digest_once(net, url, offset, length, ret, &is_refused, &reason);
        if (r == 0)
            return 0;
        if (!is_refused)
            return err_pass(err, r, &reason);
        if (try == MAX_DENIED)
            return err_pass(err, ERR_UNSUPPORTED, &reason);
    }
}

int net_sftp_put(struct net *net, const char *url, const struct source *source, int64_t offset,
                 net_progress progress, void *context, struct err *err)
{
    struct call call CLEANUP(call_release) = CALL_INIT;
    bool good = true;
    /* libcurl itself moves the body to where it resumes. */
    call.exchange.source = source;
    call.exchange.length = source_size(source);
    call.exchange.progress = progress;
    call.exchange.context = context;
    int r = begin(net, &call, url, err);
    if (r == 0)
        r = session_send_body(net, &call.exchange, err);
    if (r < 0)
        return r;
    SESSION_SET(net, CURLOPT_NEW_FILE_PERMS, 0600L, good);
    SESSION_SET(net, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)offset, good);
    return good ? run(net, &call, err) : err_nomem(err);
}

/* A name in a command of libcurl: in quotes, in which quotes and backslashes are escaped. */
static void add_name(const char *name, struct strbuf *out)
{
    strbuf_adds(out, " \"");
    for (; *name; name++) {
        if (*name == '"' || *name == '\'' || *name == '\\')
            strbuf_addc(out, '\\');
        strbuf_addc(out, *name);
    }
    strbuf_addc(out, '"');
}

/* `folder` is the URL of any folder: with one, libcurl does nothing but the command. */
static int command(struct net *net, const char *folder, const struct strbuf *text, struct err *err)
{
    struct call call CLEANUP(call_release) = CALL_INIT;
    bool good = true;
    if (!strbuf_ok(text))
        return err_set(err, ERR_USAGE, "the path on the server is too long");
    int r = begin(net, &call, folder, err);
    if (r < 0)
        return r;
    call.commands = curl_slist_append(NULL, text->data);
    good = call.commands != NULL;
    SESSION_SET(net, CURLOPT_QUOTE, call.commands, good);
    SESSION_SET(net, CURLOPT_NOBODY, 1L, good);
    r = good ? run(net, &call, err) : err_nomem(err);
    curl_easy_setopt(net->easy, CURLOPT_QUOTE, NULL);
    return r;
}

int net_sftp_rename(struct net *net, const char *folder, const char *from, const char *to,
                    struct err *err)
{
    struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT_MAX(MAX_COMMAND);
    strbuf_adds(&text, "rename");
    add_name(from, &text);
    add_name(to, &text);
    return command(net, folder, &text, err);
}

int net_sftp_remove(struct net *net, const char *folder, const char *path, struct err *err)
{
    struct strbuf text CLEANUP(strbuf_release) = STRBUF_INIT_MAX(MAX_COMMAND);
    strbuf_adds(&text, "rm");
    add_name(path, &text);
    return command(net, folder, &text, err);
}
