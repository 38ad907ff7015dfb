/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The only file of the program that prints errors. Signals set a flag that everything which waits
 * looks at; a second one ends the program at once, which costs no more than a power cut.
 */
#include "upload/cli/cli.h"

#include <signal.h>
#include <stdatomic.h>

#include "common/escape.h"
#include "common/io.h"
#include "common/replace.h"
#include "common/secret.h"
#include "common/signals.h"
#include "common/version.h"
#include "upload/cli/grant_command.h"
#include "upload/cli/help.h"
#include "upload/cli/queue.h"
#include "upload/cli/settings.h"
#include "upload/cli/status.h"
#include "upload/cli/upload.h"

#define ARENA_BYTES (8 << 20) /* many times the largest settings file */

static atomic_bool cancelled;

static void on_signal(int signal)
{
    (void)signal;
    atomic_store(&cancelled, true);
}

static void print_error(const struct err *err)
{
    char message[sizeof err->where + sizeof err->text + 32];
    struct strbuf safe = STRBUF_INIT;
    err_message(err, message, sizeof message);
    escape_terminal(&safe, message, strlen(message), false);
    fprintf(stderr, "xen-upload: %s\n", safe.data);
    strbuf_release(&safe);
}

/* Found out before gigabytes are sent, not after. */
static int check_receipt(const char *path, struct err *err)
{
    struct err why = ERR_INIT;
    return !path || replace_check(path, &why) == 0
               ? 0
               : err_set(err, ERR_USAGE, "the receipt cannot be written: %s", why.text);
}

static int write_receipt(const char *path, const struct receipt *receipt, struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    int r = receipt_format(receipt, &text, err);
    if (r == 0)
        r = replace_path(path, text.data, text.length, 0644, err);
    strbuf_release(&text);
    return err_prefix(err, r, "the file was sent, but the receipt is missing");
}

static int send_file(struct upload *upload, const struct options *options, struct err *err)
{
    char line[512];
    struct receipt receipt;
    int r = upload_send(upload, options->file, &receipt, err);
    if (r < 0)
        return r;
    if (options->receipt)
        r = write_receipt(options->receipt, &receipt, err);
    snprintf(line, sizeof line, "Sent%s%s; SHA-256 %s", receipt.id[0] ? " as " : "", receipt.id,
             receipt.sha256);
    if (r == 0)
        progress_done(upload->progress, line);
    receipt_release(&receipt);
    return r;
}

static int describe(struct upload *upload, struct err *err)
{
    struct strbuf out = STRBUF_INIT, safe = STRBUF_INIT;
    int r = upload_describe(upload, &out, err);
    escape_terminal(&safe, out.data, out.length, true);
    if (r == 0)
        fputs(safe.data, stdout);
    strbuf_release(&out);
    strbuf_release(&safe);
    return r;
}

static int upload_one(const struct options *options, struct progress *progress, struct err *err)
{
    struct upload upload;
    int r = check_receipt(options->receipt, err);
    if (r < 0)
        return r;
    r = upload_prepare(&upload, options, NULL, progress, &cancelled, err);
    if (r == 0)
        r = options->dry_run   ? describe(&upload, err)
            : options->abandon ? upload_abandon(&upload, err)
                               : send_file(&upload, options, err);
    upload_release(&upload);
    return r;
}

static int run(struct options *options, struct progress *progress, struct err *err)
{
    switch (options->action) {
    case ACTION_ADD:
        return queue_add(options, err);
    case ACTION_LIST:
        return queue_list(options, err);
    case ACTION_DROP:
        return queue_drop(options, err);
    case ACTION_WORK:
        return queue_work(options, progress, &cancelled, err);
    case ACTION_GRANT:
        return grant_command(options, &cancelled, err);
    default:
        return upload_one(options, progress, err);
    }
}

/*
 * Output that did not arrive is no success. But a file that did arrive is one, even when nobody
 * reads what is said about it.
 */
static int flush_output(const struct options *options, struct err *err)
{
    bool sends =
        (options->action == ACTION_UPLOAD && !options->dry_run) || options->action == ACTION_WORK;
    return (fflush(stdout) == 0 && !ferror(stdout)) || sends
               ? 0
               : err_set(err, ERR_IO, "standard output cannot be written");
}

int cli_main(int argc, char **argv)
{
    struct options options;
    struct err err = ERR_INIT;
    struct progress progress;
    io_hold_standard();
    secret_guard_process();
    CLEANUP(arena_cleanup) struct arena *arena = arena_new(ARENA_BYTES);
    int r = options_parse(argc, argv, &options, &err);
    if (r == 0 && options.action == ACTION_HELP) {
        help_print(stdout);
        r = flush_output(&options, &err);
    } else if (r == 0 && options.action == ACTION_VERSION) {
        printf("xen-upload %s\n", XENHEALTH_VERSION);
        r = flush_output(&options, &err);
    } else if (r == 0) {
        signals_catch_ends(on_signal, (int)SA_RESETHAND);
        r = arena ? settings_load(&options, arena, &err) : err_nomem(&err);
        if (r == 0)
            r = options_complete(&options, &err);
        progress_init(&progress, stdout, r == 0 ? options.progress : "none");
        if (r == 0)
            r = run(&options, &progress, &err);
        if (r < 0)
            progress_failed(&progress, err.text, (int)status_of(r));
        else
            r = flush_output(&options, &err);
    }
    if (r < 0)
        print_error(&err);
    return (int)status_of(r);
}
