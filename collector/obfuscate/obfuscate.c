/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The parts put together, and the map. The map is written next to the archive, never into it: with
 * the key alone addresses can be turned back, but names only with the map.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>

#include "collector/obfuscate/obfuscator.h"
#include "common/io.h"

static int learn(struct obfuscator *o, const char *root, const char *host_name, struct err *err)
{
    int r = sources_load(&o->sources, err);
    if (r == 0)
        r = names_new(&o->key, &o->names, err);
    if (r == 0)
        r = learn_all(o->names, &o->sources, root, err);
    if (r == 0)
        r = learn_value(o->names, &o->sources, NAME_HOST, host_name, strlen(host_name), err);
    static const char *const users[] = {"SUDO_USER", "USER"}; /* the inventory tells who ran it */
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(users); i++) {
        const char *user = getenv(users[i]);
        if (user)
            r = learn_value(o->names, &o->sources, NAME_USER, user, strlen(user), err);
    }
    if (r == 0)
        r = names_freeze(o->names, err);
    return r;
}

int obfuscator_open(const char *key_file, const char *root, const char *host_name,
                    struct obfuscator **ret, struct err *err)
{
    struct obfuscator *o = calloc(1, sizeof *o);
    if (!o)
        return err_nomem(err);
    int r = key_load(key_file, &o->key, err);
    if (r == 0)
        r = seen_new(&o->key, &o->seen, err);
    if (r == 0)
        r = learn(o, root, host_name, err);
    if (r < 0)
        obfuscator_free(o);
    else
        *ret = o;
    return r;
}

void *obfuscator_free(struct obfuscator *o)
{
    if (!o)
        return NULL;
    sources_release(&o->sources);
    names_free(o->names);
    seen_free(o->seen);
    explicit_bzero(&o->key, sizeof o->key);
    free(o);
    return NULL;
}

bool obfuscator_has_versions(const struct obfuscator *o, const char *member)
{
    const char *slash = strrchr(member, '/'), *last = slash ? slash + 1 : member;
    for (const char *const *pattern = o->sources.versions; *pattern; pattern++)
        if (fnmatch(*pattern, last, 0) == 0)
            return true;
    return false;
}

static int append(void *context, const void *bytes, size_t length, struct err *err)
{
    struct strbuf *out = context;
    strbuf_add(out, bytes, length);
    return strbuf_ok(out) ? 0 : err_nomem(err);
}

int obfuscate_text(struct obfuscator *o, const char *text, size_t length, struct strbuf *out,
                   struct err *err)
{
    struct obfuscation *obfuscation;
    bool damaged;
    int r = obfuscation_new(o, "", append, out, &obfuscation, err);
    if (r < 0)
        return r;
    r = obfuscation_write(obfuscation, text, length, err);
    if (r == 0)
        r = obfuscation_finish(obfuscation, &damaged, err);
    obfuscation_free(obfuscation);
    return r;
}

int obfuscate_in_place(struct obfuscator *o, char *text, size_t size, struct err *err)
{
    struct strbuf out = STRBUF_INIT;
    int r = obfuscate_text(o, text, strlen(text), &out, err);
    if (r == 0)
        snprintf(text, size, "%s", out.data);
    strbuf_release(&out);
    return r;
}

void obfuscator_describe(const struct obfuscator *o, struct strbuf *out)
{
    bool all;
    size_t addresses = seen_count(o->seen, &all);
    strbuf_addf(out, "Obfuscated: %lld replacements, %s%zu addresses, %zu names known",
                (long long)atomic_load(&((struct obfuscator *)(uintptr_t)o)->replaced),
                all ? "" : "more than ", addresses, names_count(o->names));
}

static void write_names(const struct names *names, struct strbuf *out)
{
    for (size_t i = 0; i < names_count(names); i++) {
        const struct name *name = names_at(names, i);
        strbuf_addf(out, "%s\t%s\t", name_class_word(name->class), name->pseudonym);
        for (const char *c = name->text; *c; c++)
            strbuf_addc(out, *c == '\n' || *c == '\t' ? ' ' : *c);
        strbuf_adds(out, name->tail);
        strbuf_addc(out, '\n');
    }
}

int obfuscator_write_map(const struct obfuscator *o, const char *path, struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    bool all;
    seen_count(o->seen, &all);
    strbuf_adds(&text,
                "# xenhealth-obfuscation-map-1: class, pseudonym, original. Keep it here.\n");
    if (!all)
        strbuf_adds(&text, "# There were more addresses than are listed; the key has them all.\n");
    seen_write(o->seen, &text);
    write_names(o->names, &text);
    int fd = strbuf_ok(&text)
                 ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)
                 : -1;
    int failure = !strbuf_ok(&text) ? ENOMEM
                  : fd < 0          ? errno
                                    : -io_write_all(fd, text.data, text.length);
    if (fd >= 0 && close(fd) < 0 && !failure)
        failure = errno;
    if (failure && fd >= 0)
        unlink(path);
    strbuf_release(&text);
    return failure ? err_set_errno(err, failure, "cannot write the map of pseudonyms '%s'", path)
                   : 0;
}
