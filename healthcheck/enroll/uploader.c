/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which URLs there are, and what an upload to one needs, is known to the uploader alone. It is
 * asked with a file that is there for sure: itself.
 */
#include "healthcheck/enroll/uploader.h"

#include "common/vec.h"
#include "healthcheck/child/child.h"
#include "healthcheck/enroll/tokens.h"

#define CHECK_LIMIT_MS 60000
#define MAX_COMPLAINT  4096
#define EXIT_USAGE     2
#define EXIT_DENIED    5

typedef VEC(const char *) word_list;

static bool add_words(word_list *command, const char *const *words)
{
    for (; words && *words; words++) {
        const char **slot = vec_push(command);
        if (!slot)
            return false;
        *slot = *words;
    }
    return true;
}

static int code_of(const struct child_end *end)
{
    bool exited = end->outcome == CHILD_EXITED;
    return exited && end->status == EXIT_USAGE    ? ERR_USAGE
           : exited && end->status == EXIT_DENIED ? ERR_DENIED
                                                  : ERR_IO;
}

static int run(const struct enroll_place *place, const word_list *command, int64_t time_limit_ms,
               struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf errors = STRBUF_INIT_MAX(MAX_COMPLAINT);
    const struct child_spec spec = {.argv = command->items,
                                    .time_limit_ms = time_limit_ms,
                                    .cancelled = place->cancelled,
                                    .errors = &errors};
    struct child_end end;
    int r = child_run(&spec, &end, err);
    if (r < 0 || (end.outcome == CHILD_EXITED && end.status == 0))
        return r;
    return child_complain(&spec, &end, code_of(&end), err);
}

int uploader_run(const struct enroll_place *place, const char *const *words, bool with_settings,
                 int64_t time_limit_ms, struct err *err)
{
    word_list command = {NULL, 0, 0};
    const char *const program[] = {place->uploader, NULL};
    const char **end = add_words(&command, program) && add_words(&command, words) &&
                               add_words(&command, with_settings ? place->uploader_arguments : NULL)
                           ? vec_push(&command) /* NULL */
                           : NULL;
    int r = end ? run(place, &command, time_limit_ms, err) : err_nomem(err);
    vec_free(&command);
    return r;
}

int uploader_check(const struct enroll_place *place, const struct enroll_request *request,
                   struct err *err)
{
    const char *words[6] = {"--dry-run", place->uploader, request->url};
    if (request->token) {
        words[3] = "--token";
        words[4] = request->token;
    } else if (request->credentials && !tokens_are_granted(request->url)) {
        words[3] = "--credentials"; /* otherwise they are for the one who grants the token */
        words[4] = request->credentials;
    }
    return uploader_run(place, words, true, CHECK_LIMIT_MS, err);
}
