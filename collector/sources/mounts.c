/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Format of mountinfo: proc(5). Blanks in a mount point are written as octal escapes. A later line
 * covers an earlier one at the same place.
 */
#include "collector/sources/mounts.h"

#include <fcntl.h>
#include <stdatomic.h>

#include "common/io.h"
#include "common/vec.h"

#define MAX_TABLE_BYTES (16 * 1024 * 1024) /* hosts with thousands of containers have a few MB */

struct mount {
    char *point;
    size_t length;
    char type[32];
    atomic_bool hangs;
};

struct mounts {
    VEC(struct mount) list;
};

/*
 * On a local disk or in memory. All others may block: kernel interfaces (a read of dom0's
 * /proc/xen/xenbus waits for an event), the network, user space, and what nobody thought of.
 */
static const char *const calm_types[] = {
    "ext2",    "ext3",  "ext4",   "xfs",      "btrfs",   "jfs",  "reiserfs", "f2fs", "zfs",
    "overlay", "tmpfs", "ramfs",  "devtmpfs", "rootfs",  "vfat", "msdos",    "exfat", "ntfs3",
    "iso9660", "udf",   "erofs",  "squashfs", "cramfs",  "hfsplus",
};

/* Undoes \040 and the like in place. */
static void unescape(char *text)
{
    char *out = text;
    while (*text) {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
            text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
            *out++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 4;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

static int add_line(struct mounts *mounts, char *line, struct err *err)
{
    char *save = NULL, *word, *point = NULL, *type = NULL;
    bool separator = false;
    int field = 0;
    for (word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save), field++) {
        if (field == 4)
            point = word;
        if (separator) {
            type = word;
            break;
        }
        separator = field > 5 && strcmp(word, "-") == 0;
    }
    if (!point || !type)
        return 0; /* not a line we know; the next ones may be */
    struct mount *mount = vec_push(&mounts->list);
    if (!mount || !(mount->point = strdup(point)))
        return err_nomem(err);
    unescape(mount->point);
    mount->length = strlen(mount->point);
    snprintf(mount->type, sizeof mount->type, "%s", type);
    return 0;
}

int mounts_parse(const char *text, struct mounts **ret, struct err *err)
{
    struct mounts *mounts = calloc(1, sizeof *mounts);
    CLEANUP_FREE char *copy = strdup(text);
    char *save = NULL;
    int r = mounts && copy ? 0 : err_nomem(err);
    for (char *line = r == 0 ? strtok_r(copy, "\n", &save) : NULL; r == 0 && line;
         line = strtok_r(NULL, "\n", &save))
        r = add_line(mounts, line, err);
    if (r == 0)
        *ret = mounts;
    else
        mounts_free(mounts);
    return r;
}

int mounts_load(struct mounts **ret, struct err *err)
{
    CLEANUP_FD int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    struct strbuf text = STRBUF_INIT;
    struct err unread = ERR_INIT;
    if (fd < 0 || io_read_all(fd, MAX_TABLE_BYTES, &text, "/proc/self/mountinfo", &unread) < 0)
        strbuf_clear(&text);
    int r = mounts_parse(text.data, ret, err);
    strbuf_release(&text);
    return r;
}

void *mounts_free(struct mounts *mounts)
{
    if (!mounts)
        return NULL;
    for (size_t i = 0; i < mounts->list.count; i++)
        free(mounts->list.items[i].point);
    vec_free(&mounts->list);
    free(mounts);
    return NULL;
}

const struct mount *mounts_find(const struct mounts *mounts, const char *path)
{
    const struct mount *best = NULL;
    for (size_t i = 0; i < mounts->list.count; i++) {
        const struct mount *mount = &mounts->list.items[i];
        bool root = mount->length == 1;
        bool covers = root || (strncmp(path, mount->point, mount->length) == 0 &&
                               (path[mount->length] == '/' || path[mount->length] == '\0'));
        if (covers && (!best || mount->length >= best->length))
            best = mount;
    }
    return best;
}

const char *mounts_type(const struct mounts *mounts, const char *path)
{
    const struct mount *mount = mounts_find(mounts, path);
    return mount ? mount->type : "";
}

bool mount_is_risky(const struct mount *mount)
{
    if (!mount || atomic_load(&mount->hangs))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(calm_types); i++)
        if (strcmp(mount->type, calm_types[i]) == 0)
            return false;
    return true;
}

bool mounts_is_risky(const struct mounts *mounts, const char *path)
{
    return mount_is_risky(mounts_find(mounts, path));
}

void mounts_note_hang(struct mounts *mounts, const struct mount *mount)
{
    if (mount)
        atomic_store(&mounts->list.items[mount - mounts->list.items].hangs, true);
}
