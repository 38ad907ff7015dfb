/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Commands and functions of the plan. `{nic}` in an argument or label stands for the name of a
 * device; names come from the system, so one with unusual letters is refused rather than passed to
 * a program that runs as root.
 */
#include <fcntl.h>
#include <regex.h>
#include <sys/utsname.h>

#include "collector/plan/naming.h"
#include "collector/plan/planner.h"
#include "collector/redact/redact.h"
#include "collector/sources/devices.h"
#include "common/io.h"

#define LIST_LIMIT   (1024 * 1024) /* output of a command that lists devices */
#define LIST_TIME_MS 10000

/* Replaces {key} by value and {kernel} by the running kernel's release. */
static void substitute(const char *text, const char *key, const char *value, struct strbuf *out)
{
    struct utsname machine;
    while (*text) {
        size_t length = text[0] == '{' ? strcspn(text, "}") : 0;
        const char *name = text + 1;
        if (length && text[length] && key && value && length - 1 == strlen(key) &&
            strncmp(name, key, length - 1) == 0) {
            strbuf_adds(out, value);
            text += length + 1;
        } else if (strncmp(text, "{kernel}", 8) == 0 && uname(&machine) == 0) {
            strbuf_adds(out, machine.release);
            text += 8;
        } else {
            strbuf_addc(out, *text++);
        }
    }
}

static int substitute_argv(struct arena *arena, const struct catalog_item *item, const char *key,
                           const char *value, const char *const **ret, struct err *err)
{
    const char *const *argv = item->argv;
    size_t count = 0;
    while (argv[count])
        count++;
    const char **copy = arena_array(arena, count + 1, sizeof *copy);
    if (!copy)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        struct strbuf text = STRBUF_INIT;
        if (item->foreign && !item->each_glob) /* braces in a plugin's shell are its own */
            strbuf_adds(&text, argv[i]);
        else
            substitute(argv[i], key, value, &text);
        copy[i] = strbuf_ok(&text) ? arena_strdup(arena, text.data) : NULL;
        strbuf_release(&text);
        if (!copy[i])
            return err_nomem(err);
    }
    *ret = copy;
    return 0;
}

static void join(const char *const *argv, struct strbuf *out)
{
    for (size_t i = 0; argv[i]; i++)
        strbuf_addf(out, "%s%s", i ? " " : "", argv[i]);
}

/* Below another root a recorded output takes the place of the command. */
static int point_at_recording(const struct build *build, struct plan_entry *entry, struct err *err)
{
    bool computed = entry->kind == PLAN_FUNCTION && function_reads_files_only(entry->argv[0]);
    if (build->planner->live)
        return 0;
    char *path = arena_printf(build->plan.arena, "/.commands/%s", entry->name);
    char *full = arena_printf(build->plan.arena, "%s%s", build->planner->options->root, path);
    if (!path || !full)
        return err_nomem(err);
    if (!computed || access(full, F_OK) == 0)
        entry->path = path;
    return 0;
}

/*
 * What a command is called goes to the archive, the log and the terminal; a plugin's command may
 * have a password in it.
 */
static void redact_in_place(struct strbuf *text)
{
    struct strbuf safe = STRBUF_INIT;
    if (!strbuf_ok(text))
        return;
    redact_text(text->data, text->length, &safe);
    strbuf_release(text);
    *text = safe;
}

/* One entry; `value` is the name of a device or NULL. */
static int add_one(struct build *build, const struct catalog_item *item, const char *value,
                   struct plan_entry **ret, struct err *err)
{
    const char *const *argv = NULL;
    const char *key = item->each_glob ? "path" : item->each;
    int r = substitute_argv(build->plan.arena, item, key, value, &argv, err);
    if (r < 0)
        return r;
    struct strbuf label = STRBUF_INIT, name = STRBUF_INIT, source = STRBUF_INIT;
    if (item->label && item->foreign)
        strbuf_adds(&label, item->label);
    else if (item->label)
        substitute(item->label, key, value, &label);
    else
        naming_command_label(argv, &label);
    join(argv, &source);
    redact_in_place(&label);
    redact_in_place(&source);
    naming_from_label(label.data, &name);
    const char *prompt = arena_strdup(build->plan.arena, item->label ? label.data : source.data);
    bool ok = strbuf_ok(&label) && strbuf_ok(&name) && strbuf_ok(&source) && prompt;
    r = ok ? plan_add(build, item->kind == ITEM_FUNCTION ? PLAN_FUNCTION : PLAN_COMMAND, item,
                      source.data, name.data, ret, err)
           : err_nomem(err);
    strbuf_release(&label);
    strbuf_release(&name);
    strbuf_release(&source);
    if (r < 0 || !*ret)
        return r;
    (*ret)->argv = argv;
    (*ret)->prompt = prompt;
    return point_at_recording(build, *ret, err);
}

static int add_decided(struct build *build, const struct catalog_item *item, const char *value,
                       enum outcome_status status, const char *reason, struct err *err)
{
    struct plan_entry *entry;
    int r = add_one(build, item, value, &entry, err);
    if (r == 0 && entry) {
        outcome_set(&entry->outcome, status, "%s", reason);
        entry->decided = true;
    }
    return r;
}

static int receive_list(void *context, const void *bytes, size_t length, struct err *err)
{
    struct strbuf *text = context;
    (void)err;
    if (text->length + length > LIST_LIMIT)
        return 1;
    strbuf_add(text, bytes, length);
    return 0;
}

