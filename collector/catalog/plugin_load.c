/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The plugin folder. Names are sorted, so that the same host always gives the same report (the
 * original took them as the file system had them).
 *
 * Below another root nothing may lead out of it: links are not followed there.
 */
#include "collector/catalog/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "collector/catalog/plugin_xml.h"
#include "common/io.h"
#include "common/units.h"

#define MAX_FOLDERS 128                /* hosts have about twelve */
#define MAX_FILES   64                 /* of one folder */
#define FIRST_ORDER 1000               /* behind the built-in capabilities */
#define LONGEST     (30LL * 24 * 3600) /* seconds; sums with it do not overflow */

struct loader {
    struct catalog *catalog;
    const struct plugin_options *options;
    const char *shown; /* the folder's name in messages and in the manifest */
    int fd;
    int follow; /* flags for the last part of a path */
    int order;
};

static int read_number(const struct plugin_element *root, const char *name, const char *file,
                       int64_t largest, int64_t *ret, struct err *err)
{
    const char *text = plugin_attribute(root, name);
    if (!text)
        return 0;
    if (!units_integer(text, ret) || *ret > largest)
        return err_set_at(err, ERR_PARSE, file, root->line, 0,
                          "%s='%.40s' is no number that can be used", name, text);
    *ret = *ret < 0 ? -1 : *ret;
    return 0;
}

static bool flag(const struct plugin_element *root, const char *name, bool usual)
{
    const char *text = plugin_attribute(root, name);
    return !text ? usual : strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0;
}

static const char *choose(const struct plugin_element *root, const char *name,
                          const char *const *known, const char *usual)
{
    const char *text = plugin_attribute(root, name);
    for (; text && *known; known++)
        if (strcmp(text, *known) == 0)
            return *known;
    return usual;
}

int plugin_parse_capability(struct arena *arena, const char *key, const char *name,
                            const char *bytes, size_t length, struct capability *ret,
                            struct err *err)
{
    static const char *const pii[] = {"no", "yes", "maybe", "if_customized", NULL};
    static const char *const mime[] = {"application/data", "text/plain", NULL};
    struct plugin_document document;
    int r = plugin_xml_parse(arena, name, bytes, length, &document, err);
    if (r < 0)
        return r;
    const struct plugin_element *root = &document.elements[0];
    if (strcmp(root->name, "capability") != 0)
        return err_set_at(err, ERR_PARSE, name, root->line, 0,
                          "the root element is <%.60s>; a capability is <capability>", root->name);
    struct capability capability = {.key = key,
                                    .description = "added by a plugin",
                                    .pii = choose(root, "pii", pii, "maybe"),
                                    .mime = choose(root, "mime", mime, "text/plain"),
                                    .min_size = -1,
                                    .max_size = -1,
                                    .min_time = -1,
                                    .max_time = -1,
                                    .checked = flag(root, "checked", true),
                                    .hidden = flag(root, "hidden", false)};
    r = read_number(root, "min_size", name, INT64_MAX / 2, &capability.min_size, err);
    if (r == 0)
        r = read_number(root, "max_size", name, INT64_MAX / 2, &capability.max_size, err);
    if (r == 0)
        r = read_number(root, "min_time", name, LONGEST, &capability.min_time, err);
    if (r == 0)
        r = read_number(root, "max_time", name, LONGEST, &capability.max_time, err);
    if (r < 0)
        return r;
    capability.command_time = capability.max_time > 0 ? capability.max_time : CATALOG_DEFAULT_TIME;
    *ret = capability;
    return 0;
}

/* Tells of a bad file, and records it in the plan: under its capability, or, when that is what is
 * bad, under the one that tells about the tool itself. */
static int record(struct loader *loader, struct capability *capability, const char *name,
                  const struct err *why, struct err *err)
{
    struct arena *arena = loader->catalog->arena;
    char text[800], line[900];
    err_message(why, text, sizeof text);
    snprintf(line, sizeof line, "Plugin left out: %s", text);
    loader->options->complain(loader->options->context, line);
    struct catalog_item item = {.kind = ITEM_FILE,
                                .file = arena_strdup(arena, name),
                                .limit = -1,
                                .time_ms = -1,
                                .rank = 1,
                                .foreign = true,
                                .defect = arena_printf(arena, "plugin left out: %s", text)};
    const char **no_filters = arena_array(arena, 1, sizeof *no_filters);
    item.filters = no_filters;
    if (!item.file || !item.defect || !no_filters)
        return err_nomem(err);
    if (!capability)
        capability = catalog_find(loader->catalog, "xen-bugtool");
    return capability ? plugin_append(arena, capability, &item, 1, err) : 0;
}

static int read_file(const struct loader *loader, int fd, const char *name, const char *shown,
                     struct strbuf *text, struct err *err)
{
    struct stat status;
    if (fstatat(fd, name, &status, loader->follow) == 0 && !S_ISREG(status.st_mode))
        return err_set_at(err, ERR_DENIED, shown, 0, 0, "it is no regular file");
    struct err why = ERR_INIT;
    int r = io_read_file(fd, name, PLUGIN_XML_BYTES, text, &why);
    return r < 0 ? err_set_at(err, r, shown, 0, 0, "%s", why.text) : 0;
}

