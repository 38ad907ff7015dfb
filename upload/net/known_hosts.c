/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A line is: [@marker] names type key [comment]. Names are patterns with commas between, of which
 * none that begins with ! may fit, or one name as a salted digest. A server on another port than 22
 * is known as [name]:port only.
 *
 * Certificates of hosts (@cert-authority) are not used: libssh2 does not know them.
 */
#include "upload/net/known_hosts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pwd.h>
#include <strings.h>
#include <sys/mman.h>

#include "common/io.h"

#define SYSTEM_FILE "/etc/ssh/ssh_known_hosts"
#define SSH_PORT    22
#define MAX_KEY     3000 /* Base64 of an RSA key of 16384 bits; libssh2 takes lines of 4 KiB */
#define SHA1_LENGTH 20
#define MAX_SALT    64
#define MAX_STEPS   100000 /* of comparing one pattern, against "*a*a*a*a*" */
#define MAX_LINES   (64 << 10)
#define NAME_SIZE   300

/* The kinds that libssh2 1.10 can check, the one we like best first. */
static const char *const kinds[] = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                                    "ecdsa-sha2-nistp521", "ssh-rsa"};

struct word {
    const char *text;
    size_t length;
};

static bool word_is(const struct word *word, const char *text)
{
    return word->length == strlen(text) && memcmp(word->text, text, word->length) == 0;
}

static struct word next_word(const char **p, const char *end)
{
    while (*p < end && (**p == ' ' || **p == '\t'))
        (*p)++;
    struct word word = {*p, 0};
    while (*p < end && **p != ' ' && **p != '\t' && **p != '\r')
        (*p)++;
    word.length = (size_t)(*p - word.text);
    return word;
}

/* With * and ?, without regard to case. */
static bool fits(const char *pattern, const char *end, const char *name)
{
    const char *star = NULL, *resume = NULL;
    for (int steps = 0; *name != '\0'; steps++) {
        if (steps == MAX_STEPS)
            return false;
        if (pattern < end && *pattern == '*') {
            star = pattern++;
            resume = name;
        } else if (pattern < end && (*pattern == '?' || tolower((unsigned char)*pattern) ==
                                                            tolower((unsigned char)*name))) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++resume;
        } else {
            return false;
        }
    }
    while (pattern < end && *pattern == '*')
        pattern++;
    return pattern == end;
}

static bool one_fits(const struct word *names, const char *name)
{
    bool found = false;
    const char *end = names->text + names->length;
    for (const char *p = names->text; p < end; p++) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma ? comma : end;
        bool negated = *p == '!';
        bool hit = fits(p + negated, stop, name);
        if (hit && negated)
            return false;
        found = found || hit;
        p = stop;
    }
    return found;
}

/* Returns the number of bytes, or 0. */
static size_t from_base64(const char *text, size_t length, unsigned char *ret, size_t size)
{
    size_t padding = 0;
    if (length == 0 || length % 4 != 0 || length / 4 * 3 > size)
        return 0;
    while (padding < 2 && text[length - 1 - padding] == '=')
        padding++;
    int decoded = EVP_DecodeBlock(ret, (const unsigned char *)text, (int)length);
    return decoded < 0 ? 0 : (size_t)decoded - padding;
}

/* |1|SALT|DIGEST: HMAC-SHA1 of the name. */
static bool hashed_fits(const struct word *names, const char *name)
{
    unsigned char salt[MAX_SALT], wanted[MAX_SALT], digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    const char *start = names->text + 3, *end = names->text + names->length;
    const char *bar = memchr(start, '|', (size_t)(end - start));
    if (!bar)
        return false;
    size_t salted = from_base64(start, (size_t)(bar - start), salt, sizeof salt);
    if (salted == 0 ||
        from_base64(bar + 1, (size_t)(end - bar - 1), wanted, sizeof wanted) != SHA1_LENGTH)
        return false;
    return HMAC(EVP_sha1(), salt, (int)salted, (const unsigned char *)name, strlen(name), digest,
                &length) &&
           length == SHA1_LENGTH && memcmp(digest, wanted, SHA1_LENGTH) == 0;
}

static bool is_about(const struct word *names, const char *name)
{
    if (names->length > 3 && memcmp(names->text, "|1|", 3) == 0)
        return hashed_fits(names, name);
    return one_fits(names, name);
}

static bool is_known_kind(const struct word *kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (word_is(kind, kinds[i]))
            return true;
    return false;
}

static bool is_key(const struct word *key)
{
    if (key->length == 0 || key->length > MAX_KEY)
        return false;
    for (size_t i = 0; i < key->length; i++)
        if (!isalnum((unsigned char)key->text[i]) && !strchr("+/=", key->text[i]))
            return false;
    return true;
}

