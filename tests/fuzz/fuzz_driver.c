/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Replays files (or all files of folders) through a fuzz target, for compilers without libFuzzer:
 * every test run walks the corpus, also under the sanitizers. A corpus without a file is a mistake
 * and fails.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replay(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return 0;
    if (S_ISDIR(status.st_mode)) {
        size_t count = 0;
        CLEANUP_DIR DIR *directory = opendir(path);
        for (struct dirent *entry; directory && (entry = readdir(directory));) {
            if (entry->d_name[0] == '.')
                continue;
            CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
            strbuf_addf(&name, "%s/%s", path, entry->d_name);
            count += replay(name.data);
        }
        return count;
    }
    CLEANUP(strbuf_release) struct strbuf bytes = STRBUF_INIT;
    struct err err = ERR_INIT;
    if (io_read_file(AT_FDCWD, path, 64 * 1024 * 1024, &bytes, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 0;
    }
    /* A copy of the exact size, so that the sanitizer sees a read past the end. */
    uint8_t *copy = malloc(bytes.length ? bytes.length : 1);
    if (!copy)
        return 0;
    memcpy(copy, bytes.data, bytes.length);
    LLVMFuzzerTestOneInput(copy, bytes.length);
    free(copy);
    return 1;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    printf("%zu inputs replayed\n", count);
    return count > 0 ? 0 : 1;
}
