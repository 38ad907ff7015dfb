/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Runs xen-bugtool. It prints the path of the archive and nothing else; only a regular file in our
 * own work folder is taken for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/digest.h"
#include "common/hex.h"
#include "common/io.h"
#include "healthcheck/history/reports.h"
#include "healthcheck/run/step.h"
#include "healthcheck/times/times.h"

#define MAX_PATH 4096

/* Our own name, the same for hosts and pools, so that names sort by time: as XenCenter's bundles.
 */
static int name_report(struct check *check, struct err *err)
{
    char stamp[TIMES_SHORT_BYTES], name[64];
    times_write_short(check->started_s, stamp);
    for (char *c = stamp; *c; c++)
        if (*c == 'T' || *c == ':')
            *c = '-';
    snprintf(name, sizeof name, "status-report-%.19s.zip", stamp);
    return check_set(&check->report, name, err);
}

static int take_path(const struct strbuf *work, struct strbuf *out, struct strbuf *ret,
                     struct err *err)
{
    struct stat status;
    out->data[strcspn(out->data, "\n")] = '\0';
    const char *slash = strrchr(out->data, '/');
    bool ours = slash && (size_t)(slash - out->data) == work->length &&
                strncmp(out->data, work->data, work->length) == 0;
    if (!ours || lstat(out->data, &status) < 0 || !S_ISREG(status.st_mode))
        return err_set(err, ERR_IO, "xen-bugtool did not say where its report is");
    strbuf_adds(ret, out->data);
    return strbuf_ok(ret) ? 0 : err_nomem(err);
}

/* The report is what its digest says, whatever the uploader and XenCenter call it later. */
static int digest_report(const struct run *run, const char *path, struct check *check,
                         struct err *err)
{
    unsigned char digest[DIGEST_BYTES];
    char text[2 * DIGEST_BYTES + 1];
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    const struct digest_wish wish = {.fd = fd,
                                     .name = path,
                                     .kind = EVP_sha256(),
                                     .length = INT64_MAX,
                                     .cancelled = run->options->cancelled};
    int r = digest_read(&wish, digest, &check->bytes, err);
    if (r < 0)
        return r;
    hex_write(digest, sizeof digest, text);
    return check_set(&check->sha256, text, err);
}

/* Old reports make room for the new one; if that is not enough, the collector has its own floor. */
static void make_room(struct run *run)
{
    const struct settings *settings = run->options->settings;
    struct reports_limits limits = {settings->keep.reports ? settings->keep.reports : 1,
                                    settings->keep.bytes, settings->keep.free_bytes};
    struct reports_usage usage;
    struct err err = ERR_INIT;
    if (reports_prune(run->store, &limits, -1, NULL, &usage, &err) < 0)
        run_say(run, "Old reports cannot be removed: %s", err.text);
}

int collect_report(struct run *run, struct check *check, struct strbuf *ret_path, struct err *err)
{
    const struct settings *settings = run->options->settings;
    CLEANUP(strbuf_release) struct strbuf work = STRBUF_INIT, out = STRBUF_INIT_MAX(MAX_PATH);
    make_room(run);
    int r = store_empty_work(run->store, &work, err);
    if (r < 0)
        return r;
    run_say(run, "Collecting a report of %s.", check->pool ? "the whole pool" : "this host");
    const char *const own[] = {"--yestoall", "--silent", "--output=zip",
                               "--outdir",   work.data,  check->pool ? "--pool" : NULL,
                               NULL};
    r = run_program(run, "xen-bugtool", own, settings->collect.arguments,
                    settings->collect.time_limit_s, 1 << 0, &out, NULL, err);
    if (r == 0)
        r = take_path(&work, &out, ret_path, err);
    if (r == 0)
        r = digest_report(run, ret_path->data, check, err);
    return r == 0 ? name_report(check, err) : r;
}
