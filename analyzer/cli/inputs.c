/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/cli/inputs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "analyzer/cli/commands.h"
#include "analyzer/report/report.h"
#include "common/io.h"

/* All reports are open at once, and the usual limit of 1024 is for programs that use select(2). */
static void allow_many_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_one(struct input *input, struct err *err)
{
    struct stat status;
    struct err detail = ERR_INIT;
    char message[1024];
    if (report_open(input->path, &input->fd, &detail) < 0 || fstat(input->fd, &status) < 0) {
        input->failure = strdup(err_message(&detail, message, sizeof message));
        return input->failure ? 0 : err_nomem(err);
    }
    input->start = lseek(input->fd, 0, SEEK_CUR);
    input->size = S_ISREG(status.st_mode) ? status.st_size : -1;
    input->is_folder = S_ISDIR(status.st_mode);
    return 0;
}

int inputs_open(struct inputs *inputs, const string_list *paths, bool is_baseline, struct err *err)
{
    allow_many_descriptors();
    int r = 0;
    for (size_t i = 0; r == 0 && i < paths->count; i++) {
        struct input *input = vec_push(&inputs->list);
        if (!input)
            return err_nomem(err);
        *input = (struct input){.path = paths->items[i], .fd = -1, .is_baseline = is_baseline};
        r = open_one(input, err);
    }
    return r;
}

void inputs_say_failures(const struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->list.count; i++)
        if (inputs->list.items[i].failure)
            say_error(inputs->list.items[i].failure);
}

void inputs_release(struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->list.count; i++) {
        struct input *input = &inputs->list.items[i];
        io_close(&input->fd);
        free(input->failure);
        free(input->rejected);
    }
    vec_free(&inputs->list);
}

bool input_is_left(const struct input *input)
{
    return input->fd >= 0 && !input->rejected;
}

size_t inputs_left(const struct inputs *inputs)
{
    size_t count = 0;
    for (size_t i = 0; i < inputs->list.count; i++)
        count += input_is_left(&inputs->list.items[i]);
    return count;
}

int inputs_reject(struct inputs *inputs, size_t index, const char *why, struct err *err)
{
    struct input *input = &inputs->list.items[index];
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    if (asprintf(&input->rejected, "archive rejected: its reader %s", why) < 0) {
        input->rejected = NULL;
        return err_nomem(err);
    }
    strbuf_addf(&line, "'%s': %s", input->path, input->rejected);
    say_error(line.data);
    return 0;
}

int inputs_rewind(struct inputs *inputs, size_t reached, struct err *err)
{
    for (size_t i = 0; i < inputs->list.count; i++) {
        const struct input *input = &inputs->list.items[i];
        if (!input_is_left(input))
            continue;
        if (input->start >= 0) {
            if (lseek(input->fd, input->start, SEEK_SET) < 0)
                return err_set(err, ERR_IO, "cannot read '%s' again", input->path);
        } else if (i <= reached) {
            int r =
                inputs_reject(inputs, i,
                              "must begin again after another report ended it, and a pipe cannot "
                              "be read twice; analyse it alone",
                              err);
            if (r < 0)
                return r;
        }
    }
    return 0;
}
