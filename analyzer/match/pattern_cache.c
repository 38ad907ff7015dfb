/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/match/pattern_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <sys/stat.h>

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

static bool name_of(const struct pattern_list *patterns, struct cache_name *ret)
{
    hs_platform_info_t platform;
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && hs_populate_platform(&platform) == HS_SUCCESS &&
                EVP_DigestInit_ex(context, EVP_sha256(), NULL) &&
                EVP_DigestUpdate(context, hs_version(), strlen(hs_version()) + 1) &&
                EVP_DigestUpdate(context, &platform.tune, sizeof platform.tune) &&
                EVP_DigestUpdate(context, &platform.cpu_features, sizeof platform.cpu_features);
    for (unsigned i = 0; good && i < patterns->count; i++)
        good = EVP_DigestUpdate(context, &patterns->flags[i], sizeof patterns->flags[i]) &&
               EVP_DigestUpdate(context, &patterns->numbers[i], sizeof patterns->numbers[i]) &&
               EVP_DigestUpdate(context, patterns->expressions[i],
                                strlen(patterns->expressions[i]) + 1);
    good = good && EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    for (unsigned i = 0; good && i < 32; i++)
        snprintf(ret->text + 2 * i, 3, "%02x", digest[i]);
    if (good)
        snprintf(ret->text + 64, sizeof ret->text - 64, SUFFIX);
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

hs_database_t *pattern_cache_load(const char *directory, const struct pattern_list *patterns)
{
    struct cache_name name;
    CLEANUP_FD int folder = open_directory(directory);
    if (folder < 0 || !name_of(patterns, &name))
        return NULL;
    CLEANUP_FD int fd = openat(folder, name.text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    hs_database_t *database = NULL;
    if (fd < 0 || !is_ours(fd) || io_read_all(fd, FILE_SIZE_MAX, &bytes, name.text, NULL) < 0)
        return NULL;
    /* The library checks a checksum and that the database is for this version and processor. */
    if (hs_deserialize_database(bytes.data, bytes.length, &database) != HS_SUCCESS)
        return NULL;
    futimens(fd, NULL); /* used now: the oldest are forgotten first */
    return database;
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

void pattern_cache_store(const char *directory, const struct pattern_list *patterns,
                         const hs_database_t *database)
{
    struct cache_name name;
    char *bytes = NULL, temporary[96];
    size_t length = 0;
    make_directory(directory);
    CLEANUP_FD int folder = open_directory(directory);
    if (folder < 0 || !name_of(patterns, &name) ||
        hs_serialize_database(database, &bytes, &length) != HS_SUCCESS)
        return;
    snprintf(temporary, sizeof temporary, ".%s.%ld", name.text, (long)getpid());
    CLEANUP_FD int fd =
        openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 &&
        (io_write_all(fd, bytes, length) < 0 || renameat(folder, temporary, folder, name.text) < 0))
        unlinkat(folder, temporary, 0);
    free(bytes);
    forget_oldest(directory);
}
