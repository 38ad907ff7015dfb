/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A record is FOLDER/ID.json, ID being the beginning of the key's SHA-256: a URL may hold secrets
 * (a presigned one does) and has no place in names of files. The lock is a file of its own, as the
 * record is replaced at each save; it goes when the upload is over, so whoever gets it looks
 * whether it still has its name.
 */
#include "upload/state/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/hex.h"
#include "common/io.h"
#include "common/replace.h"

#define SCHEMA       "xenhealth-record/1"
#define ID_DIGITS    32 /* as many as two uploads never share */
#define LOCK_TRIES   8  /* each lost one means that another upload ended just now */
#define FOLDER_DEPTH 16 /* of folders that are made */
#define FORGET_DAYS  90
#define FOLDER_MAX   10000 /* entries that are looked at, once an upload */

struct record {
    int dirfd, lock; /* -1: nothing is written */
    char *folder;
    char id[ID_DIGITS + 1];
    json_t *values;
    struct err problem;
};

static void name_of(const struct record *record, const char *suffix, char *ret, size_t size)
{
    snprintf(ret, size, "%s.%s", record->id, suffix);
}

static int set_id(struct record *record, const char *key, struct err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length;
    if (EVP_Digest(key, strlen(key), digest, &length, EVP_sha256(), NULL) != 1)
        return err_nomem(err);
    hex_write(digest, ID_DIGITS / 2, record->id);
    return 0;
}

static struct record *record_new(const char *folder, const char *key, struct err *err)
{
    struct record *record = calloc(1, sizeof *record);
    if (!record)
        return err_nomem(err), NULL;
    record->dirfd = record->lock = -1;
    record->folder = strdup(folder);
    record->values = json_object();
    if (record->folder && record->values && set_id(record, key, err) == 0)
        return record;
    err_nomem(err);
    return record_close(record);
}

struct record *record_new_volatile(void)
{
    return record_new("", "", NULL);
}

void *record_close(struct record *record)
{
    if (!record)
        return NULL;
    if (record->lock >= 0 && json_object_size(record->values) == 0) {
        char name[ID_DIGITS + 8];
        name_of(record, "lock", name, sizeof name);
        unlinkat(record->dirfd, name, 0);
    }
    io_close(&record->lock);
    io_close(&record->dirfd);
    json_decref(record->values);
    free(record->folder);
    free(record);
    return NULL;
}

/* Also where we may not: then an upload goes without a record, which is no matter of credentials.
 */
static int unusable(struct err *err, const char *verb, const char *folder)
{
    return err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "cannot %s the folder '%s': %s",
                   verb, folder, strerror(errno));
}

/* Makes the folder and what is missing above it; those above as others may look into them. */
static int make_folder(const char *folder, struct err *err)
{
    char path[PATH_MAX];
    int depth = 0;
    if (mkdir(folder, 0700) == 0 || errno == EEXIST)
        return 0;
    if (errno != ENOENT || strlen(folder) >= sizeof path)
        return unusable(err, "make", folder);
    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = strchr(path + 1, '/'); slash && depth < FOLDER_DEPTH;
         slash = strchr(slash + 1, '/'), depth++) {
        *slash = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return unusable(err, "make", path);
        *slash = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : unusable(err, "make", folder);
}

/* Who can write to the folder could make us talk to an upload of his. */
static int open_folder(struct record *record, struct err *err)
{
    struct stat status;
    record->dirfd = open(record->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (record->dirfd < 0 || fstat(record->dirfd, &status) < 0)
        return unusable(err, "open", record->folder);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return err_set(err, ERR_DENIED,
                       "the folder '%s' belongs to somebody else: chown it, or name another with "
                       "--state",
                       record->folder);
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, ERR_DENIED,
                       "others may write to the folder '%s': chmod 700 it, or name another with "
                       "--state",
                       record->folder);
    return 0;
}

static int lock(struct record *record, struct err *err)
{
    char name[ID_DIGITS + 8];
    struct stat ours, named;
    name_of(record, "lock", name, sizeof name);
    for (int i = 0; i < LOCK_TRIES; i++) {
        CLEANUP_FD int fd =
            openat(record->dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
            return unusable(err, "write to", record->folder);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            if (errno == EWOULDBLOCK)
                return err_set(err, ERR_AGAIN,
                               "another process is sending the same file to the same place: wait "
                               "for it, or end it");
            return err_set_errno(err, errno, "cannot lock '%s/%s'", record->folder, name);
        }
        if (fstat(fd, &ours) == 0 &&
            fstatat(record->dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
            ours.st_dev == named.st_dev && ours.st_ino == named.st_ino) {
            record->lock = fd;
            fd = -1;
            return 0;
        }
    }
    return err_set(err, ERR_AGAIN, "other uploads of the same file come and go: try again");
}

static bool is_record(const json_t *root, const char *id)
{
    const char *schema = json_string_value(json_object_get(root, "schema"));
    const char *owner = json_string_value(json_object_get(root, "id"));
    json_t *values = json_object_get(root, "values");
    const char *name;
    json_t *value;
    if (!schema || strcmp(schema, SCHEMA) != 0 || !owner || strcmp(owner, id) != 0 ||
        json_object_size(root) != 3 || !json_is_object(values))
        return false;
    json_object_foreach(values, name, value)
    {
        if (!json_is_string(value))
            return false;
    }
    return true;
}

bool record_parse(struct record *record, const char *bytes, size_t length)
{
    json_t *root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, NULL);
    bool usable = root && is_record(root, record->id);
    if (usable) {
        json_decref(record->values);
        record->values = json_incref(json_object_get(root, "values"));
    }
    json_decref(root);
    return usable;
}

