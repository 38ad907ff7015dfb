/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The small sources: hosts, host name, resolver, users. All are optional; each is read line by
 * line.
 */
#include "collector/obfuscate/learn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/embed.h"
#include "common/io.h"
#include "common/units.h"

#define MAX_SOURCE_FILE ((size_t)4 * 1024 * 1024) /* /etc/hosts of somebody who blocks trackers */
#define MAX_SOURCES     ((size_t)1024 * 1024)
#define FIRST_USER      1000 /* below are accounts of the system (source: login.defs) */
#define LAST_USER       60000

extern const struct embedded_file obfuscate_sources[];

int sources_load(struct sources *ret, struct err *err)
{
    static const char *const keys[] = {"databases", "tables", "files", "versions",
                                       "stop",      "words",  NULL};
    struct sources sources = {.arena = arena_new(MAX_SOURCES)};
    const struct embedded_file *file = obfuscate_sources;
    size_t count;
    if (!sources.arena)
        return err_nomem(err);
    int r = doc_parse(sources.arena, file->name, file->data, (size_t)(file->end - file->data),
                      &sources.root, err);
    if (r == 0)
        r = doc_check_keys(sources.root, keys, err);
    if (r == 0)
        r = doc_strings(doc_get(sources.root, "versions"), sources.arena, &sources.versions, &count,
                        err);
    if (r == 0)
        r = doc_strings(doc_get(sources.root, "stop"), sources.arena, &sources.stop, &count, err);
    if (r == 0)
        r = doc_strings(doc_get(sources.root, "words"), sources.arena, &sources.words, &count, err);
    if (r < 0)
        sources_release(&sources);
    else
        *ret = sources;
    return r;
}

void sources_release(struct sources *sources)
{
    if (sources->arena)
        arena_free(sources->arena);
    sources->arena = NULL;
}

static bool is_listed(const char *const *list, const char *text, size_t length)
{
    for (; *list; list++) {
        size_t n = strlen(*list);
        bool any_end = n > 0 && (*list)[n - 1] == '*';
        n -= any_end;
        if ((any_end ? length >= n : length == n) && strncasecmp(text, *list, n) == 0)
            return true;
    }
    return false;
}

bool sources_stop(const struct sources *sources, const char *text, size_t length)
{
    return is_listed(sources->stop, text, length) || is_listed(sources->words, text, length);
}

static int add(struct names *names, const struct sources *sources, enum name_class class,
               const char *text, size_t length, struct err *err)
{
    return sources_stop(sources, text, length) ? 0 : names_add(names, class, text, length, err);
}

/* "corp.example.com", and "example.com" too. */
static int learn_domain(struct names *names, const struct sources *sources, const char *text,
                        size_t length, struct err *err)
{
    int r = 0;
    while (r == 0 && length > 0) {
        r = add(names, sources, NAME_DOMAIN, text, length, err);
        const char *dot = memchr(text, '.', length);
        size_t skip = dot ? (size_t)(dot - text) + 1 : length;
        text += skip;
        length -= skip;
        if (!memchr(text, '.', length))
            break; /* a top-level domain is nobody's */
    }
    return r;
}

/* "host", "host.example.com", "//host/share", "host:/export" */
static int learn_host(struct names *names, const struct sources *sources, const char *text,
                      size_t length, struct err *err)
{
    bool address = memchr(text, ':', length) && !memchr(text, '/', length);
    while (length > 0 && (*text == '/' || *text == '\\'))
        text++, length--;
    size_t n = 0;
    while (n < length && !memchr("/\\:", text[n], 3))
        n++;
    bool letter = false;
    for (size_t i = 0; i < n; i++)
        letter = letter || (text[i] | 0x20) >= 'a';
    bool path = n < length && n == 0;
    if (path || !letter || (address && n < 5)) /* an IPv6 address begins with four digits at most */
        return 0;
    const char *dot = memchr(text, '.', n);
    if (!dot || memchr(text, ' ', n))
        return add(names, sources, NAME_HOST, text, n, err);
    size_t label = (size_t)(dot - text);
    int r = add(names, sources, NAME_HOST, text, label, err);
    return r < 0 ? r : learn_domain(names, sources, dot + 1, n - label - 1, err);
}