static int load_items(struct loader *loader, struct capability *capability, int folder,
                      const char *name, struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    struct err why = ERR_INIT;
    const char *shown =
        arena_printf(loader->catalog->arena, "%s/%s/%s", loader->shown, capability->key, name);
    if (!shown)
        return err_nomem(err);
    int r = read_file(loader, folder, name, shown, &text, &why);
    if (r == 0)
        r = plugin_parse_items(loader->catalog->arena, shown, text.data, text.length, capability,
                               &why);
    strbuf_release(&text);
    return r < 0 ? record(loader, capability, shown, &why, err) : 0;
}

static int is_xml(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".xml") == 0;
}

static int not_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int load_folder(struct loader *loader, struct capability *capability, int folder,
                       struct err *err)
{
    struct dirent **found = NULL;
    int count = scandirat(folder, ".", &found, is_xml, alphasort), r = 0;
    for (int i = 0; i < count; i++) {
        if (r == 0 && i < MAX_FILES)
            r = load_items(loader, capability, folder, found[i]->d_name, err);
        free(found[i]);
    }
    free(found);
    return r;
}

/* A key goes into XML, on command lines and into names. */
static bool is_key(const char *text)
{
    return *text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "_.-") == strlen(text);
}

/* The capability of a folder: a known one, or a new one. *ret is NULL when the folder is not to be
 * read: it has no capability, or that could not be read. */
static int find_capability(struct loader *loader, const char *folder, struct capability **ret,
                           struct err *err)
{
    struct arena *arena = loader->catalog->arena;
    struct stat status;
    *ret = catalog_find(loader->catalog, folder);
    char *file = arena_printf(arena, "%s.xml", folder);
    char *key = arena_strdup(arena, folder);
    char *shown = file ? arena_printf(arena, "%s/%s", loader->shown, file) : NULL;
    if (!shown || !key)
        return err_nomem(err);
    if (*ret || fstatat(loader->fd, file, &status, loader->follow) < 0)
        return 0;
    struct strbuf text = STRBUF_INIT;
    struct err why = ERR_INIT;
    struct capability capability;
    int r = is_key(key) ? read_file(loader, loader->fd, file, shown, &text, &why)
                        : err_set_at(&why, ERR_PARSE, shown, 0, 0,
                                     "a capability's name may have letters, digits and - _ . only");
    if (r == 0)
        r = plugin_parse_capability(arena, key, shown, text.data, text.length, &capability, &why);
    strbuf_release(&text);
    struct capability *added = r == 0 ? catalog_add(loader->catalog, &why) : NULL;
    if (!added)
        return record(loader, NULL, shown, &why, err);
    *added = capability;
    added->order = FIRST_ORDER + loader->order;
    *ret = added;
    return 0;
}

static int load_one(struct loader *loader, const char *name, struct err *err)
{
    struct stat status;
    if (fstatat(loader->fd, name, &status, loader->follow) < 0 || !S_ISDIR(status.st_mode))
        return 0;
    struct capability *capability;
    int r = find_capability(loader, name, &capability, err);
    if (r < 0 || !capability)
        return r;
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (loader->follow ? O_NOFOLLOW : 0);
    CLEANUP_FD int folder = openat(loader->fd, name, flags);
    return folder < 0 ? 0 : load_folder(loader, capability, folder, err);
}

static int load_all(struct loader *loader, struct err *err)
{
    struct dirent **found = NULL;
    int count = scandirat(loader->fd, ".", &found, not_dots, alphasort), r = 0;
    for (int i = 0; i < count; i++) {
        if (r == 0 && loader->order < MAX_FOLDERS) {
            loader->order++;
            r = load_one(loader, found[i]->d_name, err);
        }
        free(found[i]);
    }
    free(found);
    return r;
}

/* The plugin folder of another root must really lie below it. */
static bool is_below(const char *root, const char *path)
{
    char real[PATH_MAX];
    size_t length = strlen(root);
    return realpath(path, real) && strncmp(real, root, length) == 0 && real[length] == '/';
}

int plugins_load(struct catalog *catalog, const struct plugin_options *options, struct err *err)
{
    bool live = strcmp(options->root, "/") == 0;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s" PLUGIN_FOLDER, live ? "" : options->root);
    const char *folder = options->directory ? options->directory : path;
    if (!options->directory && !live && !is_below(options->root, path))
        return 0;
    CLEANUP_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return options->directory ? err_set_errno(err, errno, "cannot open the plugin folder '%s'",
                                                  options->directory)
                                  : 0;
    struct loader loader = {.catalog = catalog,
                            .options = options,
                            .shown = options->directory ? options->directory : PLUGIN_FOLDER,
                            .fd = fd,
                            .follow = live || options->directory ? 0 : AT_SYMLINK_NOFOLLOW};
    int r = load_all(&loader, err);
    catalog_sort(catalog);
    return r;
}
