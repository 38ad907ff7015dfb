/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/cli/prompts.h"

#include <string.h>

#include "collector/plan/plan_totals.h"
#include "common/escape.h"

void prompts_banner(FILE *out, const char *suffix, bool yes_to_all)
{
    if (yes_to_all)
        fputs("Warning: '--yestoall' argument provided, will not prompt for individual files.\n",
              out);
    fprintf(out,
            "\n"
            "This application will collate the Xen dmesg output, details of the\n"
            "hardware configuration of your machine, information about the build of\n"
            "Xen that you are using, plus, if you allow it, various logs.\n"
            "\n"
            "The collated information will be saved as a .%s for archiving or\n"
            "sending to a Technical Support Representative.\n"
            "\n"
            "The logs may contain private information, and if you are at all\n"
            "worried about that, you should exit now, or you should explicitly\n"
            "exclude those logs from the archive.\n"
            "\n\n",
            suffix);
}

static int by_prompt(const void *left, const void *right)
{
    const struct plan_entry *const *a = left, *const *b = right;
    bool tree_a = (*a)->kind == PLAN_TREE, tree_b = (*b)->kind == PLAN_TREE;
    return tree_a != tree_b ? (tree_a ? 1 : -1) : strcmp((*a)->prompt, (*b)->prompt);
}

/* An empty answer and anything that begins with y is a yes. */
static int ask(const struct asking *asking, const struct plan_entry *entry, bool *ret,
               struct err *err)
{
    char answer[ANSWER_BYTES];
    struct strbuf safe = STRBUF_INIT;
    escape_terminal(&safe, entry->prompt, strlen(entry->prompt), false);
    fprintf(asking->out, "Include %s'%s'? [Y/n]: ", entry->kind == PLAN_TREE ? "tree " : "",
            safe.data);
    strbuf_release(&safe);
    int r = answer_read(asking, answer, err);
    if (r < 0)
        return r;
    *ret = answer[0] == '\n' || answer[0] == 'y' || answer[0] == 'Y';
    return 0;
}

static int ask_all(const struct asking *asking, struct plan_entry **sorted, size_t count,
                   struct err *err)
{
    const struct plan_entry *asked = NULL;
    bool wanted = true;
    for (size_t i = 0; i < count; i++) {
        if (!plan_entry_is_there(sorted[i])) { /* nothing to ask about */
            sorted[i]->archived = true;
            continue;
        }
        bool same = asked && by_prompt(&asked, &sorted[i]) == 0;
        int r = same ? 0 : ask(asking, sorted[i], &wanted, err);
        if (r < 0)
            return r;
        asked = sorted[i];
        sorted[i]->archived = wanted; /* borrowed as the mark; the run sets it anew */
    }
    return 0;
}

int prompts_ask(const struct asking *asking, struct plan *plan, struct err *err)
{
    size_t count = plan->entries.count;
    struct plan_entry **sorted = calloc(count + 1, sizeof *sorted);
    if (!sorted)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &plan->entries.items[i];
    qsort(sorted, count, sizeof *sorted, by_prompt);
    int r = ask_all(asking, sorted, count, err);
    free(sorted);
    size_t kept = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct plan_entry *entry = &plan->entries.items[i];
        if (!entry->archived)
            continue;
        entry->archived = false;
        plan->entries.items[kept++] = *entry;
    }
    if (r == 0)
        plan->entries.count = kept;
    return r;
}
