/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The spawner is started before a password is read, so that no copy of this process holds it, and
 * before any thread. A core of this process would hold it too: there is none.
 */
#include "collector/cli/pool_session.h"

#include <errno.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "collector/cli/destination.h"
#include "collector/cli/summary.h"
#include "collector/pool/pool.h"
#include "collector/run/progress.h"
#include "common/escape.h"
#include "common/io.h"
#include "common/units.h"

#define STAGE_MEMORY     (256 * 1024) /* of one member; what is bigger goes to a temporary file */
#define NO_TIME_LIMIT_MS (7LL * 24 * 3600 * 1000)
#define OWN_ARGUMENTS    16

struct pool_session {
    const struct options *options;
    FILE *talk; /* NULL: silent */
    struct progress progress;
    char program[PATH_MAX];
    const char *argv[OWN_ARGUMENTS];
    char entries[PATH_MAX];
};

static void protect_secrets(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (geteuid() == 0) /* for others their own /proc/self would be closed, too */
        prctl(PR_SET_DUMPABLE, 0);
}

static void say(void *context, const char *line)
{
    struct pool_session *session = context;
    struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, line, strlen(line), false);
    progress_line(&session->progress, "%s", safe.data);
    strbuf_release(&safe);
}

/* What takes this host without XAPI: this program, with the same wishes. */
static const char *const *own_command(struct pool_session *session, const char *root)
{
    const struct options *options = session->options;
    ssize_t length = readlink("/proc/self/exe", session->program, sizeof session->program - 1);
    if (length <= 0)
        return NULL;
    session->program[length] = '\0';
    const char **next = session->argv;
    const char *const fixed[] = {session->program, "--silent", "--yestoall", "--output=tar",
                                 "--outfd=1",      "--root",   root};
    for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
        *next++ = fixed[i];
    if (options->catalog) {
        *next++ = "--catalog";
        *next++ = options->catalog;
    }
    if (options->entries) {
        snprintf(session->entries, sizeof session->entries, "--entries=%s", options->entries);
        *next++ = session->entries;
    }
    if (options->all)
        *next++ = "--all";
    if (options->unlimited)
        *next++ = "--unlimited";
    *next = NULL;
    return session->argv;
}

static void make_stamp(int64_t epoch, int64_t *ret_when, char *stamp, size_t size)
{
    struct tm parts;
    time_t clock = epoch >= 0 ? (time_t)epoch : time(NULL);
    if (epoch >= 0)
        gmtime_r(&clock, &parts);
    else
        localtime_r(&clock, &parts);
    strftime(stamp, size, "%Y-%m-%d-%H-%M-%S", &parts);
    *ret_when = (int64_t)clock;
}

static int collect(struct pool_session *session, const char *root, int64_t epoch,
                   const atomic_bool *cancelled, struct spawner *spawner,
                   struct destination *destination, struct pool_result *ret, struct err *err)
{
    const struct options *options = session->options;
    char stamp[64];
    int64_t whole_ms = options->time_limit >= 0 ? options->time_limit * 1000 : NO_TIME_LIMIT_MS;
    struct pool_options pool = {
        .root = root,
        .server = options->pool_server,
        .credentials = options->pool_credentials,
        .cacert = options->cacert,
        .entries = options->entries,
        .all = options->all,
        .argv = options->pool_server ? NULL : own_command(session, root),
        .jobs = options->jobs,
        .host_limit_ms = options->pool_host_limit * 1000,
        .limit = {.deadline_ms = io_now_ms() + whole_ms, .cancelled = cancelled},
        .stamp = stamp,
        .say = say,
        .context = session};
    struct sink sink = {.bundle = destination->bundle,
                        .stage = {.encoding = options->format->encoding,
                                  .compressor = destination->compressor,
                                  .memory_bytes = STAGE_MEMORY,
                                  .spool_dirfd = destination->spool_fd},
                        .room = destination->room,
                        .lock = PTHREAD_MUTEX_INITIALIZER};
    make_stamp(epoch, &pool.when, stamp, sizeof stamp);
    return pool_collect(&pool, spawner, &sink, ret, err);
}

static int say_end(const struct pool_session *session, const struct destination *destination,
                   const struct pool_result *result, struct err *err)
{
    if (result->complete < result->hosts)
        fprintf(stderr,
                "%zu of %zu hosts gave a complete report, %zu gave a part; pool-manifest.json in "
                "the bundle tells why\n",
                result->complete, result->hosts, result->partial);
    if (session->options->outfd >= 0)
        return 0;
    if (!session->talk)
        return summary_print_path(destination->path, err);
    fprintf(session->talk, "Writing archive %s successful.\n", destination->path);
    return 0;
}

static int run_with(struct pool_session *session, const char *root, int64_t epoch,
                    const atomic_bool *cancelled, struct spawner *spawner, struct err *err)
{
    struct destination destination;
    struct pool_result result = {0};
    int r = destination_open(session->options, epoch, &destination, err);
    if (r < 0)
        return r;
    bundle_heed(destination.bundle, cancelled);
    progress_line(&session->progress, "Collecting from the hosts of the pool");
    r = collect(session, root, epoch, cancelled, spawner, &destination, &result, err);
    if (r == 0)
        r = bundle_close(destination.bundle, err);
    else
        bundle_discard(destination.bundle);
    if (r == 0)
        r = say_end(session, &destination, &result, err);
    destination_release(&destination);
    return r;
}

int pool_session_run(const struct options *options, const char *root, int64_t epoch,
                     const atomic_bool *cancelled, struct err *err)
{
    FILE *talk = options->silent ? NULL : options->outfd == STDOUT_FILENO ? stderr : stdout;
    struct pool_session session = {
        .options = options,
        .talk = talk,
        .progress = {.out = talk, .lock = PTHREAD_MUTEX_INITIALIZER},
    };
    struct spawner *spawner = NULL;
    protect_secrets();
    fflush(NULL); /* the helper must not inherit half-written text */
    int r = spawner_start(endpoint_functions, NULL, &spawner, err);
    if (r == 0)
        r = run_with(&session, root, epoch, cancelled, spawner, err);
    spawner_stop(spawner);
    return r;
}
