/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * An interruption may come just before the read, which would then wait for a line nobody types. So
 * a terminal is read only when it has one; it gives line by line, and nothing is left in the buffer
 * of `in` between the questions.
 */
#include "collector/cli/answer.h"

#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#define LOOK_MS 200

static bool wait_for_line(const struct asking *asking)
{
    struct pollfd input = {.fd = fileno(asking->in), .events = POLLIN};
    while (!atomic_load(asking->cancelled))
        if (poll(&input, 1, LOOK_MS) > 0)
            return true;
    return false;
}

int answer_read(const struct asking *asking, char answer[ANSWER_BYTES], struct err *err)
{
    fflush(asking->out);
    bool terminal = isatty(fileno(asking->in));
    if (terminal && !wait_for_line(asking))
        return err_set(err, ERR_CANCELLED, "interrupted");
    if (fgets(answer, ANSWER_BYTES, asking->in))
        return 0;
    if (terminal)
        fputc('\n', asking->out);
    return err_set(err, ERR_IO,
                   "the answers ended before all questions were asked; "
                   "use --yestoall to take everything");
}
