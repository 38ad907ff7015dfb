/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/match/pattern_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/hex.h"
#include "common/io.h"

/* A few sets of rules are in use at a time; the others are leftovers of older versions. */
#define FILES_MAX 8

/* Some 100 KB for a hundred patterns. */
#define FILE_SIZE_MAX (64 * 1024 * 1024)

#define SUFFIX ".patterns"

/* "<64 hexadecimal digits>.patterns" */
struct cache_name {
    char text[80];
};

/* The layout of the file, for its name: a file of another one is not looked at. */
#define LAYOUT "kinds, databases"

static bool add_plan(EVP_MD_CTX *context, const struct pattern_plan *plan)
{
    bool good = EVP_DigestUpdate(context, &plan->count, sizeof plan->count);
    for (unsigned i = 0; good && i < plan->count; i++)
        good = EVP_DigestUpdate(context, plan->expressions[i], strlen(plan->expressions[i]) + 1);
    for (unsigned i = 0; good && i < plan->subset_count; i++) {
        const struct pattern_subset *subset = &plan->subsets[i];
        good = EVP_DigestUpdate(context, &subset->count, sizeof subset->count) &&
               EVP_DigestUpdate(context, subset->numbers, subset->count * sizeof *subset->numbers);
    }
    return good;
}

static bool name_of(const struct pattern_plan *plan, struct cache_name *ret)
{
    hs_platform_info_t platform;
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && hs_populate_platform(&platform) == HS_SUCCESS &&
                EVP_DigestInit_ex(context, EVP_sha256(), NULL) &&
                EVP_DigestUpdate(context, LAYOUT, sizeof LAYOUT) &&
                EVP_DigestUpdate(context, hs_version(), strlen(hs_version()) + 1) &&
                EVP_DigestUpdate(context, &platform.tune, sizeof platform.tune) &&
                EVP_DigestUpdate(context, &platform.cpu_features, sizeof platform.cpu_features) &&
                add_plan(context, plan);
    good = good && EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    if (good) {
        hex_write(digest, 32, ret->text);
        snprintf(ret->text + 64, sizeof ret->text - 64, SUFFIX);
    }
    return good;
}

/* A file or folder that only we can have written. */
static bool is_ours(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_uid == geteuid() &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int open_directory(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && !is_ours(fd))
        io_close(&fd);
    return fd;
}

/* Databases stand at multiples of this, as the library reads their heads in words. */
#define ALIGNMENT 16

static size_t aligned(size_t length)
{
    return (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* The next database of the file, with its size in front; an absent one has no bytes. */
static bool read_database(const struct strbuf *bytes, size_t *place, hs_database_t **ret)
{
    uint64_t length;
    if (bytes->length - *place < ALIGNMENT)
        return false;
    memcpy(&length, bytes->data + *place, sizeof length);
    *place += ALIGNMENT;
    if (length > bytes->length - *place || aligned(length) > bytes->length - *place)
        return false;
    /* The library checks a checksum and that the database is for this version and processor. */
    if (length > 0 &&
        hs_deserialize_database(bytes->data + *place, (size_t)length, ret) != HS_SUCCESS)
        return false;
    *place += aligned((size_t)length);
    return true;
}

static bool read_all(const struct strbuf *bytes, const struct pattern_plan *plan,
                     unsigned char *kinds, hs_database_t **databases)
{
    size_t place = aligned(plan->count);
    bool good = bytes->length >= place;
    for (unsigned i = 0; good && i < plan->subset_count; i++)
        good = read_database(bytes, &place, &databases[i]);
    if (good && place == bytes->length) {
        memcpy(kinds, bytes->data, plan->count);
        return true;
    }
    for (unsigned i = 0; i < plan->subset_count; i++) {
        hs_free_database(databases[i]);
        databases[i] = NULL;
    }
    return false;
}

bool pattern_cache_load(const char *directory, const struct pattern_plan *plan,
                        unsigned char *kinds, hs_database_t **databases)
{
    struct cache_name name;
    CLEANUP_FD int folder = open_directory(directory);
    if (folder < 0 || !name_of(plan, &name))
        return false;
    CLEANUP_FD int fd = openat(folder, name.text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    if (fd < 0 || !is_ours(fd) || io_read_all(fd, FILE_SIZE_MAX, &bytes, name.text, NULL) < 0 ||
        !read_all(&bytes, plan, kinds, databases))
        return false;
    futimens(fd, NULL); /* used now: the oldest are forgotten first */
    return true;
}

static bool is_cache_file(const char *name)
{
    size_t length = strlen(name), suffix = sizeof SUFFIX - 1;
    return length == 64 + suffix && strcmp(name + 64, SUFFIX) == 0;
}

/* Removes the oldest file while there are too many. */
static void forget_oldest(const char *directory)
{
    CLEANUP_DIR DIR *folder = opendir(directory);
    char oldest[sizeof((struct cache_name *)0)->text] = "";
    struct timespec oldest_time = {0};
    int count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        struct stat status;
        if (!is_cache_file(entry->d_name) ||
            fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (count++ == 0 || status.st_mtim.tv_sec < oldest_time.tv_sec) {
            snprintf(oldest, sizeof oldest, "%s", entry->d_name);
            oldest_time = status.st_mtim;
        }
    }
    if (folder && count > FILES_MAX)
        unlinkat(dirfd(folder), oldest, 0);
}

/* Parents first; those that exist are left as they are. */
static void make_directory(const char *directory)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    strbuf_adds(&path, directory);
    for (char *slash = path.data; strbuf_ok(&path) && (slash = strchr(slash + 1, '/'));
         *slash = '/') {
        *slash = '\0';
        mkdir(path.data, 0700);
    }
    mkdir(directory, 0700);
}

static void add_padding(struct strbuf *out)
{
    static const char zeros[ALIGNMENT];
    strbuf_add(out, zeros, aligned(out->length) - out->length);
}

static bool write_database(const hs_database_t *database, struct strbuf *out)
{
    char *bytes = NULL;
    size_t length = 0;
    if (database && hs_serialize_database(database, &bytes, &length) != HS_SUCCESS)
        return false;
    strbuf_add(out, (const char *)&(uint64_t){length}, sizeof(uint64_t));
    add_padding(out);
    strbuf_add(out, bytes, length);
    add_padding(out);
    free(bytes);
    return strbuf_ok(out);
}

void pattern_cache_store(const char *directory, const struct pattern_plan *plan,
                         const unsigned char *kinds, hs_database_t *const *databases)
{
    struct cache_name name;
    char temporary[96];
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    strbuf_add(&bytes, (const char *)kinds, plan->count);
    add_padding(&bytes);
    for (unsigned i = 0; i < plan->subset_count; i++)
        if (!write_database(databases[i], &bytes))
            return;
    make_directory(directory);
    CLEANUP_FD int folder = open_directory(directory);
    if (folder < 0 || !name_of(plan, &name))
        return;
    snprintf(temporary, sizeof temporary, ".%s.%ld", name.text, (long)getpid());
    CLEANUP_FD int fd =
        openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && (io_write_all(fd, bytes.data, bytes.length) < 0 ||
                    renameat(folder, temporary, folder, name.text) < 0))
        unlinkat(folder, temporary, 0);
    forget_oldest(directory);
}
