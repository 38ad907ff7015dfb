/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Opens a REPORT, finds out what it is, and says in one sentence why it cannot be read.
 *
 * The thread's character set is UTF-8 while we read, because libarchive converts names to it and
 * would spoil them in the "C" locale. The process's locale stays as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/report/crew.h"
#include "analyzer/report/file_stream.h"
#include "analyzer/report/member_name.h"
#include "analyzer/report/walk.h"
#include "common/io.h"

/* Members on their way at a time: of an archive, and of a folder, where each is an open file. */
#define MEMBERS_IN_FLIGHT 4096
#define FILES_IN_FLIGHT   64

/* Bytes of a member's name in an error: the reason behind it must not be cut off. */
#define MEMBER_SHOWN_MAX 200

int report_open(const char *path, int *ret, struct err *err)
{
    struct stat status;
    bool is_stdin = strcmp(path, "-") == 0;
    if (is_stdin && isatty(STDIN_FILENO))
        return err_set(err, ERR_UNSUPPORTED,
                       "standard input is a terminal: give a report by a pipe or its name");
    /* Above standard error, so that it is told from the three by its number. */
    CLEANUP_FD int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                                 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    if (!is_stdin && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) &&
        !S_ISFIFO(status.st_mode))
        return err_set(err, ERR_UNSUPPORTED, "'%s' is neither a file nor a folder", path);
    if (!is_stdin && fcntl(fd, F_SETFL, 0) < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    *ret = fd;
    fd = -1;
    return 0;
}

/* A FIFO that nobody has opened for writing yet looks empty to read(2), but not to poll(2). */
static void await_writer(int fd, const struct stat *status)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (S_ISFIFO(status->st_mode) && poll(&wait, 1, -1) < 0 && errno == EINTR)
        ;
}

/* What people hand over in place of archives we open. */
static const char *foreign_archive(int fd)
{
    static const struct {
        const char *magic, *name;
    } formats[] = {
        {"7z\xbc\xaf", "a 7z archive"}, {"Rar!", "a RAR archive"}, {"MSCF", "a CAB archive"}};
    char head[4];
    if (pread(fd, head, sizeof head, 0) == sizeof head)
        for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
            if (memcmp(head, formats[i].magic, sizeof head) == 0)
                return formats[i].name;
    return NULL;
}

static int fail_no_archive(int fd, const char *path, const struct stat *status, struct err *err)
{
    size_t stem;
    const char *foreign = foreign_archive(fd);
    if (S_ISREG(status->st_mode) && status->st_size == 0)
        return err_set(err, ERR_PARSE, "'%s' is empty: collect or copy the report again", path);
    if (foreign)
        return err_set(err, ERR_UNSUPPORTED,
                       "'%s' is %s, which is not opened here: unpack it and give the folder", path,
                       foreign);
    if (member_name_is_archive(path, &stem))
        return err_set(
            err, ERR_PARSE,
            "'%s' holds nothing that can be read: it is called an archive, but is none, or its "
            "beginning is damaged",
            path);
    if (strcmp(path, "-") == 0)
        return err_set(
            err, ERR_UNSUPPORTED,
            "standard input is no zip or tar archive (plain, gz, bz2, xz, zst); a single log has to "
            "be named, because its name tells which one it is");
    return err_set(
        err, ERR_UNSUPPORTED,
        "'%s' is neither a folder nor a zip or tar archive (plain, gz, bz2, xz, zst), and no rule "
        "reads a file of its name; give it the name it had on the host, such as SMlog.1, or put "
        "it in its place in a folder, such as report/var/log/SMlog",
        path);
}

static int fail_empty(const struct report_set *set, size_t first_problem, const char *path,
                      struct err *err)
{
    for (size_t i = first_problem; i < set->problems.count; i++) {
        const struct report_problem *problem = &set->problems.items[i];
        if (problem->kind == PROBLEM_TRUNCATED || problem->kind == PROBLEM_DAMAGED)
            return err_set(err, ERR_PARSE,
                           "'%s' holds nothing that can be read: %s; collect or copy it again",
                           path, problem->text);
    }
    if (first_problem < set->problems.count) {
        const struct report_problem *problem = &set->problems.items[first_problem];
        return err_set(err, ERR_PARSE, "'%s' holds nothing that can be read: %.*s%s%s", path,
                       MEMBER_SHOWN_MAX, problem->path, problem->path[0] ? ": " : "",
                       problem->text);
    }
    return err_set(err, ERR_PARSE, "'%s' holds no files: is it really a report?", path);
}

