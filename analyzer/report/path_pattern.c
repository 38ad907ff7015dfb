/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Matching of path patterns.
 *
 * The matcher walks pattern and path together and remembers two places to return to: the latest `*`
 * (or capture), which may only grow inside its path component, and the latest `**`, which may grow
 * over anything. Forgetting the places before those is right, because an earlier wildcard that ends
 * later never helps: a
 * `*` reaches no further than the next slash, a `**` reaches everything. So the work is bounded by
 * pattern x path, times the path once more for a `**`, and there is no recursion.
 */
#include "analyzer/report/path_pattern.h"

#include <string.h>

/* Long enough for every path in a report, short enough to keep a stranger's pattern cheap. */
#define PATTERN_LENGTH_MAX 1024

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

int path_pattern_compile(struct arena *arena, const char *text, struct path_pattern *ret,
                         struct err *err)
{
    struct path_pattern pattern = {0};

    if (text[0] == '\0')
        return err_set(err, ERR_PARSE,
                       "a path pattern is empty: write a path such as var/log/SMlog");
    if (text[0] == '/')
        return err_set(err, ERR_PARSE, "path pattern '%s' begins with a slash: write '%s'", text,
                       text + 1);
    if (strlen(text) > PATTERN_LENGTH_MAX)
        return err_set(err, ERR_PARSE, "path pattern '%.40s...' is longer than %d bytes", text,
                       PATTERN_LENGTH_MAX);

    for (const char *p = text; *p; p++) {
        if (*p != '{')
            continue;
        const char *name = ++p;
        while (is_name_char(*p))
            p++;
        if (*p != '}')
            return err_set(
                err, ERR_PARSE,
                "path pattern '%s': '{' needs a name of letters, digits and '_' and a '}'", text);
        if (p == name)
            return err_set(err, ERR_PARSE, "path pattern '%s': '{}' needs a name", text);
        if (pattern.captures == PATH_PATTERN_CAPTURES)
            return err_set(err, ERR_PARSE, "path pattern '%s' has more than %d captures", text,
                           PATH_PATTERN_CAPTURES);
        char *copy = arena_memdup(arena, name, (size_t)(p - name));
        if (!copy)
            return err_nomem(err);
        for (unsigned i = 0; i < pattern.captures; i++)
            if (strcmp(pattern.names[i], copy) == 0)
                return err_set(err, ERR_PARSE, "path pattern '%s' names {%s} twice", text, copy);
        pattern.names[pattern.captures++] = copy;
    }

    pattern.text = arena_strdup(arena, text);
    if (!pattern.text)
        return err_nomem(err);
    *ret = pattern;
    return 0;
}

/* A wildcard the matcher can return to: what follows it in the pattern, and how far it reaches in
 * the path. */
struct resume {
    const char *pattern; /* NULL: there is none */
    const char *path;
    unsigned captures; /* captures begun up to and including this one */
    bool is_capture;
};

static bool match(const char *p, const char *path, const char *end,
                  struct path_capture captures[PATH_PATTERN_CAPTURES])
{
    struct resume star = {0}, glob = {0};
    unsigned begun = 0;
    const char *s = path;

    for (;;) {
        if (p[0] == '*' && p[1] == '*') {
            while (*p == '*')
                p++;
            glob = (struct resume){p, s, begun, false};
            star.pattern = NULL;
            continue;
        }
        if (*p == '*') {
            p++;
            star = (struct resume){p, s, begun, false};
            continue;
        }
        if (*p == '{' && s < end && *s != '/') {
            p = strchr(p, '}') + 1; /* compiling has seen the brace */
            captures[begun++] = (struct path_capture){s, 1};
            s++;
            star = (struct resume){p, s, begun, true};
            continue;
        }
        if (*p == '\0' && s == end)
            return true;
        if (*p != '\0' && *p != '{' && s < end && (*p == *s || (*p == '?' && *s != '/'))) {
            p++;
            s++;
            continue;
        }
        if (star.pattern && star.path < end && *star.path != '/') {
            star.path++;
            if (star.is_capture)
                captures[star.captures - 1].length++;
            p = star.pattern;
            s = star.path;
            begun = star.captures;
            continue;
        }
        if (glob.pattern && glob.path < end) {
            glob.path++;
            p = glob.pattern;
            s = glob.path;
            begun = glob.captures;
            star.pattern = NULL;
            continue;
        }
        return false;
    }
}

bool path_pattern_match(const struct path_pattern *pattern, const char *path,
                        struct path_capture captures[PATH_PATTERN_CAPTURES])
{
    struct path_capture unwanted[PATH_PATTERN_CAPTURES];
    return match(pattern->text, path, path + strlen(path), captures ? captures : unwanted);
}

static size_t trailing_digits(const char *path, const char *end)
{
    const char *p = end;
    while (p > path && p[-1] >= '0' && p[-1] <= '9')
        p--;
    return (size_t)(end - p);
}

/*
 * Where a rotation suffix begins, or NULL: ".1" (logrotate), "-20251102" (dateext),
 * "-20251102-1762041600" or
 * "-2025110203" (dateformat with time).
 */
static const char *rotation_suffix(const char *path, const char *end)
{
    size_t digits = trailing_digits(path, end);
    const char *mark = end - digits;
    if (digits == 0 || mark <= path)
        return NULL;
    mark--;
    if (*mark == '.' && digits <= 4)
        return mark;
    if (*mark != '-')
        return NULL;
    if (digits == 10) {
        size_t date = trailing_digits(path, mark);
        if (date == 8 && mark - date > path && mark[-8 - 1] == '-')
            return mark - 8 - 1;
    }
    return digits >= 8 && digits <= 14 ? mark : NULL;
}

bool path_pattern_match_log(const struct path_pattern *pattern, const char *path)
{
    struct path_capture unwanted[PATH_PATTERN_CAPTURES];
    const char *end = path + strlen(path);
    if (match(pattern->text, path, end, unwanted))
        return true;
    const char *suffix = rotation_suffix(path, end);
    return suffix && match(pattern->text, path, suffix, unwanted);
}

size_t path_log_length(const char *path)
{
    const char *end = path + strlen(path), *suffix = rotation_suffix(path, end);
    return (size_t)((suffix ? suffix : end) - path);
}
