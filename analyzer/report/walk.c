/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What becomes of a file in a report.
 *
 * Order matters: the name is brought into its normal form, then the file's host is found, then an
 * archive is opened (by suffix, and only then), a compressed file decompressed, everything else
 * shown as it is. Nested archives at the top level of a bundle are hosts' reports of their own;
 * inside a host's report they are folders of that report. The recursion is as deep as the limit on
 * nesting allows.
 */
#include "analyzer/report/walk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/report/capture.h"
#include "analyzer/report/crew.h"
#include "analyzer/report/member_job.h"
#include "analyzer/report/member_name.h"
#include "analyzer/report/unpacker.h"
#include "analyzer/report/zip_check.h"
#include "common/io.h"

DEFINE_CLEANUP(unpacker_cleanup, struct unpacker *, unpacker_free)
DEFINE_CLEANUP(range_cleanup, struct range_stream *, range_stream_free)

static void report_failure(struct walk *walk, struct failure *failure, int host, const char *path)
{
    if (failure_claim_report(failure))
        set_problem(walk->set, failure->kind, host, path, "%s", failure->text);
}

int walk_count_entry(struct walk *walk, struct failure *failure)
{
    struct budget *budget = &walk->set->budget;
    if (budget->entries < budget->limits.entries) {
        budget->entries++;
        return 0;
    }
    crew_drain(walk->set->crew, NULL);
    walk->is_full = true;
    return budget_count_entry(budget, failure);
}

int walk_open(struct walk *walk, const struct found_file *file, struct range_stream **ret_range,
              struct stream **ret, struct err *err)
{
    int rc = file->range ? crew_drain(walk->set->crew, err) : 0;
    if (rc < 0)
        return rc;
    if (!file->stream) {
        rc = range_stream_new(file->range, &walk->set->budget, ret_range, err);
        if (rc < 0)
            return rc;
    }
    *ret = file->stream ? file->stream : range_stream_data(*ret_range);
    return 0;
}

int walk_member(struct walk *walk, struct host_state *host, const char *path,
                const struct found_file *file, struct err *err)
{
    struct report_set *set = walk->set;
    int index = (int)host->report.index;

    host->report.entries++;
    walk->source->report.entries++;
    if (file->modified > host->newest)
        host->newest = file->modified;
    if (!key_set_add(&set->members, host->report.index, path))
        set_problem_once(set, PROBLEM_SUSPICIOUS, index, path, "the report has it more than once");
    if (file->refused) {
        set_problem(set, PROBLEM_REFUSED, index, path, "%s", file->refused);
        return 0;
    }
    walk->members++;
    return member_read(walk, host, path, file, err);
}

/* A file of a pool bundle that belongs to no host. Only the list of hosts is of interest. */
static int walk_bundle_file(struct walk *walk, const char *path, const struct found_file *file,
                            struct err *err)
{
    walk->source->report.entries++;
    CLEANUP(range_cleanup) struct range_stream *range = NULL;
    struct stream *stream;
    int64_t bytes = 0;
    if (!host_root_is_bundle_list(member_name_base(path)) || file->refused)
        return 0;
    int rc = walk_open(walk, file, &range, &stream, err);
    if (rc < 0)
        return rc;
    struct capture *capture = capture_begin_bundle_list(walk->set);
    if (!capture)
        return err_nomem(err);
    rc = member_capture(walk, stream, capture, &bytes, err);
    capture_end(capture, !stream->failure.failed);
    walk->source->report.bytes += bytes;
    if (stream->failure.failed)
        report_failure(walk, &stream->failure, -1, path);
    return rc;
}

static int walk_nested(struct walk *walk, const struct place *place, struct host_state *host,
                       const char *path, const struct found_file *file, struct err *err)
{
    int index = host ? (int)host->report.index : -1;
    CLEANUP(range_cleanup) struct range_stream *range = NULL;
    struct stream *stream = NULL;
    bool is_archive;
    if (file->refused) {
        set_problem(walk->set, PROBLEM_REFUSED, index, path, "%s", file->refused);
        return 0;
    }
    if (place->nesting > walk->set->budget.limits.nesting) {
        set_problem(walk->set, PROBLEM_REFUSED, index, path,
                    "it is not opened: archives are nested more than %d deep (limit on nesting)",
                    walk->set->budget.limits.nesting);
        return 0;
    }
    int rc = walk_open(walk, file, &range, &stream, err);
    const struct container container = {.stream = stream, .fd = file->fd, .size = file->size};
    if (rc == 0)
        rc = walk_archive(walk, place, path, index, &container, &is_archive, err);
    if (rc == 0 && !is_archive)
        set_problem(walk->set, PROBLEM_DAMAGED, index, path,
                    "it is called an archive, but is none that can be read");
    return rc;
}

