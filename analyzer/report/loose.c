/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A single file as a REPORT: `xen-analyze SMlog SMlog.1.gz`.
 *
 * What the file is can only be told from its name: a line of a log says nothing about which log it
 * is in. So only names that rules or tables know are taken, and everything else stays refused.
 * Forums that take no SMlog take an SMlog.txt.
 */
#include "analyzer/report/loose.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "analyzer/report/file_stream.h"
#include "analyzer/report/member_name.h"
#include "analyzer/report/walk.h"
#include "common/io.h"

static const char text_suffix[] = ".txt";

void loose_place_release(struct loose_place *place)
{
    strbuf_release(&place->folder);
    strbuf_release(&place->path);
}

/* The last part of `name` that has as many folders as `pattern`; NULL: it has fewer. */
static const char *tail(const char *name, const char *pattern)
{
    const char *start = name + strlen(name);
    size_t parts = 1;
    for (const char *slash = pattern; (slash = strchr(slash, '/')); slash++)
        parts++;
    while (start > name && !(start[-1] == '/' && --parts == 0))
        start--;
    return start == name && parts > 1 ? NULL : start;
}

static bool lies_in_place(const struct path_pattern *pattern, const char *name, const char **ret)
{
    *ret = strchr(pattern->text, '/') && !strstr(pattern->text, "**") ? tail(name, pattern->text)
                                                                      : NULL;
    return *ret && path_pattern_match_log(pattern, *ret);
}

/* Whether the pattern tells the folder, and enough of the name to know it by. */
static bool is_called(const struct path_pattern *pattern, const char *base)
{
    const struct path_pattern own = {.text = member_name_base(pattern->text)};
    size_t folder = (size_t)(own.text - pattern->text);
    return strcspn(pattern->text, "*?{") > folder && path_pattern_match_log(&own, base);
}

static void set_folder(struct loose_place *place, const char *name, const char *rest)
{
    strbuf_add(&place->folder, name, rest > name ? (size_t)(rest - name - 1) : 0);
}

/* `name` has no compression's suffix. */
static bool find(const struct path_index *known, const char *name, bool has_folders,
                 struct loose_place *ret)
{
    const char *base = member_name_base(name), *rest;
    for (unsigned i = 0; has_folders && i < path_index_count(known); i++) {
        const struct path_pattern pattern = {.text = path_index_text(known, i)};
        if (!lies_in_place(&pattern, name, &rest))
            continue;
        set_folder(ret, name, rest);
        strbuf_adds(&ret->path, rest);
        return true;
    }
    for (unsigned i = 0; i < path_index_count(known); i++) {
        const struct path_pattern pattern = {.text = path_index_text(known, i)};
        if (!is_called(&pattern, base))
            continue;
        set_folder(ret, name, base);
        strbuf_add(&ret->path, pattern.text,
                   (size_t)(member_name_base(pattern.text) - pattern.text));
        strbuf_adds(&ret->path, base);
        return true;
    }
    return false;
}

bool loose_place_find(const struct path_index *known, const char *report,
                      const struct report_limits *limits, struct loose_place *ret)
{
    CLEANUP(strbuf_release) struct strbuf name = STRBUF_INIT;
    size_t length;
    *ret = (struct loose_place){STRBUF_INIT, STRBUF_INIT};
    /* Of a name with ".." the last part alone is good for anything. */
    bool has_folders = member_name_normalise(report, limits, &name) == MEMBER_NAME_OK;
    if (!has_folders) {
        strbuf_clear(&name);
        strbuf_adds(&name, report);
    }
    member_name_compression(report, &length);
    const char *compression = report + length;
    if (!strbuf_ok(&name) || name.length <= strlen(compression))
        return false;
    strbuf_truncate(&name, name.length - strlen(compression));
    bool found = find(known, name.data, has_folders, ret);
    size_t text = sizeof text_suffix - 1;
    if (!found && name.length > text &&
        strcasecmp(name.data + name.length - text, text_suffix) == 0) {
        strbuf_truncate(&name, name.length - text);
        found = find(known, name.data, has_folders, ret);
    }
    strbuf_adds(&ret->path, compression);
    return found;
}

/* A file of a folder that another one was given of belongs to that one's REPORT, too. */
static struct host_state *join(struct walk *walk, const struct strbuf *folder)
{
    struct report_set *set = walk->set;
    for (size_t i = 0; i < set->hosts.count; i++) {
        struct host_state *host = set->hosts.items[i];
        if (host->is_loose && strcmp(host->report.root, folder->data) == 0) {
            walk->source = set->sources.items[host->report.source];
            set->sources.count--; /* the newest, about which nothing is said yet */
            return host;
        }
    }
    return NULL;
}

static int host_of(struct walk *walk, const struct strbuf *folder, struct host_state **ret,
                   struct err *err)
{
    struct report_set *set = walk->set;
    *ret = join(walk, folder);
    if (*ret)
        return 0;
    int rc = set_host(set, folder->data, folder->length, ret, err);
    if (rc < 0)
        return rc;
    (*ret)->is_loose = true;
    set_problem(set, PROBLEM_OMITTED, (int)(*ret)->report.index, "",
                "single files were given in place of a report");
    return 0;
}

int walk_loose(struct walk *walk, int fd, const struct stat *status, bool *ret_is_known,
               struct err *err)
{
    struct report_set *set = walk->set;
    CLEANUP(loose_place_release) struct loose_place place;
    *ret_is_known = loose_place_find(set->known, walk->source->report.path, &set->budget.limits,
                                     &place);
    if (!*ret_is_known)
        return 0;
    if (!strbuf_ok(&place.folder) || !strbuf_ok(&place.path))
        return err_nomem(err);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_set_errno(err, errno, "cannot read '%s'", walk->source->report.path);
    budget_begin_source(&set->budget); /* it was looked at before, whether it is an archive */

    struct host_state *host;
    CLEANUP(file_stream_release) struct file_stream stream = {.fd = -1};
    int rc = host_of(walk, &place.folder, &host, err);
    if (rc == 0)
        rc = file_stream_init(&stream, fd, status->st_size, &set->budget, err);
    if (rc < 0)
        return rc;
    const struct range range = {.fd = fd, .length = RANGE_TO_END};
    const struct found_file file = {
        .name = place.path.data,
        .stream = &stream.stream,
        .range = &range,
        .fd = fd,
        .size = status->st_size,
        .modified = status->st_mtime,
    };
    return walk_member(walk, host, place.path.data, &file, err);
}
