/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One row a key: section, name, how it is read, where it goes. The sample with all keys is
 * packaging/healthcheck.yaml, and a test holds it against the defaults here.
 *
 * Arguments for the programs that are run are refused when they would take away what the health
 * check itself has to say to them: where the report goes, and in which form the result comes.
 */
#include "healthcheck/settings/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "common/doc.h"
#include "common/io.h"
#include "healthcheck/times/times.h"

#define DAY_S         86400LL
#define MAX_DAYS      366
#define MAX_REPORTS   1000
#define MAX_RUNS      10000 /* a line of JSON each */
#define MAX_LIMIT_S   DAY_S /* XenCenter's service gives a check up after a day */
#define MAX_CONFIRM_S 600
#define MAX_ARGUMENTS 64

static const char *const no_arguments[] = {NULL};

/* Of xen-bugtool, xen-analyze, xen-upload: what is ours to say. */
static const char *const ours_collect[] = {
    "--outdir", "--outfd",    "--output", "--pool",    "--progress",  "--capabilities",
    "--list",   "--estimate", "--help",   "--version", "--questions", NULL};
static const char *const ours_analyze[] = {"--format",  "--output", "--query",   "--export",
                                           "--fail-on", "--help",   "--version", NULL};
static const char *const ours_upload[] = {
    "--queue", "--add",     "--list",    "--grant",   "--receipt", "--format", "--progress",
    "--help",  "--version", "--dry-run", "--abandon", "--state",   NULL};

/* One value that is being read. */
struct reading {
    const struct key *key;
    const struct doc_node *node;
    struct arena *arena; /* for what the settings borrow */
};

struct key {
    const char *section, *name;
    int (*read)(const struct reading *in, void *to, struct err *err);
    size_t offset;
    int64_t least, most;
    const char *const *refused;
};

static int fail_range(const struct reading *in, const char *what, struct err *err)
{
    return doc_fail(in->node, err, "'%s' must be %s from %lld to %lld, not '%s'", in->key->name,
                    what, (long long)in->key->least, (long long)in->key->most,
                    in->node->kind == DOC_SCALAR ? in->node->text : "a list");
}

static int read_bool(const struct reading *in, void *to, struct err *err)
{
    return doc_bool(in->node, to, err);
}

static int read_number(const struct reading *in, void *to, struct err *err)
{
    int64_t value;
    int r = doc_integer(in->node, &value, err);
    if (r < 0)
        return r;
    if (value < in->key->least || value > in->key->most)
        return fail_range(in, "a number", err);
    *(int *)to = (int)value;
    return 0;
}

static int read_days(const struct reading *in, void *to, struct err *err)
{
    int64_t seconds;
    int r = doc_seconds(in->node, &seconds, err);
    if (r < 0)
        return r;
    if (seconds < DAY_S || seconds > in->key->most * DAY_S || seconds % DAY_S)
        return fail_range(in, "whole days such as 7d,", err);
    *(int *)to = (int)(seconds / DAY_S);
    return 0;
}

static int read_seconds(const struct reading *in, void *to, struct err *err)
{
    int64_t seconds;
    int r = doc_seconds(in->node, &seconds, err);
    if (r < 0)
        return r;
    if (seconds < in->key->least || seconds > in->key->most)
        return fail_range(in, "a time in seconds (or such as 10m, 2h, 1d)", err);
    *(int64_t *)to = seconds;
    return 0;
}

static int read_bytes(const struct reading *in, void *to, struct err *err)
{
    int64_t bytes;
    int r = doc_bytes(in->node, &bytes, err);
    if (r < 0)
        return r;
    if (bytes < in->key->least)
        return doc_fail(in->node, err, "'%s' must be a size such as 500M or 2G, not '%s'",
                        in->key->name, in->node->text);
    *(int64_t *)to = bytes;
    return 0;
}

