/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From files to members: finds out which host a file belongs to, opens archives inside archives,
 * decompresses single files, and shows the result to the visitor.
 */
#pragma once

#include <sys/stat.h>

#include "analyzer/report/range_stream.h"
#include "analyzer/report/set.h"
#include "analyzer/report/stream.h"
#include "common/strbuf.h"

/* One REPORT being read. */
struct walk {
    struct report_set *set;
    const struct archive_mark *innermost; /* of the archives that are open, or NULL */
    const struct report_visitor *visitor;
    struct source_state *source;
    int64_t members;      /* shown so far */
    bool hosts_full;      /* "too many hosts" is told */
    bool is_full;         /* the limit on entries is reached */
    struct strbuf gather; /* small blocks on their way to the visitor */
    struct strbuf name;   /* for normalising */
};

/* Where the files of an archive or a directory belong. */
struct place {
    int nesting;        /* archives around it */
    const char *prefix; /* goes in front of every name: "" or a folder with its slash */
    bool is_in_host;    /* an archive inside a host's report: */
    struct host_state *host;
    bool may_be_bundle; /* ... but reports with a top folder of their own in it are hosts of their
                           own */
    const char *inside; /* ... its path below the host's root, without suffix */
};

/* A file of an archive or directory. */
struct found_file {
    const char *name;          /* as found */
    struct stream *stream;     /* its bytes; NULL when there is only the range */
    const struct range *range; /* the same for any thread, or NULL */
    const char *refused;       /* why they may not be read, or NULL */
    int fd;                    /* the same when it lies in a directory, else -1 */
    int64_t size;              /* declared, or -1 */
    int64_t modified;
};

/* The bytes of an archive. */
struct container {
    struct stream *stream;
    int fd;       /* the same when it lies on disk, else -1 */
    int64_t size; /* declared, or -1 */
};

/* 0, or the error that ends the whole read (of the visitor, or ERR_NOMEM). Everything milder is a
 * problem. */
int walk_file(struct walk *walk, const struct place *place, const struct found_file *file,
              struct err *err);

/* A plain or compressed file of a host, `path` below the host's root. */
int walk_member(struct walk *walk, struct host_state *host, const char *path,
                const struct found_file *file, struct err *err);

/*
 * The bytes of a file, for the thread that walks: everything in front of it is read first, so that
 * the budget is charged in order. *ret_range (for the caller to free) is what the stream stands on.
 */
int walk_open(struct walk *walk, const struct found_file *file, struct range_stream **ret_range,
              struct stream **ret, struct err *err);

/* Counts a file. -1 with `failure` set when there are too many. */
int walk_count_entry(struct walk *walk, struct failure *failure);

/*
 * All files of an archive: `name` is what problems call it ("" for the REPORT itself), `host` whose
 * problem they are or -1. *ret_is_archive tells whether it is one.
 */
int walk_archive(struct walk *walk, const struct place *place, const char *name, int host,
                 const struct container *container, bool *ret_is_archive, struct err *err);

/* All files below a directory, sorted, files before folders. `fd` is taken. */
int walk_directory(struct walk *walk, int fd, struct err *err);

/* A REPORT that is a single file, if its name is known (report_set_know). `fd` is borrowed. */
int walk_loose(struct walk *walk, int fd, const struct stat *status, bool *ret_is_known,
               struct err *err);