static void set_name(const char *host, int port, char name[NAME_SIZE])
{
    if (port == SSH_PORT)
        snprintf(name, NAME_SIZE, "%s", host);
    else
        snprintf(name, NAME_SIZE, "[%s]:%d", host, port);
    for (char *c = name; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
}

static void take_line(const char *line, const char *end, const char *name, struct strbuf *lines,
                      struct strbuf *revoked)
{
    struct word marker = {line, 0}, names = next_word(&line, end);
    if (names.length == 0 || *names.text == '#')
        return;
    if (*names.text == '@') {
        marker = names;
        names = next_word(&line, end);
    }
    struct word kind = next_word(&line, end), key = next_word(&line, end);
    if (!is_key(&key) || !is_about(&names, name))
        return;
    if (word_is(&marker, "@revoked"))
        strbuf_addf(revoked, " %.*s\n", (int)key.length, key.text);
    else if (marker.length == 0 && is_known_kind(&kind))
        strbuf_addf(lines, "%s %.*s %.*s\n", name, (int)kind.length, kind.text, (int)key.length,
                    key.text);
}

/* Copies the lines of one kind that are not revoked. */
static void copy_kind(const struct strbuf *lines, const char *kind, const struct strbuf *revoked,
                      struct strbuf *out)
{
    for (const char *line = lines->data; *line != '\0';) {
        const char *end = strchr(line, '\n') + 1;
        const char *type = strchr(line, ' ') + 1, *key = strchr(type, ' ');
        char wanted[MAX_KEY + 3];
        snprintf(wanted, sizeof wanted, "%.*s", (int)(end - key), key);
        if (strncmp(type, kind, (size_t)(key - type)) == 0 && !strstr(revoked->data, wanted))
            strbuf_add(out, line, (size_t)(end - line));
        line = end;
    }
}

void known_hosts_choose(const char *text, size_t length, const char *host, int port,
                        struct strbuf *lines, struct strbuf *revoked)
{
    CLEANUP(strbuf_release) struct strbuf sorted = STRBUF_INIT_MAX(MAX_LINES);
    char name[NAME_SIZE];
    set_name(host, port, name);
    for (const char *p = text, *end = text + length; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline ? newline : end;
        if (!memchr(p, '\0', (size_t)(stop - p)))
            take_line(p, stop, name, lines, revoked);
        p = stop + 1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        copy_kind(lines, kinds[i], revoked, &sorted);
    strbuf_clear(lines);
    strbuf_add(lines, sorted.data, sorted.length);
}

/* The home folder of the user that we are; the environment is not asked. */
static const char *home_file(struct strbuf *path)
{
    const struct passwd *user = getpwuid(geteuid());
    strbuf_addf(path, "%s/.ssh/known_hosts", user && user->pw_dir ? user->pw_dir : "");
    return path->data;
}

static int read_one(const char *path, bool may_be_missing, const char *host, int port,
                    struct strbuf *lines, struct strbuf *revoked, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct err reason = ERR_INIT;
    int r = io_read_file(AT_FDCWD, path, KNOWN_HOSTS_MAX_BYTES, &text, &reason);
    if (r < 0 && may_be_missing && access(path, F_OK) != 0)
        return 0;
    if (r < 0)
        return err_pass(err, r, &reason);
    known_hosts_choose(text.data, text.length, host, port, lines, revoked);
    return strbuf_ok(lines) && strbuf_ok(revoked) ? 0 : err_nomem(err);
}

static int write_down(const struct strbuf *lines, int *ret_fd, struct err *err)
{
    CLEANUP_FD int fd = memfd_create("known_hosts", MFD_CLOEXEC);
    int r = fd < 0 ? -errno : io_write_all(fd, lines->data, lines->length);
    if (r < 0)
        return err_set_errno(err, -r, "cannot keep the keys of the host in memory");
    *ret_fd = fd;
    fd = -1;
    return 0;
}

int known_hosts_open(const char *path, const char *host, int port, int *ret_fd, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf lines = STRBUF_INIT_MAX(MAX_LINES);
    CLEANUP(strbuf_release) struct strbuf revoked = STRBUF_INIT;
    CLEANUP(strbuf_release) struct strbuf home = STRBUF_INIT;
    int r;
    if (path) {
        r = read_one(path, false, host, port, &lines, &revoked, err);
    } else {
        r = read_one(home_file(&home), true, host, port, &lines, &revoked, err);
        if (r == 0)
            r = read_one(SYSTEM_FILE, true, host, port, &lines, &revoked, err);
    }
    if (r < 0)
        return r;
    if (lines.length == 0)
        return err_set(err, ERR_DENIED,
                       "the host key of '%s' (port %d) is not in %s%s%s: get it with ssh-keyscan, "
                       "compare it with the server's own, and add it there",
                       host, port, path ? path : home.data, path ? "" : " or ",
                       path ? "" : SYSTEM_FILE);
    return write_down(&lines, ret_fd, err);
}