static int read_weekday(const struct reading *in, void *to, struct err *err)
{
    const char *text;
    int r = doc_string(in->node, &text, err);
    if (r < 0)
        return r;
    if (strcmp(text, "any") == 0)
        *(int *)to = -1;
    else if (!times_read_weekday(text, to))
        return doc_fail(in->node, err,
                        "'%s' must be a day of the week such as Tuesday, or any, not '%s'",
                        in->key->name, text);
    return 0;
}

static int read_hour(const struct reading *in, void *to, struct err *err)
{
    const char *text;
    int r = doc_string(in->node, &text, err);
    if (r == 0 && !times_read_hour(text, to))
        r = doc_fail(in->node, err, "'%s' must be an hour from 0 to 23, not '%s'", in->key->name,
                     text);
    return r;
}

static int read_path(const struct reading *in, void *to, struct err *err)
{
    const char *text;
    int r = doc_string(in->node, &text, err);
    if (r < 0)
        return r;
    if (text[0] != '/' || strlen(text) != in->node->length || strpbrk(text, "\n\r"))
        return doc_fail(in->node, err, "'%s' must be a path from the root (/...), not '%.80s'",
                        in->key->name, text);
    char *copy = arena_strdup(in->arena, text);
    if (!copy)
        return err_nomem(err);
    *(const char **)to = copy;
    return 0;
}

/* Programs take long options by their beginnings, too. */
static bool is_same_option(const char *argument, const char *option)
{
    size_t length = strcspn(argument, "=");
    return length > 2 && strncmp(argument, option, length) == 0;
}

static int check_argument(const struct key *key, const struct doc_node *node, const char *argument,
                          struct err *err)
{
    for (const char *const *each = key->refused; *each; each++)
        if (is_same_option(argument, *each))
            return doc_fail(node, err, "'%s': the option '%s' is for the health check to give",
                            key->name, *each);
    return 0;
}

static int read_arguments(const struct reading *in, void *to, struct err *err)
{
    const char *const *arguments;
    size_t count;
    if (in->node->kind == DOC_LIST && in->node->count == 0)
        return 0;
    int r = doc_strings(in->node, in->arena, &arguments, &count, err);
    if (r == 0 && count > MAX_ARGUMENTS)
        r = doc_fail(in->node, err, "'%s' has more than %d arguments", in->key->name,
                     MAX_ARGUMENTS);
    if (r == 0 && arguments[0][0] != '-')
        r = doc_fail(in->node, err, "'%s' must begin with an option, not '%s'", in->key->name,
                     arguments[0]);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = check_argument(in->key, in->node->kind == DOC_LIST ? in->node->items[i] : in->node,
                           arguments[i], err);
    if (r == 0)
        *(const char *const **)to = arguments;
    return r;
}

#define AT(member) offsetof(struct settings, member)

static const struct key keys[] = {
    {"schedule", "enabled", read_bool, AT(schedule.enabled), 0, 0, NULL},
    {"schedule", "every", read_days, AT(schedule.every_days), 1, MAX_DAYS, NULL},
    {"schedule", "day", read_weekday, AT(schedule.weekday), 0, 0, NULL},
    {"schedule", "hour", read_hour, AT(schedule.hour), 0, 23, NULL},
    {"schedule", "retry", read_seconds, AT(schedule.retry_s), 600, MAX_DAYS *DAY_S, NULL},
    {"collect", "pool", read_bool, AT(collect.pool), 0, 0, NULL},
    {"collect", "arguments", read_arguments, AT(collect.arguments), 0, 0, ours_collect},
    {"collect", "time_limit", read_seconds, AT(collect.time_limit_s), 10, MAX_LIMIT_S, NULL},
    {"analyze", "arguments", read_arguments, AT(analyze.arguments), 0, 0, ours_analyze},
    {"analyze", "time_limit", read_seconds, AT(analyze.time_limit_s), 10, MAX_LIMIT_S, NULL},
    {"keep", "reports", read_number, AT(keep.reports), 0, MAX_REPORTS, NULL},
    {"keep", "budget", read_bytes, AT(keep.bytes), 0, 0, NULL},
    {"keep", "free", read_bytes, AT(keep.free_bytes), 0, 0, NULL},
    {"keep", "runs", read_number, AT(keep.runs), 2, MAX_RUNS, NULL},
    {"upload", "arguments", read_arguments, AT(upload.arguments), 0, 0, ours_upload},
    {"upload", "spool", read_path, AT(upload.spool), 0, 0, NULL},
    {"upload", "time_limit", read_seconds, AT(upload.time_limit_s), 10, MAX_LIMIT_S, NULL},
    {"metrics", "prometheus", read_path, AT(prometheus), 0, 0, NULL},
    {"xapi", "root", read_path, AT(xapi.root), 0, 0, NULL},
    {"xapi", "confirm", read_seconds, AT(xapi.confirm_s), 0, MAX_CONFIRM_S, NULL},
};

