/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The parent's side of an analysis. It opens files, and never looks at a byte of a report.
 *
 * When the child dies, the report it was reading is rejected, and a new child starts without it.
 * When it dies while it judges, nobody knows by whose rows: each report is then tried alone.
 */
#include "analyzer/cli/confined.h"

#include <jansson.h>
#include <locale.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <wchar.h>

#include "analyzer/cli/commands.h"
#include "common/io.h"

/*
 * The database in memory may hold 512 MiB (database.h), a decompressor takes up to 128 MiB, and so
 * much again is for the lists and findings of a hostile report.
 */
#define MEMORY_MAX (1024LL << 20)

/* A page of 64 hosts has some 20 MB; a database file is its values (8 GiB at most) and their pages.
 */
#define OUTPUT_MAX   (1LL << 30)
#define DATABASE_MAX (16LL << 30)

/* Any report of a few megabytes is read in a second; a large one may take a second of one processor
 * for each of these. */
#define CPU_SECONDS    120
#define BYTES_A_SECOND (4LL << 20)

/* Pipes and folders do not tell their size: as much as a large pool has. */
#define SIZE_UNKNOWN (4LL << 30)

/* A machine under load, a report on a slow share. */
#define WALL_PER_CPU_SECOND 5

/* Reading and compiling rules; those of a stranger may be nasty. */
#define PREPARE_SECONDS 30

/* A folder a level, and what libraries hold. */
#define DESCRIPTORS_MAX 256

struct run {
    struct confined confined;
    struct inputs inputs;
    struct outputs outputs;
    struct sandbox_limits limits;
    confined_job job;
};

static struct sandbox_limits limits_for(const struct run *run)
{
    int64_t size = 0, written = 0;
    for (size_t i = 0; i < run->inputs.list.count; i++) {
        const struct input *input = &run->inputs.list.items[i];
        if (input->fd >= 0)
            size += input->size >= 0 ? input->size : SIZE_UNKNOWN;
    }
    struct stat status;
    if (fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode))
        written = status.st_size; /* the result may be appended to a file */
    int cpu = CPU_SECONDS + (int)(size / BYTES_A_SECOND);
    return (struct sandbox_limits){
        .memory = MEMORY_MAX,
        .file_size = written + (run->outputs.database.temporary ? DATABASE_MAX : OUTPUT_MAX),
        .cpu_seconds = cpu,
        .wall_seconds = cpu * WALL_PER_CPU_SECOND,
        .prepare_seconds = PREPARE_SECONDS,
        .descriptors = DESCRIPTORS_MAX + (int)run->inputs.list.count,
    };
}

static int child_job(void *context, struct sandbox *sandbox, struct err *err)
{
    struct run *run = context;
    run->confined.sandbox = sandbox;
    return run->job(&run->confined, err);
}

/*
 * Libraries open files when they first need them, and take another way in silence when they cannot:
 * libarchive the character set for names, the C library the time zone for times in zip files (with
 * TZ set it does not look for changes again and again), jansson and SQLite random numbers.
 */
static int load_what_libraries_open(struct err *err)
{
    static locale_t utf8; /* kept, so that the reader's own newlocale() finds it loaded */
    unsigned seed;
    wchar_t wide;
    mbstate_t state = {0};
    if (setenv("TZ", ":/etc/localtime", 0) < 0)
        return err_nomem(err);
    tzset();
    json_object_seed(0);
    sqlite3_randomness(sizeof seed, &seed);
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    if (utf8) {
        (void)!mbrtowc(&wide, "\xc3\xa9", 2, &state);
        uselocale(before);
    }
    return 0;
}

int confined_begin(struct confined *confined, struct err *err)
{
    int r = load_what_libraries_open(err);
    if (r < 0)
        return r;
    const struct inputs *inputs = confined->inputs;
    CLEANUP_FREE int *folders = calloc(inputs->list.count + 1, sizeof *folders);
    if (!folders)
        return err_nomem(err);
    size_t count = 0;
    for (size_t i = 0; i < inputs->list.count; i++)
        if (inputs->list.items[i].is_folder)
            folders[count++] = inputs->list.items[i].fd;
    return sandbox_enter(confined->sandbox, &(struct sandbox_folders){folders, count}, err);
}

bool confined_takes(const struct confined *confined, size_t input)
{
    return confined->is_trial ? confined->trial == input
                              : input_is_left(&confined->inputs->list.items[input]);
}

void confined_reading(struct confined *confined, size_t input)
{
    sandbox_step(confined->sandbox, (int)input);
}

static int run_child(struct run *run, struct sandbox_end *ret, struct err *err)
{
    size_t inputs = run->inputs.list.count, files = run->outputs.count, count = 0;
    CLEANUP_FREE int *keep = calloc(inputs + files, sizeof *keep);
    if (!keep)
        return err_nomem(err);
    for (size_t i = 0; i < inputs; i++)
        keep[count++] = run->inputs.list.items[i].fd;
    for (size_t i = 0; i < files; i++)
        keep[count++] = run->outputs.files[i].fd;
    struct sandbox_job job = {child_job, run, keep, count, run->limits};
    return sandbox_run(&job, ret, err);
}

