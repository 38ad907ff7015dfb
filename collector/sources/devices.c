/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A list is a folder of /sys and a test of what makes an entry belong; one row each.
 */
#include "collector/sources/devices.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/io.h"

#define MAX_DEVICES 4096 /* a host with 1000 VMs has some 4000 network devices */
#define MAX_NAME    64

static bool exists_in(const char *folder, const char *name, const char *file)
{
    char path[PATH_MAX];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
    return stat(path, &status) == 0;
}

static bool is_bridge(const char *folder, const char *name)
{
    return exists_in(folder, name, "bridge");
}

/* Ethernet (ARPHRD_ETHER) and no bridge: what ethtool can say something about. */
static bool is_nic(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct strbuf type = STRBUF_INIT;
    snprintf(path, sizeof path, "%s/%s/type", folder, name);
    bool ethernet = !is_bridge(folder, name) &&
                    io_read_file(AT_FDCWD, path, 64, &type, NULL) == 0 &&
                    strcmp(type.data, "1\n") == 0;
    strbuf_release(&type);
    return ethernet;
}

/* Block devices with hardware behind them: no partitions, loops, device-mapper, and no optical or
 * guest disks. */
static bool is_disk(const char *folder, const char *name)
{
    static const char *const others[] = {"sr", "fd", "xvd", "td", "nbd"};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (strncmp(name, others[i], strlen(others[i])) == 0)
            return false;
    return exists_in(folder, name, "device");
}

/* A network port as fcoe knows them: eth0, and predictable names (eno1, enp3s0f0). No dots, so no
 * VLANs. */
static bool is_port(const char *folder, const char *name)
{
    (void)folder;
    if (strncmp(name, "eth", 3) != 0 && strncmp(name, "en", 2) != 0)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name))
            return false;
    return true;
}

static bool is_any(const char *folder, const char *name)
{
    (void)folder;
    (void)name;
    return true;
}

static const struct {
    const char *name, *folder;
    bool (*belongs)(const char *folder, const char *name);
} lists[] = {
    {"nic", "/sys/class/net", is_nic},
    {"bridge", "/sys/class/net", is_bridge},
    {"port", "/sys/class/net", is_port},
    {"disk", "/sys/block", is_disk},
    {"nvme", "/sys/class/nvme", is_any},
};

bool device_list_exists(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (strcmp(lists[i].name, name) == 0)
            return true;
    return false;
}

bool device_name_is_safe(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > MAX_NAME || name[0] == '-' || strstr(name, ".."))
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("._:/@-", *name))
            return false;
    return true;
}

static bool list_recorded(const char *root, const char *name, device_sink sink, void *context)
{
    char path[PATH_MAX];
    struct strbuf text = STRBUF_INIT;
    snprintf(path, sizeof path, "%s/.commands/each-%s", root, name);
    bool there = io_read_file(AT_FDCWD, path, MAX_DEVICES * MAX_NAME, &text, NULL) == 0;
    char *save = NULL;
    for (char *line = there && text.length ? strtok_r(text.data, "\n", &save) : NULL; line;
         line = strtok_r(NULL, "\n", &save))
        sink(context, line);
    strbuf_release(&text);
    return there;
}

static void list_folder(const char *folder, bool (*belongs)(const char *, const char *),
                        device_sink sink, void *context)
{
    struct dirent **found = NULL;
    int count = scandir(folder, &found, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (found[i]->d_name[0] != '.' && i < MAX_DEVICES && belongs(folder, found[i]->d_name))
            sink(context, found[i]->d_name);
        free(found[i]);
    }
    free(found);
}

void device_list(const char *root, const char *name, device_sink sink, void *context)
{
    bool live = strcmp(root, "/") == 0;
    if (!live && list_recorded(root, name, sink, context))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (strcmp(lists[i].name, name) == 0) {
            char folder[PATH_MAX];
            snprintf(folder, sizeof folder, "%s%s", live ? "" : root, lists[i].folder);
            list_folder(folder, lists[i].belongs, sink, context);
        }
}