/* "joe", "joe@corp.example.com", "CORP\joe" */
static int learn_user(struct names *names, const struct sources *sources, const char *text,
                      size_t length, struct err *err)
{
    const char *at = memchr(text, '@', length), *slash = memchr(text, '\\', length);
    int r = 0;
    if (at) {
        size_t n = (size_t)(at - text);
        r = learn_domain(names, sources, at + 1, length - n - 1, err);
        length = n;
    } else if (slash) {
        size_t n = (size_t)(slash - text);
        r = add(names, sources, NAME_DOMAIN, text, n, err);
        text += n + 1;
        length -= n + 1;
    }
    return r < 0 ? r : add(names, sources, NAME_USER, text, length, err);
}

int learn_value(struct names *names, const struct sources *sources, enum name_class class,
                const char *text, size_t length, struct err *err)
{
    switch (class) {
    case NAME_HOST:
        return learn_host(names, sources, text, length, err);
    case NAME_DOMAIN:
        return learn_domain(names, sources, text, length, err);
    case NAME_USER:
        return learn_user(names, sources, text, length, err);
    default:
        return add(names, sources, class, text, length, err);
    }
}

/* iqn.2020-05.com.example.storage:anything */
static int learn_iqn(struct names *names, const struct sources *sources, const char *text,
                     size_t length, struct err *err)
{
    struct strbuf forward = STRBUF_INIT;
    const char *end = text + length, *from = memchr(text, '.', length);
    if (!from || length < 4 || strncasecmp(text, "iqn.", 4) != 0)
        return 0;
    from = memchr(from + 1, '.', (size_t)(end - from - 1)); /* behind the date */
    const char *colon = from ? memchr(from, ':', (size_t)(end - from)) : NULL;
    const char *to = colon ? colon : end;
    if (!from || !memchr(from + 1, '.', (size_t)(to - from - 1)) ||
        sources_stop(sources, from + 1, (size_t)(to - from - 1)))
        return 0;
    int r = add(names, sources, NAME_DOMAIN, from + 1, (size_t)(to - from - 1), err);
    for (const char *label_end = to; label_end > from;) {
        const char *dot = memrchr(from, '.', (size_t)(label_end - from));
        strbuf_addf(&forward, "%s%.*s", forward.length ? "." : "", (int)(label_end - dot - 1),
                    dot + 1);
        label_end = dot;
    }
    if (r == 0)
        r = strbuf_ok(&forward) ? learn_domain(names, sources, forward.data, forward.length, err)
                                : err_nomem(err);
    strbuf_release(&forward);
    return r;
}

int learn_field(struct names *names, const struct sources *sources, const struct doc_node *kind,
                const char *text, size_t length, struct err *err)
{
    enum name_class class;
    if (strcmp(kind->text, "iqn") == 0)
        return learn_iqn(names, sources, text, length, err);
    if (!name_class_find(kind->text, &class))
        return doc_fail(kind, err, "there is no class '%s' of names", kind->text);
    return learn_value(names, sources, class, text, length, err);
}

struct reader {
    struct names *names;
    const struct sources *sources;
    const struct doc_node *keys; /* of settings */
};

typedef int (*line_reader)(const struct reader *reader, char *line, struct err *err);

static int learn_words(const struct reader *reader, enum name_class class, char *line,
                       struct err *err)
{
    char *save = NULL;
    int r = 0;
    for (char *word = strtok_r(line, " \t", &save); r == 0 && word;
         word = strtok_r(NULL, " \t", &save))
        r = learn_value(reader->names, reader->sources, class, word, strlen(word), err);
    return r;
}

static int read_hostname(const struct reader *reader, char *line, struct err *err)
{
    return learn_words(reader, NAME_HOST, line, err);
}

static int read_hosts(const struct reader *reader, char *line, struct err *err)
{
    line[strcspn(line, "#")] = '\0';
    line += strspn(line, " \t");
    line += strcspn(line, " \t"); /* the address */
    return learn_words(reader, NAME_HOST, line, err);
}

static int read_resolver(const struct reader *reader, char *line, struct err *err)
{
    bool domains = strncmp(line, "search", 6) == 0 || strncmp(line, "domain", 6) == 0;
    return domains ? learn_words(reader, NAME_DOMAIN, line + 6, err) : 0;
}

static int read_users(const struct reader *reader, char *line, struct err *err)
{
    char *fields[5], *save = line;
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (!(fields[i] = strsep(&save, ":")))
            return 0;
    int64_t number;
    if (!units_integer(fields[2], &number) || number < FIRST_USER || number > LAST_USER)
        return 0;
    int r =
        learn_value(reader->names, reader->sources, NAME_USER, fields[0], strlen(fields[0]), err);
    size_t full_name = strcspn(fields[4], ",");
    return r < 0
               ? r
               : learn_value(reader->names, reader->sources, NAME_USER, fields[4], full_name, err);
}

