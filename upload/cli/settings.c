/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Credentials that stand in the file would go to whatever URL somebody types, so the file must say
 * which server they are for.
 */
#include "upload/cli/settings.h"

#include <fcntl.h>

#include "common/doc.h"
#include "common/io.h"

#define KEYS_MAX 64

static void list_keys(const char *keys[KEYS_MAX + 1])
{
    size_t count = 0;
    for (const struct option_def *def = option_defs; def->name && count < KEYS_MAX; def++)
        if (def->scope & SCOPE_SETTING)
            keys[count++] = def->name;
    keys[count] = NULL;
}

/* One way to name credentials on the command line replaces another in the file. */
static bool is_replaced(const struct options *given, const struct option_def *def)
{
    if (def->scope & SCOPE_SECRET)
        return given->token || given->credentials || given->credential;
    if (strcmp(def->name, "origin") == 0 &&
        (given->token || given->credentials || given->credential))
        return true; /* it belongs to the file's credentials */
    return option_given(given, def);
}

static int take(struct options *options, const struct option_def *def, const struct doc_node *value,
                struct arena *arena, struct err *err)
{
    const char *text;
    bool flag;
    struct err reason = ERR_INIT;
    if (def->kind == OPTION_FLAG) {
        int r = doc_bool(value, &flag, err);
        return r < 0 ? r : option_set(options, def, def->name, flag ? "true" : "false", err);
    }
    int r = doc_string(value, &text, err);
    if (r < 0)
        return r;
    text = arena_strdup(arena, text);
    if (!text)
        return err_nomem(err);
    r = option_set(options, def, def->name, text, &reason);
    return r < 0 ? doc_fail(value, err, "%s", reason.text) : 0;
}

static int check_origin(const struct doc_node *root, struct err *err)
{
    for (size_t i = 0; i < root->count; i++) {
        const struct option_def *def = option_find(root->keys[i]->text);
        if (def && def->scope & SCOPE_SECRET && !doc_get(root, "origin"))
            return doc_fail(root->keys[i], err,
                            "'%s' needs 'origin: https://HOST' beside it: the only server that "
                            "gets these credentials",
                            def->name);
    }
    return 0;
}

int settings_parse(struct options *options, struct arena *arena, const char *name,
                   const char *bytes, size_t length, struct err *err)
{
    const struct doc_node *root;
    const char *keys[KEYS_MAX + 1];
    struct options filled = *options;
    int r = doc_parse(arena, name, bytes, length, &root, err);
    list_keys(keys);
    if (r == 0)
        r = doc_check_keys(root, keys, err);
    if (r == 0)
        r = check_origin(root, err);
    for (size_t i = 0; r == 0 && i < root->count; i++) {
        const struct option_def *def = option_find(root->keys[i]->text);
        struct options checked = *options;
        bool replaced = is_replaced(options, def);
        r = take(replaced ? &checked : &filled, def, root->items[i], arena, err);
    }
    if (r == 0)
        *options = filled;
    else if (err && r != ERR_NOMEM)
        r = err->code = ERR_USAGE; /* a longer command line */
    return r;
}

int settings_load(struct options *options, struct arena *arena, struct err *err)
{
    const char *path = options->settings ? options->settings : SETTINGS_DEFAULT;
    struct strbuf bytes = STRBUF_INIT;
    struct err reason = ERR_INIT;
    int r = io_read_file(AT_FDCWD, path, SETTINGS_MAX_BYTES, &bytes, &reason);
    if (r == 0)
        r = settings_parse(options, arena, path, bytes.data, bytes.length, err);
    else if (r == ERR_NOTFOUND && !options->settings)
        r = 0;
    else
        r = err_set(err, r, "settings: %s", reason.text);
    strbuf_release(&bytes);
    return r;
}