/* The host of a path that belongs to no host yet, or NULL for a path that is none of a host's. */
static int host_of(struct walk *walk, const char *path, struct host_root *root,
                   struct host_state **ret, struct err *err)
{
    *root = host_root_split(path);
    if (root->reason != ROOT_REPORT_FOLDER) {
        struct host_state *above = set_host_above(walk->set, path);
        if (above && (above->is_solid || root->reason == ROOT_FOLDER)) {
            size_t length = strlen(above->report.root);
            root->length = length;
            root->rest = path + length + (length > 0);
            *ret = above;
            return 0;
        }
        if (root->reason == ROOT_FOLDER && host_root_is_bundle_file(root->rest)) {
            *ret = NULL;
            return 0;
        }
    }
    struct err limit = ERR_INIT;
    int rc = set_host(walk->set, path, root->length, ret, &limit);
    if (rc == ERR_LIMIT) {
        if (!walk->hosts_full)
            set_problem(walk->set, PROBLEM_REFUSED, -1, path,
                        "more folders look like hosts than the limit of %d: they are left out",
                        HOSTS_MAX);
        walk->hosts_full = true;
        *ret = NULL;
        return 0;
    }
    if (rc < 0)
        return err_nomem(err);
    (*ret)->is_solid = (*ret)->is_solid || root->reason == ROOT_KNOWN_DIRECTORY;
    return 0;
}

/* A file outside of any archive that lies in a host's report. `path` is normalised, with the
 * prefix. */
static int walk_outer(struct walk *walk, const struct place *place, const char *path,
                      const struct found_file *file, struct err *err)
{
    struct host_root root = host_root_split(path);
    struct host_state *host = NULL;
    size_t stem;
    bool is_archive = member_name_is_archive(path, &stem);

    if (strncmp(path, "__MACOSX/", 9) == 0)
        return 0; /* what macOS adds to zip files: no report has it */
    if (is_archive && root.reason == ROOT_FOLDER && !set_host_above(walk->set, path)) {
        CLEANUP_FREE char *prefix = NULL;
        if (asprintf(&prefix, "%.*s/", (int)stem, path) < 0)
            return err_nomem(err);
        struct place inner = {.nesting = place->nesting + 1, .prefix = prefix};
        return walk_nested(walk, &inner, NULL, path, file, err);
    }
    int rc = host_of(walk, path, &root, &host, err);
    if (rc < 0)
        return rc;
    if (!host)
        return walk_bundle_file(walk, path, file, err);
    if (!is_archive)
        return walk_member(walk, host, root.rest, file, err);

    CLEANUP_FREE char *inside = strndup(root.rest, stem - (size_t)(root.rest - path));
    CLEANUP_FREE char *prefix = NULL;
    if (!inside || asprintf(&prefix, "%.*s/", (int)stem, path) < 0)
        return err_nomem(err);
    struct place inner = {
        .nesting = place->nesting + 1,
        .prefix = prefix,
        .is_in_host = true,
        .host = host,
        .may_be_bundle = root.reason != ROOT_REPORT_FOLDER,
        .inside = inside,
    };
    return walk_nested(walk, &inner, host, root.rest, file, err);
}

/* A file of an archive that lies in a host's report. */
static int walk_inner(struct walk *walk, const struct place *place, const char *name,
                      const struct found_file *file, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;
    size_t stem;

    struct host_root root = host_root_split(name);
    if (place->may_be_bundle && root.reason == ROOT_REPORT_FOLDER &&
        !host_root_is_below(root.rest, place->inside)) {
        strbuf_addf(&path, "%s%s", place->prefix, name);
        if (!strbuf_ok(&path))
            return err_nomem(err);
        struct place outer = {.nesting = place->nesting, .prefix = ""};
        return walk_outer(walk, &outer, path.data, file, err);
    }
    host_root_inside(place->host->report.root, place->inside, name, &path);
    if (!strbuf_ok(&path))
        return err_nomem(err);
    if (!member_name_is_archive(path.data, &stem))
        return walk_member(walk, place->host, path.data, file, err);

    CLEANUP_FREE char *inside = strndup(path.data, stem);
    if (!inside)
        return err_nomem(err);
    struct place inner = *place;
    inner.nesting++;
    inner.inside = inside;
    inner.may_be_bundle = false;
    return walk_nested(walk, &inner, place->host, path.data, file, err);
}

