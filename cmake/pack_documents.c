/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * pack-documents DIRECTORY BASE FILE...   packs YAML files into DIRECTORY/0.doc, 1.doc and so on.
 *
 * A step of the build (`DOCUMENTS` of embed_files()), not installed. YAML that is not valid stops
 * the build at its line; files are called by their path from BASE, as in every other message.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/doc_packed.h"
#include "common/io.h"

#define FILE_MAX  (4 * 1024 * 1024)
#define NODES_MAX (64 * 1024 * 1024)

static int pack(const char *path, const char *name, const char *target, struct err *err)
{
    CLEANUP(arena_cleanup) struct arena *arena = arena_new(NODES_MAX);
    CLEANUP(strbuf_release) struct strbuf yaml = STRBUF_INIT, packed = STRBUF_INIT;
    const struct doc_node *root;
    if (!arena)
        return err_nomem(err);
    int r = io_read_file(AT_FDCWD, path, FILE_MAX, &yaml, err);
    if (r == 0)
        r = doc_parse(arena, name, yaml.data, yaml.length, &root, err);
    if (r < 0)
        return r;
    doc_pack(root, &packed);
    if (!strbuf_ok(&packed))
        return err_nomem(err);
    CLEANUP_FD int fd = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || io_write_all(fd, packed.data, packed.length) < 0)
        return err_set(err, ERR_IO, "cannot write '%s'", target);
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 3; i < argc; i++) {
        CLEANUP(strbuf_release) struct strbuf target = STRBUF_INIT;
        struct err err = ERR_INIT;
        size_t base = strlen(argv[2]);
        const char *name = strncmp(argv[i], argv[2], base) == 0 ? argv[i] + base + 1 : argv[i];
        strbuf_addf(&target, "%s/%d.doc", argv[1], i - 3);
        if (pack(argv[i], name, target.data, &err) < 0) {
            char message[1024];
            fprintf(stderr, "%s\n", err_message(&err, message, sizeof message));
            return 1;
        }
    }
    return 0;
}