/* What is not a readable record of ours counts as none. */
static int load(struct record *record, bool *ret_damaged, struct err *err)
{
    char name[ID_DIGITS + 8];
    struct strbuf bytes = STRBUF_INIT;
    struct err reason = ERR_INIT;
    name_of(record, "json", name, sizeof name);
    int r = io_read_file(record->dirfd, name, RECORD_MAX_BYTES, &bytes, &reason);
    *ret_damaged = r == 0 ? !record_parse(record, bytes.data, bytes.length) : r != ERR_NOTFOUND;
    strbuf_release(&bytes);
    return r == ERR_NOMEM ? err_nomem(err) : 0;
}

/* True for a name that is made of an ID and this suffix. */
static bool is_ours(const char *name, const char *suffix)
{
    return strspn(name, "0123456789abcdef") == ID_DIGITS && strcmp(name + ID_DIGITS, suffix) == 0;
}

/* Nobody goes on with an upload after so long; servers forget them much earlier. */
static void forget_old(const struct record *record)
{
    int fd = fcntl(record->dirfd, F_DUPFD_CLOEXEC, 0);
    CLEANUP_DIR DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    time_t limit = time(NULL) - FORGET_DAYS * 86400;
    struct dirent *entry;
    if (!directory) {
        io_close(&fd);
        return;
    }
    rewinddir(directory);
    for (int i = 0; i < FOLDER_MAX && (entry = readdir(directory)); i++) {
        struct stat status;
        if (strncmp(entry->d_name, record->id, ID_DIGITS) == 0 ||
            fstatat(record->dirfd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(status.st_mode) || status.st_mtime > limit)
            continue;
        if (is_ours(entry->d_name, ".json")) {
            unlinkat(record->dirfd, entry->d_name, 0);
        } else if (is_ours(entry->d_name, ".lock")) {
            CLEANUP_FD int old =
                openat(record->dirfd, entry->d_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
            if (old >= 0 && flock(old, LOCK_EX | LOCK_NB) == 0)
                unlinkat(record->dirfd, entry->d_name, 0);
        }
    }
}

int record_open(const char *folder, const char *key, struct record **ret, bool *ret_damaged,
                struct err *err)
{
    CLEANUP(record_cleanup) struct record *record = record_new(folder, key, err);
    bool damaged = false;
    int r = record ? make_folder(folder, err) : ERR_NOMEM;
    if (r == 0)
        r = open_folder(record, err);
    if (r == 0)
        r = lock(record, err);
    if (r == 0)
        r = load(record, &damaged, err);
    if (r < 0)
        return r;
    forget_old(record);
    *ret = TAKE(record);
    *ret_damaged = damaged;
    return 0;
}

int record_look(const char *folder, const char *key, struct record **ret, bool *ret_damaged,
                struct err *err)
{
    CLEANUP(record_cleanup) struct record *record = record_new(folder, key, err);
    struct err reason = ERR_INIT;
    bool damaged = false;
    if (!record)
        return ERR_NOMEM;
    int r = open_folder(record, &reason);
    if (r == ERR_NOTFOUND)
        r = 0;
    else if (r == 0)
        r = load(record, &damaged, &reason);
    io_close(&record->dirfd);
    if (r < 0)
        return err_set(err, r, "%s", reason.text);
    *ret = TAKE(record);
    *ret_damaged = damaged;
    return 0;
}

const char *record_get(const struct record *record, const char *name)
{
    return json_string_value(json_object_get(record->values, name));
}

bool record_is_empty(const struct record *record)
{
    return json_object_size(record->values) == 0;
}

static char *write_text(const struct record *record)
{
    json_t *root =
        json_pack("{s:s, s:s, s:O}", "schema", SCHEMA, "id", record->id, "values", record->values);
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
    json_decref(root);
    return text;
}

int record_set(struct record *record, const char *name, const char *value, struct err *err)
{
    if (!value) {
        json_object_del(record->values, name);
        return 0;
    }
    json_t *text = json_string(value);
    if (!text)
        return err_set(err, ERR_PARSE, "'%s' is no UTF-8 text and cannot be remembered", name);
    json_t *before = json_incref(json_object_get(record->values, name));
    int r = json_object_set_new(record->values, name, text) < 0 ? err_nomem(err) : 0;
    char *all = r == 0 ? write_text(record) : NULL;
    if (r == 0 && (!all || strlen(all) > RECORD_MAX_BYTES)) {
        r = !all ? err_nomem(err)
                 : err_set(err, ERR_LIMIT, "the record of the upload is larger than %d bytes",
                           RECORD_MAX_BYTES);
        if (before)
            json_object_set(record->values, name, before);
        else
            json_object_del(record->values, name);
    }
    json_decref(before);
    free(all);
    return r;
}

int record_save(struct record *record, struct err *err)
{
    char name[ID_DIGITS + 8];
    if (record->dirfd < 0)
        return 0;
    char *text = write_text(record);
    if (!text)
        return err_nomem(err);
    name_of(record, "json", name, sizeof name);
    err_clear(&record->problem);
    replace_file(record->dirfd, record->folder, name, text, strlen(text), 0600, &record->problem);
    free(text);
    return 0;
}

const char *record_problem(const struct record *record)
{
    return record->problem.code ? record->problem.text : NULL;
}

int record_drop(struct record *record, struct err *err)
{
    char name[ID_DIGITS + 8];
    json_object_clear(record->values);
    if (record->dirfd < 0)
        return 0;
    name_of(record, "json", name, sizeof name);
    return replace_remove(record->dirfd, record->folder, name, err);
}