int walk_file(struct walk *walk, const struct place *place, const struct found_file *file,
              struct err *err)
{
    const struct report_limits *limits = &walk->set->budget.limits;
    int host = place->is_in_host ? (int)place->host->report.index : -1;
    CLEANUP(strbuf_release) struct strbuf path = STRBUF_INIT;

    switch (member_name_normalise(file->name, limits, &walk->name)) {
    case MEMBER_NAME_OK:
        break;
    case MEMBER_NAME_EMPTY:
        set_problem(walk->set, PROBLEM_SUSPICIOUS, host, "", "a file without a name is left out");
        return 0;
    case MEMBER_NAME_ESCAPE:
        set_problem(walk->set, PROBLEM_SUSPICIOUS, host, file->name,
                    "it is left out: its name leads out of the archive by '..'");
        return 0;
    case MEMBER_NAME_LONG:
        set_problem(walk->set, PROBLEM_REFUSED, host, file->name,
                    "it is left out: its name is longer than %zu bytes or deeper than %d folders",
                    limits->name_bytes, limits->path_depth);
        return 0;
    }
    if (!place->is_in_host)
        strbuf_adds(&path, place->prefix);
    strbuf_add(&path, walk->name.data, walk->name.length);
    if (!strbuf_ok(&path) || !strbuf_ok(&walk->name))
        return err_nomem(err);
    return place->is_in_host ? walk_inner(walk, place, path.data, file, err)
                             : walk_outer(walk, place, path.data, file, err);
}

/* Everything an unpacker finds. */
static int walk_entries(struct walk *walk, const struct place *place, const char *name, int host,
                        struct unpacker *unpacker, const struct zip_check *zip, struct err *err)
{
    struct unpacker_entry entry;
    int64_t hard_links = 0;
    int found, rc;

    while ((found = unpacker_next(unpacker, &entry)) > 0) {
        hard_links += entry.is_hard_link;
        if (!entry.is_regular)
            continue;
        if (zip_check_contradicts(zip, entry.name))
            entry.refused = "the archive's list of files and its contents describe it differently";
        struct found_file file = {
            .name = entry.name,
            .stream = unpacker_data(unpacker),
            .refused = entry.refused,
            .fd = -1,
            .size = entry.size,
            .modified = entry.modified,
        };
        rc = walk_file(walk, place, &file, err);
        if (rc < 0)
            return rc;
    }
    if (unpacker_damaged_headers(unpacker) > 0)
        set_problem(
            walk->set, PROBLEM_DAMAGED, host, name,
            "the archive is damaged in the middle; what was found after that place is used");
    if (hard_links > 0)
        set_problem(walk->set, PROBLEM_SUSPICIOUS, host, name,
                    "%lld hard links in the archive are not followed", (long long)hard_links);
    if (found < 0 && unpacker_is_archive(unpacker))
        report_failure(walk, unpacker_failure(unpacker), host, name);
    return 0;
}

/* The members of a zip file on disk: any thread can get at each of them. */
static int walk_zip(struct walk *walk, const struct place *place, const char *name, int host,
                    int fd, const struct zip_check *zip, struct err *err)
{
    struct failure failure = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < zip->member_count; i++) {
        const struct zip_member *member = &zip->members[i];
        if (walk_count_entry(walk, &failure) < 0)
            break;
        if (!member->is_regular)
            continue;
        const struct range range = {
            .fd = fd,
            .offset = member->data,
            .length = member->packed,
            .is_member = true,
            .is_deflated = member->method != 0,
            .unpacked = member->unpacked,
            .crc = member->crc,
        };
        struct found_file file = {
            .name = member->name,
            .range = &range,
            .fd = -1,
            .size = member->unpacked,
            .modified = member->modified,
        };
        if (member->is_encrypted)
            file.refused = "it is encrypted: pack the report again without a password";
        if (zip_check_contradicts(zip, member->name))
            file.refused = "the archive's list of files and its contents describe it differently";
        rc = walk_file(walk, place, &file, err);
    }
    if (failure.failed)
        report_failure(walk, &failure, host, name);
    int drain_rc =
        crew_drain(walk->set->crew, rc == 0 ? err : NULL); /* the file may be closed now */
    return rc == 0 ? drain_rc : rc;
}

