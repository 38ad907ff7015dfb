/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reading reports: whatever the user hands over becomes a stream of members, each belonging to a host.
 *
 * A REPORT is a zip or tar archive (plain, gz, bz2, xz, zst), a directory, standard input, or a single log
 * under its own name (loose.h). Inside may be one host's report, a pool bundle (a folder or an archive a host),
 * nested archives, compressed log rotations, or just a few files in their places (`var/log/SMlog`). Every member
 * is read once, front to back, nothing is unpacked to disk, and all archives of a run share one budget against
 * bombs.
 *
 * A host is a report's top folder: everything in front of the first well-known directory (`var`, `etc`,
 * `proc` ...) of a path, or in front of the file name. What a report says about itself (inventory.xml,
 * manifest.json, xen-bugtool.log, the bundle's list of hosts) is read on the way; what is wrong with it
 * (truncated, entries that timed out, ...) becomes a problem of the host. A damaged archive is a problem, not
 * an error: what could be read counts.
 *
 * Ownership: report_set owns hosts, sources and problems; a member is borrowed during the call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/report/outbox.h"
#include "analyzer/report/path_pattern.h"
#include "common/err.h"

/* One file of a host's report. */
struct member {
    unsigned host;       /* index into the report set */
    const char *path;    /* below the host's top folder, as archived: "var/log/kern.log.2.gz" */
    const char *logical; /* the same without a compression suffix: "var/log/kern.log.2" */
    int64_t size;        /* declared size of the archived form, or -1 */
    int64_t modified;    /* epoch seconds, or 0 */
    struct outbox *outbox; /* for what is found in it (outbox.h); valid until end() returns */
};

/*
 * Who looks at the members. begin() returns the state for this member, or NULL when its bytes are not wanted;
 * data() gets them decompressed, in order; end() is always called after a begin() that returned a state and
 * says whether the bytes were complete. A negative return (with *err set) ends the whole read.
 *
 * Calls for one member come one after another. begin() is always called by the thread that called
 * report_set_read(), member after member; data() and end() come from other threads too, for several
 * members at once, if report_set_jobs() allows it. So they change nothing but the member's state and
 * put what they find into the member's outbox.
 */
struct report_visitor {
    void *(*begin)(void *context, const struct member *member);
    int (*data)(void *state, const char *bytes, size_t length, struct err *err);
    int (*end)(void *state, bool complete, struct err *err);
    void *context;
};

enum problem_kind {
    PROBLEM_TRUNCATED,   /* the archive ends before its end */
    PROBLEM_DAMAGED,     /* a part could not be read */
    PROBLEM_REFUSED,     /* a limit against bombs or a feature we do not open */
    PROBLEM_OMITTED,     /* the collector left something out, or cut it */
    PROBLEM_TIMEOUT,     /* a collecting command did not end in time */
    PROBLEM_MISSING_HOST,/* the bundle names a host that is not there */
    PROBLEM_SUSPICIOUS,  /* duplicate names, paths that try to escape, ... */
    PROBLEM_CLOCK,       /* the host's clock was set back while it wrote its logs */
    PROBLEM_STALE,       /* its logs end long before the report was taken */
};
#define PROBLEM_KINDS (PROBLEM_STALE + 1)

struct report_problem {
    enum problem_kind kind;
    int host;         /* index, or -1: the source as a whole */
    unsigned source;
    const char *path; /* member it is about, or "" */
    const char *text; /* one sentence */
};

const char *problem_kind_name(enum problem_kind kind); /* "truncated", "damaged", ... */

/* One REPORT argument. */
struct report_source {
    const char *path;
    int64_t entries; /* members seen, directories not counted */
    int64_t bytes;   /* bytes of members, decompressed, as far as they were read or declared */
};

struct report_host {
    unsigned index;
    unsigned source;
    const char *name;     /* host name from inventory.xml, the manifest or the folder; unique in the set */
    const char *root;     /* top folder inside the source, may be "" */
    const char *uptime;   /* text of uptime(1) from inventory.xml, or "" */
    int64_t taken;        /* the report's own clock: wall clock of the host as if it were UTC, epoch seconds */
    bool taken_is_known;  /* false: `taken` was guessed from the newest file */
    int64_t utc_offset;   /* seconds that the host's wall clock is ahead of UTC; 0: not known either */
    int64_t booted;       /* like `taken`, a minute exact; 0: not known */
    bool has_inventory;   /* the collector finished and said what it took */
    int64_t entries, bytes;
};

/* Limits against bombs: one budget for all archives of a run, counted on bytes produced. */
struct report_limits {
    int64_t total_bytes;  /* decompressed, over everything */
    int64_t entry_bytes;  /* one member */
    int64_t entries;
    int nesting;          /* archives inside archives */
    int ratio;            /* decompressed : compressed, once a member has produced ratio_from bytes */
    int64_t ratio_from;
    size_t name_bytes;    /* longest path */
    int path_depth;
};

extern const struct report_limits report_default_limits;

struct report_set;

int report_set_new(const struct report_limits *limits, struct report_set **ret, struct err *err);
void *report_set_free(struct report_set *set);

/* How many threads read, 1 at first. What is found, and in which order, does not depend on it. */
void report_set_jobs(struct report_set *set, int jobs);

/*
 * Reads one REPORT (a path, or "-" for standard input) and shows every member to the visitor.
 * ERR_NOTFOUND/ERR_DENIED/ERR_IO when it cannot be opened, ERR_UNSUPPORTED when it is no archive we know,
 * ERR_PARSE when not a single member could be read; the visitor's own error. Everything milder is a problem.
 */
int report_set_read(struct report_set *set, const char *path, const struct report_visitor *visitor,
                    struct err *err);

/*
 * The two halves of it, for a reader that may not open files: report_open() gives a descriptor that the caller
 * closes, report_set_read_opened() borrows it. A FIFO is opened without waiting for its writer.
 */
int report_open(const char *path, int *ret, struct err *err);
int report_set_read_opened(struct report_set *set, const char *path, int fd,
                           const struct report_visitor *visitor, struct err *err);

/* Adds a REPORT of which nothing is read, and why, as its problem. ERR_NOMEM. */
int report_set_reject(struct report_set *set, const char *path, const char *why, struct err *err);

/*
 * After the last read: settles host names and clocks. Hosts are then in the order they were found.
 */
int report_set_finish(struct report_set *set, struct err *err);

size_t report_set_host_count(const struct report_set *set);
const struct report_host *report_set_host(const struct report_set *set, size_t index);
size_t report_set_source_count(const struct report_set *set);
const struct report_source *report_set_source(const struct report_set *set, size_t index);
size_t report_set_problem_count(const struct report_set *set);
const struct report_problem *report_set_problem(const struct report_set *set, size_t index);

/*
 * Adds what a visitor found wrong with a host's member (`path` as archived), once a kind and member. Kept like the
 * reader's own problems.
 */
void report_set_add_problem(struct report_set *set, enum problem_kind kind, unsigned host,
                            const char *path, const char *text);

/*
 * Tells the set which capability collects the files of a path pattern ("var/log/messages", "system-logs"), for
 * reports without a manifest. ERR_PARSE for a broken pattern.
 */
int report_set_teach(struct report_set *set, const char *pattern, const char *capability,
                     struct err *err);

/*
 * Tells the set a path that somebody reads, as report_set_teach() does, too: a single file of such a
 * name can be a REPORT (loose.h). Of several paths with the same last part the first counts. The
 * pattern's text is borrowed.
 */
int report_set_know(struct report_set *set, const struct path_pattern *pattern, struct err *err);

/* Whether the report has entries of the capability, as its own lists say. */
bool report_host_collected(const struct report_set *set, size_t host, const char *capability);

/*
 * Whether the report proves that `path` was looked for and not there: the manifest says so, or the capability
 * that collects it (report_set_teach) was collected, as inventory.xml lists entries of it, without it. Of a pattern
 * with names ("nvme-smart-log-{device}.out") nothing is proved when one file of that kind was looked for in vain.
 */
bool report_host_proves_absent(const struct report_set *set, size_t host, const char *path);

/*
 * Whether `path` was collected, as the report's own list says, and is not in the report any more: the archive was
 * cut off, or somebody took it out.
 */
bool report_host_lost(const struct report_set *set, size_t host, const char *path);

/*
 * Whether nothing that `pattern` covers (with its rotations, for a log) can have escaped the reader: the report does
 * not end where such files may have stood behind the cut, and none was itself cut, damaged, refused or out of time.
 * What is not found in files that were seen in part is unknown. After report_set_finish().
 */
bool report_host_saw_all(const struct report_set *set, size_t host,
                         const struct path_pattern *pattern, bool is_log);

/* Whether the host's report ends before its end, so that any file may be missing from it. */
bool report_host_is_open(const struct report_set *set, size_t host);

/*
 * Whether an empty member is a result: its command ran and had nothing to say. The original tool leaves an empty
 * member also for a program that is not installed, so without a manifest an empty file proves nothing.
 */
bool report_host_proves_empty(const struct report_set *set, size_t host, const char *path);
