/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xenstore as `xenstore-ls -f` prints it: "/path/of/key = "value"" (without -f the key alone,
 * indented).
 *
 * The clipboards of guests go as in the original tool: the whole line, sub-keys too, is replaced by
 * a fixed one. Beyond it go what guests were given to configure themselves (vm-data), and every
 * value whose key announces a secret.
 */
#include "collector/redact/lines.h"
#include "collector/redact/secrets.h"

#define FILTERED " = <filtered for security>"

static const char domain_prefix[] = "/local/domain/";

/* What follows "/local/domain/<number>/" in the line, or NULL. */
static const char *below_domain(const char *line, size_t length)
{
    const char *p = line + sizeof domain_prefix - 1, *end = line + length;
    if (length < sizeof domain_prefix - 1 ||
        memcmp(line, domain_prefix, sizeof domain_prefix - 1) != 0)
        return NULL;
    const char *digits = p;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p > digits && p < end && *p == '/' ? p + 1 : NULL;
}

static bool starts_with(const char *p, const char *end, const char *prefix)
{
    size_t n = strlen(prefix);
    return p && (size_t)(end - p) >= n && memcmp(p, prefix, n) == 0;
}

static bool replace_clipboard(const char *line, size_t length, struct filter_output *out)
{
    static const char *const keys[] = {"data/set_clipboard", "data/report_clipboard"};
    const char *path = below_domain(line, length);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (!starts_with(path, line + length, keys[i]))
            continue;
        strbuf_add(&out->bytes, line, (size_t)(path - line) + strlen(keys[i]));
        strbuf_adds(&out->bytes, FILTERED);
        out->replaced++;
        return true;
    }
    return false;
}

static bool is_secret_key(const char *line, size_t length)
{
    const char *name = memrchr(line, '/', length);
    name = name ? name + 1 : line;
    size_t n = length - (size_t)(name - line);
    while (n > 0 && *name == ' ') {
        name++;
        n--;
    }
    return memmem(line, length, "/vm-data/", 9) || memmem(name, n, "_clipboard", 10) ||
           secret_name(name, n);
}

static void rewrite(const char *line, size_t length, struct filter_output *out)
{
    if (replace_clipboard(line, length, out))
        return;
    const char *separator = memmem(line, length, " = ", 3);
    if (separator && is_secret_key(line, (size_t)(separator - line))) {
        strbuf_add(&out->bytes, line, (size_t)(separator - line));
        strbuf_adds(&out->bytes, FILTERED);
        out->replaced++;
        return;
    }
    strbuf_add(&out->bytes, line, length);
}

int lines_open_xenstore(void **ret, struct err *err)
{
    return lines_open(rewrite, ret, err);
}