static const char *const sections[] = {"schedule", "collect", "analyze", "keep",
                                       "upload",   "metrics", "xapi",    NULL};

void settings_default(struct settings *ret)
{
    *ret = (struct settings){
        .schedule = {.enabled = true, .every_days = 7, .weekday = -1, .hour = 3, .retry_s = DAY_S},
        .collect = {.pool = true, .arguments = no_arguments, .time_limit_s = 2 * 3600LL},
        .analyze = {.arguments = no_arguments, .time_limit_s = 3600},
        .keep = {.reports = 5,
                 .bytes = (int64_t)2 << 30,
                 .free_bytes = (int64_t)1 << 30,
                 .runs = 200},
        .upload = {.arguments = no_arguments,
                   .spool = "/var/spool/xenhealth",
                   .time_limit_s = 12 * 3600LL},
        .xapi = {.root = "/", .confirm_s = 10},
    };
}

static int read_section(const struct doc_node *section, const char *name, struct arena *arena,
                        struct settings *settings, struct err *err)
{
    const char *allowed[ARRAY_SIZE(keys) + 1];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (strcmp(keys[i].section, name) == 0)
            allowed[count++] = keys[i].name;
    allowed[count] = NULL;
    int r = doc_check_keys(section, allowed, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(keys); i++) {
        const struct doc_node *node = doc_get(section, keys[i].name);
        const struct reading in = {&keys[i], node, arena};
        if (node && strcmp(keys[i].section, name) == 0)
            r = keys[i].read(&in, (char *)settings + keys[i].offset, err);
    }
    return r;
}

/* YAML reads a file, or a section, of nothing but comments as an empty text. */
static bool is_empty(const struct doc_node *node)
{
    return node->kind == DOC_SCALAR && node->plain && node->length == 0;
}

static bool is_blank(const char *bytes, size_t length)
{
    bool comment = false;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '#')
            comment = true;
        else if (bytes[i] == '\n')
            comment = false;
        else if (!comment && !strchr(" \t\r", bytes[i]))
            return false;
    }
    return true;
}

int settings_parse(struct arena *arena, const char *name, const char *bytes, size_t length,
                   struct settings *ret, struct err *err)
{
    const struct doc_node *root;
    struct settings settings;
    settings_default(&settings);
    if (is_blank(bytes, length)) {
        *ret = settings;
        return 0;
    }
    int r = doc_parse(arena, name, bytes, length, &root, err);
    if (r == 0)
        r = doc_check_keys(root, sections, err);
    for (const char *const *each = sections; r == 0 && *each; each++) {
        const struct doc_node *section = doc_get(root, *each);
        if (section && !is_empty(section))
            r = read_section(section, *each, arena, &settings, err);
    }
    if (r == 0)
        *ret = settings;
    return r;
}

int settings_load(const char *path, struct arena *arena, struct settings *ret, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    struct err reading = ERR_INIT;
    const char *file = path ? path : SETTINGS_PATH;
    int r = io_read_file(AT_FDCWD, file, SETTINGS_MAX_BYTES, &text, &reading);
    if (r < 0 && !path && reading.sysno == ENOENT) {
        settings_default(ret);
        return 0;
    }
    return r < 0 ? err_pass(err, r, &reading)
                 : settings_parse(arena, file, text.data, text.length, ret, err);
}
