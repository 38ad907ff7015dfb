/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Everything is looked at on the open descriptor, so that nobody can put another file in place
 * between the look and the read. A buffer that held the file is wiped on every path.
 */
#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "common/io.h"

#define MAX_FIELDS 16
#define MAX_ACL    1024 /* bytes; an entry has 8 */

/* Editors of Windows put it before UTF-8; nobody sees it. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* An ACL as the kernel hands it out (linux/posix_acl_xattr.h), little endian. */
enum acl_tag { ACL_OWNER = 1, ACL_USER = 2, ACL_GROUP_OWNER = 4, ACL_MASK = 16 };

static uint32_t little_endian(const unsigned char *bytes, int count)
{
    uint32_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static bool acl_entry_is_ours(const unsigned char *entry)
{
    switch (little_endian(entry, 2)) {
    case ACL_OWNER:
    case ACL_MASK:
        return true;
    case ACL_USER:
        return little_endian(entry + 4, 4) == geteuid();
    default: /* groups and others: nothing may be granted */
        return little_endian(entry + 2, 2) == 0;
    }
}

static bool acl_is_ours(int fd)
{
    unsigned char acl[MAX_ACL];
    ssize_t length = fgetxattr(fd, "system.posix_acl_access", acl, sizeof acl);
    if (length < 4 || (length - 4) % 8 != 0)
        return false;
    for (ssize_t at = 4; at < length; at += 8)
        if (!acl_entry_is_ours(acl + at))
            return false;
    return true;
}

static int check(int fd, const char *path, struct err *err)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return err_set_errno(err, errno, "cannot look at '%s'", path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_DENIED, "'%s' is no file with credentials", path);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return err_set(err, ERR_DENIED, "'%s' belongs to somebody else: chown it", path);
    if (status.st_mode & (S_IRWXG | S_IRWXO) && !acl_is_ours(fd))
        return err_set(err, ERR_DENIED, "'%s' can be read by others: chmod 600 it", path);
    return 0;
}

static int open_checked(const char *path, int *ret, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ELOOP)
        return err_set(err, ERR_DENIED, "'%s' is a link: name the file itself", path);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    int r = check(fd, path, err);
    if (r < 0)
        return r;
    *ret = fd;
    fd = -1;
    return 0;
}

int secret_check_file(const char *path, struct err *err)
{
    CLEANUP_FD int fd = -1;
    return open_checked(path, &fd, err);
}

/* The content as text: no control characters but ends of lines and tabs. */
static int read_checked(const char *path, char text[SECRET_MAX_BYTES + 2], struct err *err)
{
    CLEANUP_FD int fd = -1;
    int r = open_checked(path, &fd, err);
    if (r < 0)
        return r;
    size_t length = 0;
    while (length <= SECRET_MAX_BYTES) {
        ssize_t n = read(fd, text + length, SECRET_MAX_BYTES + 1 - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "cannot read '%s'", path);
        if (n == 0)
            break;
        length += (size_t)n;
    }
    if (length > SECRET_MAX_BYTES)
        return err_set(err, ERR_PARSE, "'%s' is longer than %d bytes", path, SECRET_MAX_BYTES);
    text[length] = '\0';
    size_t mark = strlen(BYTE_ORDER_MARK);
    if (strncmp(text, BYTE_ORDER_MARK, mark) == 0) {
        length -= mark;
        memmove(text, text + mark, length + 1);
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
            return err_set(err, ERR_PARSE, "'%s' holds control characters", path);
    }
    return 0;
}

static int unknown_line(const char *path, int number, const struct secret_field *fields,
                        struct err *err)
{
    struct strbuf keys = STRBUF_INIT_MAX(256);
    for (size_t i = 0; fields[i].key; i++)
        strbuf_addf(&keys, "%s%s=",
                    i == 0              ? ""
                    : fields[i + 1].key ? ", "
                                        : " nor ",
                    fields[i].key);
    err_set(err, ERR_PARSE, "'%s': line %d is %s %s", path, number,
            fields[1].key ? "neither" : "not", keys.data);
    strbuf_release(&keys);
    return ERR_PARSE;
}

/* Index of the field that a line gives, or -1; *ret_value is behind the sign. */
static int find_field(const char *line, const struct secret_field *fields, const char **ret_value)
{
    for (int i = 0; fields[i].key; i++) {
        size_t length = strlen(fields[i].key);
        if (strncmp(line, fields[i].key, length) == 0 && line[length] == '=') {
            *ret_value = line + length + 1;
            return i;
        }
    }
    return -1;
}

static int parse_fields(char *text, const char *path, const struct secret_field *fields,
                        const char *values[MAX_FIELDS], struct err *err)
{
    int number = 0;
    for (char *line = text, *next; line; line = next) {
        number++;
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        line[strcspn(line, "\r")] = '\0';
        if (*line == '\0' || *line == '#')
            continue;
        const char *value;
        int field = find_field(line, fields, &value);
        if (field < 0)
            return unknown_line(path, number, fields, err);
        if (values[field])
            return err_set(err, ERR_PARSE, "'%s': line %d gives %s= again", path, number,
                           fields[field].key);
        if (!*value)
            return err_set(err, ERR_PARSE, "'%s': line %d: nothing stands behind %s=", path, number,
                           fields[field].key);
        if (strlen(value) >= fields[field].size)
            return err_set(err, ERR_PARSE, "'%s': line %d: %s= is longer than %zu bytes", path,
                           number, fields[field].key, fields[field].size - 1);
        values[field] = value;
    }
    return 0;
}

int secret_read_fields(const char *path, const struct secret_field *fields, struct err *err)
{
    char text[SECRET_MAX_BYTES + 2];
    const char *values[MAX_FIELDS] = {NULL};
    int r = read_checked(path, text, err);
    if (r == 0)
        r = parse_fields(text, path, fields, values, err);
    for (size_t i = 0; r == 0 && i < MAX_FIELDS && fields[i].key; i++)
        snprintf(fields[i].value, fields[i].size, "%s", values[i] ? values[i] : "");
    secret_forget(text, sizeof text);
    return r;
}

static int take_text(char *text, const char *path, char *value, size_t size, struct err *err)
{
    static const char blanks[] = " \t\r\n";
    char *start = text + strspn(text, blanks);
    size_t length = strlen(start);
    while (length > 0 && strchr(blanks, start[length - 1]))
        length--;
    start[length] = '\0';
    if (length == 0)
        return err_set(err, ERR_PARSE, "'%s' is empty", path);
    if (start[strcspn(start, "\r\n\t")])
        return err_set(err, ERR_PARSE, "'%s' has more than one line or a tab in it", path);
    if (length >= size)
        return err_set(err, ERR_PARSE, "'%s' holds more than %zu characters", path, size - 1);
    snprintf(value, size, "%s", start);
    return 0;
}

int secret_read_text(const char *path, char *value, size_t size, struct err *err)
{
    char text[SECRET_MAX_BYTES + 2];
    int r = read_checked(path, text, err);
    if (r == 0)
        r = take_text(text, path, value, size, err);
    secret_forget(text, sizeof text);
    return r;
}

void secret_forget(void *memory, size_t size)
{
    explicit_bzero(memory, size);
}

void secret_free(void *memory)
{
    if (memory)
        secret_forget(memory, malloc_usable_size(memory));
    free(memory);
}

void secret_release(struct strbuf *buffer)
{
    if (buffer->capacity > 0)
        secret_forget(buffer->data, buffer->capacity);
    strbuf_release(buffer);
}

void secret_guard_process(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