/* Group 1 of each line that matches. */
static int parse_list(struct arena *arena, const char *match, char *text,
                      const struct expand_hit **ret_hits, size_t *ret_count, struct err *err)
{
    regex_t regex;
    regmatch_t groups[2];
    VEC(struct expand_hit) hits = {0};
    if (regcomp(&regex, match, REG_EXTENDED) != 0)
        return err_set(err, ERR_BUG, "the expression '%s' was good before", match);
    int r = 0;
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); r == 0 && line;
         line = strtok_r(NULL, "\n", &save)) {
        if (regexec(&regex, line, 2, groups, 0) != 0 || groups[1].rm_so < 0)
            continue;
        line[groups[1].rm_eo] = '\0';
        struct expand_hit *hit = vec_push(&hits);
        if (!hit || !(hit->path = arena_strdup(arena, line + groups[1].rm_so)))
            r = err_nomem(err);
    }
    regfree(&regex);
    struct expand_hit *kept = r == 0 ? arena_array(arena, hits.count + 1, sizeof *kept) : NULL;
    if (r == 0 && !kept)
        r = err_nomem(err);
    if (r == 0 && hits.count)
        memcpy(kept, hits.items, hits.count * sizeof *kept);
    *ret_hits = kept;
    *ret_count = hits.count;
    vec_free(&hits);
    return r;
}

static int run_list_command(struct build *build, const struct catalog_list *list,
                            struct strbuf *text, struct err *err)
{
    int64_t left_ms = build->deadline_ms - io_now_ms();
    struct child_spec spec = {.argv = list->argv,
                              .time_limit_ms = left_ms < 0              ? 0
                                               : left_ms < LIST_TIME_MS ? left_ms
                                                                        : LIST_TIME_MS,
                              .cancelled = build->cancelled};
    struct child_end end;
    int r = child_run(build->spawner, &spec, receive_list, text, &end, err);
    return r == 0 && end.outcome == CHILD_CANCELLED ? err_set(err, ERR_CANCELLED, "interrupted")
                                                    : r;
}

/* Below another root: what the command printed there, if that was recorded. */
static void read_list_recording(const struct build *build, const struct catalog_list *list,
                                struct strbuf *text)
{
    struct strbuf label = STRBUF_INIT, path = STRBUF_INIT;
    naming_command_label(list->argv, &label);
    strbuf_addf(&path, "%s/.commands/", build->planner->options->root);
    struct strbuf name = STRBUF_INIT;
    naming_from_label(label.data, &name);
    strbuf_adds(&path, name.data);
    if (io_read_file(AT_FDCWD, path.data, LIST_LIMIT, text, NULL) < 0)
        strbuf_clear(text);
    strbuf_release(&name);
    strbuf_release(&label);
    strbuf_release(&path);
}

static int run_list(struct build *build, const struct catalog_list *list, struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    int r = 0;
    if (build->planner->live)
        r = run_list_command(build, list, &text, err);
    else
        read_list_recording(build, list, &text);
    build->cached_hits = NULL;
    build->cached_count = 0;
    if (r == 0 && text.length)
        r = parse_list(build->plan.arena, list->match, text.data, &build->cached_hits,
                       &build->cached_count, err);
    build->cached_list = list;
    strbuf_release(&text);
    return r;
}

int plan_list(struct build *build, const struct catalog_list *list,
              const struct expand_hit **ret_hits, size_t *ret_count, struct err *err)
{
    int r = build->cached_list == list ? 0 : run_list(build, list, err);
    *ret_hits = build->cached_hits;
    *ret_count = build->cached_count;
    return r;
}

/* The names for an item with `each`; runs the list's command unless they came with the expansion.
 */
static int find_each(struct build *build, const struct catalog_item *item,
                     const struct expand_result *expanded, const struct expand_hit **ret_hits,
                     size_t *ret_count, struct err *err)
{
    const struct catalog_list *list = capability_list(build->selection->capability, item->each);
    if (!list || expanded->count > 0) {
        *ret_hits = expanded->hits;
        *ret_count = expanded->count;
        return 0;
    }
    return plan_list(build, list, ret_hits, ret_count, err);
}

/* One command for each path of a plugin's <list>. It goes as one argument, absolute and without a
 * shell, so any name is good. */
static int add_paths(struct build *build, const struct catalog_item *item,
                     const struct expand_result *found, struct err *err)
{
    struct plan_entry *entry;
    int r = 0;
    for (size_t i = 0; r == 0 && i < found->count; i++)
        r = add_one(build, item, found->hits[i].path, &entry, err);
    if (r == 0 && found->stuck)
        r = add_decided(build, item, item->each_glob, OUTCOME_STUCK,
                        "looking for files took too long; a file system may hang", err);
    else if (r == 0 && found->count == 0)
        r = add_decided(build, item, item->each_glob, OUTCOME_MISSING, "there is no such file",
                        err);
    return r;
}

int plan_command(struct build *build, const struct catalog_item *item, const char *unmet,
                 const struct expand_result *each, struct err *err)
{
    struct plan_entry *entry;
    if (unmet)
        return add_decided(build, item, NULL, OUTCOME_MISSING, unmet, err);
    if (item->each_glob)
        return add_paths(build, item, each, err);
    if (!item->each)
        return add_one(build, item, NULL, &entry, err);
    const struct expand_hit *hits;
    size_t count;
    int r = find_each(build, item, each, &hits, &count, err);
    if (r == 0 && count == 0) {
        char reason[120];
        snprintf(reason, sizeof reason, "not applicable: no %s was found", item->each);
        return add_decided(build, item, NULL, OUTCOME_MISSING, reason, err);
    }
    for (size_t i = 0; r == 0 && i < count; i++)
        r = device_name_is_safe(hits[i].path)
                ? add_one(build, item, hits[i].path, &entry, err)
                : add_decided(build, item, hits[i].path, OUTCOME_DENIED,
                              "the device's name has letters that are not passed to commands", err);
    return r;
}