/* Whether the job came to its own end, good or bad. Memory that ran out is its reader's end. */
static bool is_answer(const struct sandbox_end *end)
{
    return end->ending == SANDBOX_DONE ||
           (end->ending == SANDBOX_FAILED && end->err.code != ERR_NOMEM);
}

/* Ends this process like its child: by a signal that was meant for both. */
static bool is_stop(const struct sandbox_end *end)
{
    return end->ending == SANDBOX_INTERRUPTED ||
           (end->ending == SANDBOX_KILLED && end->signal != SIGKILL);
}

static int reject(struct run *run, size_t input, const struct sandbox_end *end, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf why = STRBUF_INIT;
    sandbox_explain(end, &run->limits, &why);
    return inputs_reject(&run->inputs, input, why.data, err);
}

/* The child died while it judged all of them together. */
static int reject_by_trial(struct run *run, const struct sandbox_end *death, struct err *err)
{
    size_t count = run->inputs.list.count, before = inputs_left(&run->inputs);
    for (size_t i = 0; i < count; i++) {
        const struct input *input = &run->inputs.list.items[i];
        if (!input_is_left(input))
            continue;
        struct sandbox_end end = *death;
        int r = inputs_rewind(&run->inputs, count, err);
        if (r == 0 && before > 1 && input_is_left(input)) {
            run->confined.is_trial = true;
            run->confined.trial = i;
            r = run_child(run, &end, err);
            run->confined.is_trial = false;
        }
        if (r == 0 && input_is_left(input) && !is_answer(&end))
            r = reject(run, i, &end, err);
        if (r < 0)
            return r;
    }
    if (inputs_left(&run->inputs) < before)
        return 0;
    CLEANUP(strbuf_release) struct strbuf why = STRBUF_INIT;
    sandbox_explain(death, &run->limits, &why);
    return err_set(err, ERR_LIMIT,
                   "the analysis of all reports together %s; analyse fewer at a time", why.data);
}

/* Leaves out the report by which the child died. */
static int learn(struct run *run, const struct sandbox_end *end, struct err *err)
{
    size_t count = run->inputs.list.count;
    if (end->step == SANDBOX_NO_STEP) {
        CLEANUP(strbuf_release) struct strbuf why = STRBUF_INIT;
        sandbox_explain(end, &run->limits, &why);
        return err_set(err, ERR_LIMIT, "preparing the rules %s, before any report was read",
                       why.data);
    }
    /* A child that lies about its step can only make us give up, or blame another one. */
    size_t step = (size_t)end->step < count ? (size_t)end->step : count;
    bool is_known = step < count && input_is_left(&run->inputs.list.items[step]);
    int r = is_known ? reject(run, step, end, err) : reject_by_trial(run, end, err);
    return r < 0 ? r : inputs_rewind(&run->inputs, step, err);
}

static int finish(struct run *run, const struct sandbox_end *end, struct err *err)
{
    if (end->ending == SANDBOX_FAILED)
        return err_pass(err, end->err.code, &end->err);
    if (end->status == EXIT_NO_REPORT)
        return EXIT_NO_REPORT;
    int r = outputs_publish(&run->outputs, err);
    return r < 0 ? r : end->status;
}

static int run_until_done(struct run *run, int *ret_signal, struct err *err)
{
    /* Once even without a report: the rules may be wrong, which is the worse mistake. */
    do {
        struct sandbox_end end;
        int r = run_child(run, &end, err);
        if (r < 0)
            return r;
        if (is_stop(&end)) {
            *ret_signal = end.signal;
            return EXIT_NO_REPORT;
        }
        if (is_answer(&end))
            return finish(run, &end, err);
        r = learn(run, &end, err);
        if (r == 0)
            r = outputs_restart(&run->outputs, err);
        if (r < 0)
            return r;
    } while (inputs_left(&run->inputs) > 0);
    return EXIT_NO_REPORT;
}

int confined_run(struct options *options, confined_job job, struct err *err)
{
    struct run run = {.job = job, .outputs = {.database = {.fd = -1}}};
    run.confined =
        (struct confined){.options = options, .inputs = &run.inputs, .outputs = &run.outputs};
    int signal = 0;
    int status = inputs_open(&run.inputs, &options->operands, false, err);
    if (status == 0)
        status = inputs_open(&run.inputs, &options->baseline, true, err);
    if (status == 0)
        status = outputs_open(&run.outputs, options, err);
    if (status == 0) {
        run.limits = limits_for(&run);
        status = run_until_done(&run, &signal, err);
    }
    if (status >= 0 && !signal)
        inputs_say_failures(&run.inputs);
    outputs_release(&run.outputs);
    inputs_release(&run.inputs);
    if (signal) {
        const struct sigaction standard = {.sa_handler = SIG_DFL};
        sigaction(signal, &standard, NULL);
        raise(signal);
    }
    return status;
}