static int read_archive(struct walk *walk, int fd, const struct stat *status, bool *ret_is_archive,
                        struct err *err)
{
    static const struct place top = {.nesting = 0, .prefix = ""};
    CLEANUP(file_stream_release) struct file_stream stream = {.fd = -1};
    /* Standard input may be a file that somebody has read a part of. */
    bool is_file = S_ISREG(status->st_mode) && lseek(fd, 0, SEEK_CUR) == 0;
    int rc = file_stream_init(&stream, fd, is_file ? status->st_size : -1, &walk->set->budget, err);
    if (rc < 0)
        return rc;
    const struct container container = {
        .stream = &stream.stream,
        .fd = is_file ? fd : -1,
        .size = is_file ? status->st_size : -1,
    };
    return walk_archive(walk, &top, "", -1, &container, ret_is_archive, err);
}

/* Whether it can be a log at all; its name is for others to judge. */
static bool may_be_loose(const struct report_set *set, int fd, const char *path,
                         const struct stat *status)
{
    size_t stem;
    return S_ISREG(status->st_mode) && status->st_size > 0 && strcmp(path, "-") != 0 &&
           !set->budget.spent.failed && !foreign_archive(fd) &&
           !member_name_is_archive(path, &stem);
}

static int read_source(struct report_set *set, struct source_state *source, int fd,
                       const struct stat *status, const struct report_visitor *visitor,
                       struct err *err)
{
    const char *path = source->report.path;
    size_t first_problem = set->problems.count;
    bool is_archive = true, is_loose = false;
    struct walk walk = {
        .set = set,
        .visitor = visitor,
        .source = source,
        .gather = STRBUF_INIT,
        .name = STRBUF_INIT,
    };

    bool is_folder = S_ISDIR(status->st_mode);
    crew_begin_source(set->crew, is_folder ? FILES_IN_FLIGHT : MEMBERS_IN_FLIGHT);
    if (set->budget.spent.failed) { /* by another REPORT, and for the whole run */
        crew_drop_rest(set->crew);
        if (failure_claim_report(&set->budget.spent))
            set_problem(set, set->budget.spent.kind, -1, "", "%s", set->budget.spent.text);
    }
    int rc = is_folder ? walk_directory(&walk, fd, err)
                       : read_archive(&walk, fd, status, &is_archive, err);
    int drain_rc = crew_drain(set->crew, rc == 0 ? err : NULL);
    rc = rc == 0 ? drain_rc : rc;
    /* A log may begin with zeros, as an empty tar does. */
    bool is_nothing =
        (!is_archive || walk.members == 0) && set->problems.count == first_problem;
    if (rc == 0 && is_nothing && may_be_loose(set, fd, path, status)) {
        rc = walk_loose(&walk, fd, status, &is_loose, err);
        drain_rc = crew_drain(set->crew, rc == 0 ? err : NULL);
        rc = rc == 0 ? drain_rc : rc;
    }
    strbuf_release(&walk.gather);
    strbuf_release(&walk.name);
    if (rc < 0)
        return rc;
    if (!is_archive && !is_loose)
        return fail_no_archive(fd, path, status, err);
    return walk.members > 0 ? 0 : fail_empty(set, first_problem, path, err);
}

int report_set_read(struct report_set *set, const char *path, const struct report_visitor *visitor,
                    struct err *err)
{
    CLEANUP_FD int fd = -1;
    int r = report_open(path, &fd, err);
    return r < 0 ? r : report_set_read_opened(set, path, fd, visitor, err);
}

int report_set_reject(struct report_set *set, const char *path, const char *why, struct err *err)
{
    if (!set_add_source(set, path))
        return err_nomem(err);
    set_problem(set, PROBLEM_REFUSED, -1, "", "%s", why);
    return 0;
}

static void note_unread(struct report_set *set, const struct err *err)
{
    char message[1024];
    set_problem(set, PROBLEM_REFUSED, -1, "", "nothing of it was read: %s",
                err_message(err, message, sizeof message));
}

int report_set_read_opened(struct report_set *set, const char *path, int fd,
                           const struct report_visitor *visitor, struct err *err)
{
    struct err own = ERR_INIT; /* the text of an error is needed even if the caller wants none */
    struct stat status;
    if (!err)
        err = &own;
    if (fstat(fd, &status) < 0)
        return err_set_errno(err, errno, "cannot read '%s'", path);
    await_writer(fd, &status);
    struct source_state *source = set_add_source(set, path);
    if (!source)
        return err_nomem(err);
    source->modified = S_ISREG(status.st_mode) ? status.st_mtim.tv_sec : 0;
    budget_begin_source(&set->budget);

    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    int rc = crew_new(set->jobs, &set->crew, err);
    if (rc == 0)
        rc = read_source(set, source, fd, &status, visitor, err);
    set->crew = crew_free(set->crew);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    /* The other reports are judged without it, which must be seen. */
    if (rc == ERR_UNSUPPORTED || rc == ERR_PARSE)
        note_unread(set, err);
    return rc;
}
