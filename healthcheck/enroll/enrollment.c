/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * YAML, because an administrator may want to read it, or to bring it along with a host's other
 * settings. It says where reports go, so it is believed only if nobody but root can write it.
 */
#include "healthcheck/enroll/enrollment.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/doc.h"
#include "common/io.h"
#include "common/replace.h"
#include "common/secret.h"
#include "healthcheck/enroll/folder.h"

#define MAX_FILE 16384

static const char *const credentials[] = {
    [ENROLLMENT_NO_CREDENTIAL] = "none",
    [ENROLLMENT_XAPI_TOKEN] = "xapi",
    [ENROLLMENT_LOCAL] = "file",
    NULL,
};

static int take_text(const struct doc_node *map, const char *key, char *ret, size_t size,
                     struct err *err)
{
    const char *text;
    const struct doc_node *node = doc_get(map, key);
    if (!node)
        return doc_fail(map, err, "the key '%s' is missing", key);
    int r = doc_string(node, &text, err);
    if (r == 0 && strlen(text) >= size)
        r = doc_fail(node, err, "this text is too long");
    if (r == 0)
        snprintf(ret, size, "%s", text);
    return r;
}

static int parse(struct arena *arena, const char *path, const struct strbuf *text,
                 struct enrollment *enrollment, struct err *err)
{
    static const char *const keys[] = {"url", "pool", "enrolled", "credential", "token", NULL};
    const struct doc_node *root;
    int choice = ENROLLMENT_NO_CREDENTIAL;
    int r = doc_parse(arena, path, text->data, text->length, &root, err);
    if (r == 0)
        r = doc_check_keys(root, keys, err);
    if (r == 0)
        r = take_text(root, "url", enrollment->url, sizeof enrollment->url, err);
    if (r == 0)
        r = take_text(root, "pool", enrollment->pool, sizeof enrollment->pool, err);
    if (r == 0)
        r = take_text(root, "enrolled", enrollment->enrolled, sizeof enrollment->enrolled, err);
    if (r == 0 && doc_get(root, "credential"))
        r = doc_choice(doc_get(root, "credential"), credentials, &choice, err);
    enrollment->credential = (enum enrollment_credential)choice;
    if (r == 0 && choice == ENROLLMENT_XAPI_TOKEN)
        r = take_text(root, "token", enrollment->token, sizeof enrollment->token, err);
    return r;
}

int enrollment_load(const char *folder, struct enrollment *ret, struct err *err)
{
    char path[PATH_MAX];
    struct enrollment enrollment = {.url = ""};
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    snprintf(path, sizeof path, "%s/" ENROLLMENT_FILE, folder);
    int r = secret_check_file(path, err);
    if (r == 0)
        r = io_read_file(AT_FDCWD, path, MAX_FILE, &text, err);
    if (r < 0)
        return r;
    CLEANUP(arena_cleanup) struct arena *arena = arena_new(1 << 20);
    r = arena ? parse(arena, path, &text, &enrollment, err) : err_nomem(err);
    if (r == 0)
        *ret = enrollment;
    return r;
}

/* 'text', for YAML. */
static void add_quoted(struct strbuf *out, const char *key, const char *text)
{
    strbuf_addf(out, "%s: '", key);
    for (; *text; text++)
        strbuf_adds(out, *text == '\'' ? "''" : (const char[]){*text, '\0'});
    strbuf_adds(out, "'\n");
}

static int write_or_remove(int dirfd, const char *folder, const char *name, bool present,
                           const char *bytes, size_t length, struct err *err)
{
    return present ? replace_file(dirfd, folder, name, bytes, length, 0600, err)
                   : replace_remove(dirfd, folder, name, err);
}

int enrollment_save(const char *folder, const struct enrollment *enrollment, const char *lines,
                    struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT_MAX(MAX_FILE);
    CLEANUP_FD int fd = -1;
    strbuf_adds(&text,
                "# Made by 'xen-healthcheck enroll'; 'xen-healthcheck disable' removes it.\n");
    add_quoted(&text, "url", enrollment->url);
    add_quoted(&text, "pool", enrollment->pool);
    add_quoted(&text, "enrolled", enrollment->enrolled);
    strbuf_addf(&text, "credential: %s\n", credentials[enrollment->credential]);
    if (enrollment->credential == ENROLLMENT_XAPI_TOKEN)
        add_quoted(&text, "token", enrollment->token);
    if (!strbuf_ok(&text))
        return err_nomem(err);
    bool has_lines = enrollment->credential == ENROLLMENT_LOCAL;
    int r = folder_open(folder, 0755, &fd, err);
    if (r == 0)
        r = write_or_remove(fd, folder, ENROLLMENT_SECRET, has_lines, lines,
                            has_lines ? strlen(lines) : 0, err);
    return r == 0 ? replace_file(fd, folder, ENROLLMENT_FILE, text.data, text.length, 0600, err)
                  : r;
}

static int back_up(int dirfd, const char *name, struct strbuf *text, bool *ret_present,
                   struct err *err)
{
    struct err own = ERR_INIT;
    int r = folder_read(dirfd, name, MAX_FILE, text, &own);
    *ret_present = r == 0;
    return r == ERR_NOTFOUND ? 0 : err_pass(err, r, &own);
}

int enrollment_back_up(const char *folder, struct enrollment_backup *ret, struct err *err)
{
    *ret = (struct enrollment_backup){.file = STRBUF_INIT, .secret = STRBUF_INIT};
    CLEANUP_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    int r = back_up(fd, ENROLLMENT_FILE, &ret->file, &ret->has_file, err);
    return r == 0 ? back_up(fd, ENROLLMENT_SECRET, &ret->secret, &ret->has_secret, err) : r;
}

int enrollment_restore(const char *folder, const struct enrollment_backup *backup, struct err *err)
{
    CLEANUP_FD int fd = -1;
    int r = folder_open(folder, 0755, &fd, err);
    if (r == 0)
        r = write_or_remove(fd, folder, ENROLLMENT_SECRET, backup->has_secret, backup->secret.data,
                            backup->secret.length, err);
    if (r == 0)
        r = write_or_remove(fd, folder, ENROLLMENT_FILE, backup->has_file, backup->file.data,
                            backup->file.length, err);
    return r;
}

void enrollment_backup_release(struct enrollment_backup *backup)
{
    strbuf_release(&backup->file);
    secret_release(&backup->secret);
}

int enrollment_forget(const char *folder, struct err *err)
{
    CLEANUP_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "cannot open '%s'", folder);
    int r = replace_remove(fd, folder, ENROLLMENT_FILE, err);
    int s = replace_remove(fd, folder, ENROLLMENT_SECRET, err);
    return r < 0 ? r : s;
}
