/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whether a bit of an address is flipped depends on all bits before it, and on nothing else: that
 * is what preserves prefixes. The decisions form a binary tree. One digest has 256 bits, enough for
 * the 255 inner nodes of the tree below one byte, so a byte costs one digest instead of eight.
 */
#include "collector/obfuscate/key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "common/io.h"

#define KEY_HEAD     "xenhealth-obfuscation-key-1 "
#define MAX_KEY_FILE 4096
#define MAX_DIGESTED 512 /* longest name that is digested, with its label */

static void write_hex(const struct key *key, struct strbuf *out)
{
    for (size_t i = 0; i < KEY_BYTES; i++)
        strbuf_addf(out, "%02x", key->bytes[i]);
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse(const char *path, const struct strbuf *text, struct key *ret, struct err *err)
{
    const size_t head = strlen(KEY_HEAD), length = head + 2 * (size_t)KEY_BYTES;
    bool valid = text->length >= length && strncmp(text->data, KEY_HEAD, head) == 0 &&
                 (text->data[length] == '\n' || text->data[length] == '\0');
    for (size_t i = 0; valid && i < KEY_BYTES; i++) {
        int high = hex_value(text->data[head + 2 * i]),
            low = hex_value(text->data[head + 2 * i + 1]);
        valid = high >= 0 && low >= 0;
        ret->bytes[i] = (uint8_t)(high * 16 + low);
    }
    return valid ? 0
                 : err_set(err, ERR_PARSE,
                           "'%s' is no key file of xen-bugtool: name another one with "
                           "--obfuscate=KEYFILE; it is made when it does not exist",
                           path);
}

static int read_key(int fd, const char *path, struct key *ret, struct err *err)
{
    struct stat status;
    struct strbuf text = STRBUF_INIT;
    if (fstat(fd, &status) < 0)
        return err_set_errno(err, errno, "cannot examine the key file '%s'", path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_USAGE, "the key file '%s' is no regular file", path);
    if ((status.st_mode & 077) || (status.st_uid != 0 && status.st_uid != geteuid()))
        return err_set(err, ERR_DENIED,
                       "others can read or change the key file '%s', so pseudonyms made with it "
                       "protect nothing: chown it to root, chmod 600 it, or use a new one",
                       path);
    int r = io_read_all(fd, MAX_KEY_FILE, &text, path, err);
    if (r == 0)
        r = parse(path, &text, ret, err);
    strbuf_release(&text);
    return r;
}

/* Written under another name first: a run that is killed must not leave half a key. */
static int write_key(const char *path, const struct key *key, struct err *err)
{
    struct strbuf text = STRBUF_INIT, temporary = STRBUF_INIT;
    strbuf_addf(&temporary, "%s.%ld", path, (long)getpid());
    strbuf_adds(&text, KEY_HEAD);
    write_hex(key, &text);
    strbuf_addc(&text, '\n');
    int fd = open(temporary.data, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int failure = fd < 0 ? errno : -io_write_all(fd, text.data, text.length);
    if (failure == 0 && fsync(fd) < 0)
        failure = errno;
    io_close(&fd);
    /* link() never replaces a key that somebody else made meanwhile. */
    if (failure == 0 && link(temporary.data, path) < 0 && errno != EEXIST)
        failure = errno;
    unlink(temporary.data);
    strbuf_release(&text);
    strbuf_release(&temporary);
    return failure ? err_set_errno(err, failure,
                                   "cannot create the key file '%s'; name another place with "
                                   "--obfuscate=KEYFILE",
                                   path)
                   : 0;
}

static int make_key(const char *path, struct err *err)
{
    struct key key;
    const char *slash = strrchr(path, '/');
    if (slash && slash != path) {
        struct strbuf folder = STRBUF_INIT;
        strbuf_add(&folder, path, (size_t)(slash - path));
        mkdir(folder.data, 0700); /* a failure shows when the file is made */
        strbuf_release(&folder);
    }
    for (size_t done = 0; done < sizeof key.bytes;) {
        ssize_t n = getrandom(key.bytes + done, sizeof key.bytes - done, 0);
        if (n < 0 && errno != EINTR)
            return err_set_errno(err, errno, "cannot get random numbers for a key");
        done += n > 0 ? (size_t)n : 0;
    }
    return write_key(path, &key, err);
}

int key_load(const char *path, struct key *ret, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        int r = make_key(path, err);
        if (r < 0)
            return r;
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    }
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open the key file '%s'", path);
    struct key key;
    int r = read_key(fd, path, &key, err);
    if (r == 0)
        *ret = key;
    return r;
}

void key_digest(const struct key *key, const char *label, const void *bytes, size_t length,
                uint8_t digest[DIGEST_BYTES])
{
    uint8_t input[MAX_DIGESTED];
    unsigned size = DIGEST_BYTES;
    size_t head = strlen(label) + 1;
    length = head + length > sizeof input ? sizeof input - head : length;
    memcpy(input, label, head);
    if (length)
        memcpy(input + head, bytes, length);
    if (!HMAC(EVP_sha256(), key->bytes, KEY_BYTES, input, head + length, digest, &size))
        abort(); /* only a libcrypto without SHA-256; going on would publish originals */
}

static uint8_t flip_byte(const uint8_t digest[DIGEST_BYTES], uint8_t byte, uint8_t kept, bool back)
{
    unsigned node = 1;
    uint8_t result = 0;
    for (int bit = 7; bit >= 0; bit--) {
        unsigned in = byte >> bit & 1;
        unsigned flip = kept >> bit & 1 ? 0 : digest[node / 8] >> node % 8 & 1;
        unsigned out = in ^ flip;
        result = (uint8_t)(result | out << bit);
        node = node * 2 + (back ? out : in); /* the tree is walked by the original bits */
    }
    return result;
}

static void walk(const struct key *key, const char *label, uint8_t *bytes, const uint8_t *kept,
                 size_t length, bool back)
{
    uint8_t original[16], digest[DIGEST_BYTES];
    for (size_t i = 0; i < length && i < sizeof original; i++) {
        if (kept[i] == 0xff) {
            original[i] = bytes[i];
            continue;
        }
        key_digest(key, label, original, i, digest);
        uint8_t changed = flip_byte(digest, bytes[i], kept[i], back);
        original[i] = back ? changed : bytes[i];
        bytes[i] = changed;
    }
}

void key_permute(const struct key *key, const char *label, uint8_t *bytes, const uint8_t *kept,
                 size_t length)
{
    walk(key, label, bytes, kept, length, false);
}

void key_unpermute(const struct key *key, const char *label, uint8_t *bytes, const uint8_t *kept,
                   size_t length)
{
    walk(key, label, bytes, kept, length, true);
}
