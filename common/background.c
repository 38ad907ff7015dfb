/* SPDX-License-Identifier: LGPL-2.1-only */
#include "common/background.h"

static void *run(void *pointer)
{
    struct background *background = pointer;
    background->result = background->work(background->context, &background->err);
    return NULL;
}

void background_begin(struct background *background, bool apart, background_work work,
                      void *context)
{
    *background = (struct background){.work = work, .context = context, .err = ERR_INIT};
    background->is_apart = apart && pthread_create(&background->thread, NULL, run, background) == 0;
    if (!background->is_apart)
        run(background);
}

int background_end(struct background *background, struct err *err)
{
    if (background->is_apart)
        pthread_join(background->thread, NULL);
    return err_pass(err, background->result, &background->err);
}