/* Chooses how a zip file on disk is read. False when it must not be. */
static bool examine_zip(struct walk *walk, const char *name, int host, struct zip_check *zip,
                        enum unpacker_kind *kind)
{
    switch (zip->state) {
    case ZIP_GOOD:
        *kind = UNPACK_ZIP;
        if (zip->prefix > 0)
            set_problem(walk->set, PROBLEM_SUSPICIOUS, host, name,
                        "the zip file has %lld bytes in front of it that do not belong to it",
                        (long long)zip->prefix);
        if (zip->suffix > 0)
            set_problem(walk->set, PROBLEM_SUSPICIOUS, host, name,
                        "the zip file has %lld bytes behind it that do not belong to it",
                        (long long)zip->suffix);
        if (zip->unlisted > 0)
            set_problem(walk->set, PROBLEM_SUSPICIOUS, host, name,
                        "the zip file holds %lld bytes that are not in its list of files",
                        (long long)zip->unlisted);
        return true;
    case ZIP_NO_LIST:
        set_problem(
            walk->set, PROBLEM_TRUNCATED, host, name,
            "the zip file is cut off or damaged (%s): what can be read front to back is used",
            zip->text);
        return true;
    case ZIP_REFUSED:
        break;
    }
    set_problem(walk->set, PROBLEM_REFUSED, host, name, "the zip file is not read: %s", zip->text);
    return false;
}

/*
 * What an archive is known by when it turns up again inside of itself. Archives come as streams, so
 * nobody has seen all of the outer one when the inner one begins; but nothing honest that holds an
 * archive is of its size and begins like it.
 */
struct archive_mark {
    const struct archive_mark *outer;
    int64_t size;
    size_t length;
    char head[UNPACKER_HEAD];
};

static bool holds_itself(const struct archive_mark *mark)
{
    for (const struct archive_mark *outer = mark->outer; outer; outer = outer->outer)
        if (mark->size > 0 && mark->size == outer->size && mark->length == outer->length &&
            memcmp(mark->head, outer->head, mark->length) == 0)
            return true;
    return false;
}

static bool is_zip_file(const struct archive_mark *mark)
{
    return mark->length >= 4 &&
           (memcmp(mark->head, "PK\3\4", 4) == 0 || memcmp(mark->head, "PK\5\6", 4) == 0);
}

/* An archive that comes as a stream, or that cannot be read member by member. */
static int walk_stream(struct walk *walk, const struct place *place, const char *name, int host,
                       struct unpacker *unpacker, const struct zip_check *zip,
                       struct archive_mark *mark, struct err *err)
{
    if (mark->length == 0)
        mark->length = unpacker_head(unpacker, mark->head);
    if (holds_itself(mark)) {
        set_problem(walk->set, PROBLEM_REFUSED, host, name,
                    "it is not opened: it is the archive it lies in, as archive bombs are");
        return 0;
    }
    return walk_entries(walk, place, name, host, unpacker, zip, err);
}

static int walk_marked(struct walk *walk, const struct place *place, const char *name, int host,
                       const struct container *container, struct archive_mark *mark,
                       bool *ret_is_archive, struct err *err)
{
    CLEANUP(zip_check_release) struct zip_check zip = {.state = ZIP_GOOD};
    CLEANUP(unpacker_cleanup) struct unpacker *unpacker = NULL;
    enum unpacker_kind kind = UNPACK_ANY;

    if (container->fd >= 0 && is_zip_file(mark)) {
        int rc = zip_check(container->fd, container->size, &walk->set->budget.limits, &zip, err);
        if (rc < 0)
            return rc;
        if (!examine_zip(walk, name, host, &zip, &kind))
            return 0;
        if (kind == UNPACK_ZIP && zip.is_plain)
            return walk_zip(walk, place, name, host, container->fd, &zip, err);
    }
    int rc = crew_drain(walk->set->crew, err);
    if (rc == 0)
        rc = unpacker_new(container->stream, kind, &walk->set->budget, &unpacker, err);
    if (rc < 0)
        return rc;
    rc = walk_stream(walk, place, name, host, unpacker, &zip, mark, err);
    *ret_is_archive = unpacker_is_archive(unpacker);
    return rc;
}

int walk_archive(struct walk *walk, const struct place *place, const char *name, int host,
                 const struct container *container, bool *ret_is_archive, struct err *err)
{
    struct archive_mark mark = {.outer = walk->innermost, .size = container->size};
    if (container->fd >= 0) {
        ssize_t n = pread(container->fd, mark.head, sizeof mark.head, 0);
        mark.length = n > 0 ? (size_t)n : 0;
    }
    *ret_is_archive = true;
    walk->innermost = &mark;
    int rc = walk_marked(walk, place, name, host, container, &mark, ret_is_archive, err);
    walk->innermost = mark.outer;
    return rc;
}