/* "server ntp.example.com iburst", "domains = a.example, b.example": the first word counts. */
static int read_settings(const struct reader *reader, char *line, struct err *err)
{
    line += strspn(line, " \t");
    line[strcspn(line, "#;")] = '\0';
    int r = 0;
    for (size_t i = 0; reader->keys && i < reader->keys->count; i++) {
        size_t n = strlen(reader->keys->keys[i]->text);
        if (strncasecmp(line, reader->keys->keys[i]->text, n) != 0 || !strchr(" \t=:", line[n]))
            continue;
        for (char *rest = line + n, *item; r == 0 && (item = strsep(&rest, ","));) {
            item += strspn(item, " \t=:\"'");
            r = learn_field(reader->names, reader->sources, reader->keys->items[i], item,
                            strcspn(item, " \t\r\"'"), err);
        }
    }
    return r;
}

/* "*.* @@logs.example.com:514" */
static int read_log_targets(const struct reader *reader, char *line, struct err *err)
{
    char *at = line[0] == '#' ? NULL : strchr(line, '@');
    if (!at)
        return 0;
    at += strspn(at, "@");
    return learn_value(reader->names, reader->sources, NAME_HOST, at, strcspn(at, " \t:;"), err);
}

static const struct {
    const char *form;
    line_reader read;
} forms[] = {{"hostname", read_hostname},
             {"hosts", read_hosts},
             {"resolver", read_resolver},
             {"settings", read_settings},
             {"log targets", read_log_targets},
             {"certificates", NULL},
             {"users", read_users}};

static int read_lines(const struct reader *reader, const char *path, const char *form,
                      struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    line_reader read = NULL;
    bool known = false;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        if (strcmp(forms[i].form, form) == 0) {
            read = forms[i].read;
            known = true;
        }
    if (!known)
        return err_set(err, ERR_BUG, "no way to read names from a '%s'", form);
    int r = 0;
    struct err why = ERR_INIT;
    if (io_read_file(AT_FDCWD, path, MAX_SOURCE_FILE, &text, &why) < 0) {
        if (why.sysno != ENOENT && why.sysno != ENOTDIR)
            r = err_set(err, why.code, "cannot learn names from '%s': %s", path, why.text);
        text.length = 0;
    }
    if (r == 0 && !read && text.length)
        r = learn_certificates(reader->names, reader->sources, text.data, text.length, err);
    char *rest = read && text.length ? text.data : NULL;
    for (char *line; r == 0 && (line = strsep(&rest, "\n"));)
        r = read(reader, line, err);
    if (text.length) /* a certificate's file may hold its key */
        explicit_bzero(text.data, text.length);
    strbuf_release(&text);
    return r;
}

static int below(const char *root, const char *path, char *ret, struct err *err)
{
    int n = snprintf(ret, PATH_MAX, "%s%s", strcmp(root, "/") == 0 ? "" : root, path);
    return n < PATH_MAX ? 0 : err_set(err, ERR_LIMIT, "the path '%.100s...' is too long", root);
}

static int learn_database(struct names *names, const struct sources *sources, const char *path,
                          struct err *err)
{
    struct stat status;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (fd < 0 || fstat(fd, &status) < 0)
        return err_set_errno(err, errno, "cannot learn names from '%s'", path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_IO, "cannot learn names from '%s': it is no regular file", path);
    return learn_xapi(names, sources, fd, path, err);
}

int learn_all(struct names *names, const struct sources *sources, const char *root, struct err *err)
{
    const struct doc_node *databases = doc_get(sources->root, "databases");
    const struct doc_node *files = doc_get(sources->root, "files");
    struct reader reader = {.names = names, .sources = sources};
    char path[PATH_MAX];
    int r = 0;
    for (size_t i = 0; r == 0 && i < databases->count; i++) {
        r = below(root, databases->items[i]->text, path, err);
        if (r == 0)
            r = learn_database(names, sources, path, err);
    }
    for (size_t i = 0; r == 0 && files && i < files->count; i++) {
        const char *file, *form;
        r = doc_string(doc_get(files->items[i], "file"), &file, err);
        if (r == 0)
            r = doc_string(doc_get(files->items[i], "form"), &form, err);
        if (r == 0)
            r = below(root, file, path, err);
        reader.keys = doc_get(files->items[i], "keys");
        if (r == 0)
            r = read_lines(&reader, path, form, err);
    }
    return r;
}
