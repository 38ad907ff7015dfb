/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Switching changes nothing but marks; plan and selections shrink only when the answer is yes. The
 * files are planned already, so capabilities can be left out here and none can be added.
 */
#include "collector/cli/choose.h"

#include <string.h>

#include "collector/plan/columns.h"
#include "collector/plan/plan_totals.h"
#include "common/io.h"
#include "common/terminal.h"
#include "common/units.h"

#define MAX_ANSWER 1024
#define NARROW     60 /* below that only names and privacy have room */

struct choice {
    const struct capability *capability;
    struct plan_total total;
    bool on;
};

struct choices {
    struct choice *items;
    size_t count;
    const struct asking *asking;
    FILE *out; /* that of asking */
};

static int add_row(struct columns *table, const struct choices *choices, size_t i, bool marks,
                   bool wide, struct err *err)
{
    const struct choice *choice = &choices->items[i];
    char size[32];
    int digits = snprintf(NULL, 0, "%zu", choices->count); /* so that the boxes stand in a column */
    int r = columns_add(table, err, "%s%*zu", !marks ? "" : choice->on ? "[x] " : "[ ] ", digits,
                        i + 1);
    if (r == 0)
        r = columns_add(table, err, "%s", choice->capability->key);
    if (r == 0 && wide)
        r = columns_add(
            table, err, "%s",
            choice->total.bytes ? units_format_bytes(choice->total.bytes, size, sizeof size) : "-");
    if (r == 0 && wide)
        r = columns_add(table, err, "%zu", choice->total.commands);
    if (r == 0)
        r = columns_add(table, err, "%s", choice->capability->pii);
    if (r == 0 && wide)
        r = columns_add(table, err, "%s", choice->capability->description);
    return r;
}

static int show_table(const struct choices *choices, bool marks, struct err *err)
{
    unsigned width = terminal_columns(choices->out);
    bool wide = width >= NARROW;
    struct columns table = {.sides = wide ? "rlrrll" : "rll"};
    static const char *const titles[] = {"", "capability", "size", "cmds", "privacy", "what"};
    struct strbuf text = STRBUF_INIT;
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(titles); i++)
        if (wide || i < 2 || i == 4)
            r = columns_add(&table, err, "%s", titles[i]);
    for (size_t i = 0; r == 0 && i < choices->count; i++)
        r = add_row(&table, choices, i, marks, wide, err);
    columns_print(&table, width - 1, &text);
    fputs(text.data, choices->out);
    strbuf_release(&text);
    columns_release(&table);
    return r;
}

static void show_sum(const struct choices *choices)
{
    size_t on = 0, commands = 0, files = 0;
    int64_t bytes = 0;
    char size[32];
    for (size_t i = 0; i < choices->count; i++) {
        const struct choice *choice = &choices->items[i];
        on += choice->on;
        files += choice->on ? choice->total.files : 0;
        commands += choice->on ? choice->total.commands : 0;
        bytes += choice->on ? choice->total.bytes : 0;
    }
    fprintf(choices->out, "%zu of %zu capabilities: %zu files with %s, %zu commands.\n", on,
            choices->count, files, units_format_bytes(bytes, size, sizeof size), commands);
}

static void switch_range(struct choices *choices, int64_t from, int64_t to)
{
    for (int64_t i = from; i <= to; i++)
        choices->items[i - 1].on = !choices->items[i - 1].on;
}

/* "3", "3-7"; false if it is neither or out of range. */
static bool switch_numbers(struct choices *choices, const char *word)
{
    char first[32];
    int64_t from, to;
    size_t length = strcspn(word, "-");
    if (length >= sizeof first)
        return false;
    snprintf(first, sizeof first, "%.*s", (int)length, word);
    if (!units_integer(first, &from))
        return false;
    to = from;
    if (word[length] && !units_integer(word + length + 1, &to))
        return false;
    if (from < 1 || to < from || to > (int64_t)choices->count)
        return false;
    switch_range(choices, from, to);
    return true;
}

static bool switch_name(struct choices *choices, const char *word)
{
    for (size_t i = 0; i < choices->count; i++)
        if (strcmp(choices->items[i].capability->key, word) == 0) {
            choices->items[i].on = !choices->items[i].on;
            return true;
        }
    return false;
}

static void switch_word(struct choices *choices, const char *word)
{
    bool all = strcmp(word, "all") == 0;
    if (all || strcmp(word, "none") == 0) {
        for (size_t i = 0; i < choices->count; i++)
            choices->items[i].on = all;
        return;
    }
    if (switch_numbers(choices, word) || switch_name(choices, word))
        return;
    struct strbuf safe = STRBUF_INIT;
    terminal_clip(word, 40, &safe);
    fprintf(choices->out, "There is no '%s' in the list.\n", safe.data);
    strbuf_release(&safe);
}

static int edit(struct choices *choices, struct err *err)
{
    char answer[ANSWER_BYTES];
    for (;;) {
        int r = show_table(choices, true, err);
        if (r < 0)
            return r;
        fputs("Numbers or names to switch, like 3 5-9 yum; or all, or none.\n"
              "Empty when done: ",
              choices->out);
        r = answer_read(choices->asking, answer, err);
        if (r < 0)
            return r;
        char *save = NULL, *word = strtok_r(answer, " ,\t\n", &save);
        if (!word)
            return 0;
        for (; word; word = strtok_r(NULL, " ,\t\n", &save))
            switch_word(choices, word);
    }
}

static bool any_on(const struct choices *choices)
{
    for (size_t i = 0; i < choices->count; i++)
        if (choices->items[i].on)
            return true;
    return false;
}

static int ask(struct choices *choices, struct err *err)
{
    char answer[ANSWER_BYTES];
    int r = show_table(choices, false, err);
    fputs("Privacy tells whether personal data may be in it; passwords and keys are removed.\n"
          "Enter takes all, n gives up, e chooses (--questions=items asks for every file).\n",
          choices->out);
    while (r == 0) {
        show_sum(choices);
        fputs("Take these? [Y/n/e]: ", choices->out);
        r = answer_read(choices->asking, answer, err);
        if (r < 0)
            break;
        switch (answer[0]) {
        case '\n':
        case 'y':
        case 'Y':
            if (any_on(choices))
                return 0;
            fputs("Nothing is switched on.\n", choices->out);
            break;
        case 'n':
        case 'N':
            return err_set(err, ERR_CANCELLED, "Nothing was collected, and there is no archive.");
        case 'e':
        case 'E':
            r = edit(choices, err);
            break;
        default:
            fputs("y takes them, n gives up, e lets you choose.\n", choices->out);
            break;
        }
    }
    return r;
}

static bool is_on(const struct choices *choices, const struct capability *capability)
{
    for (size_t i = 0; i < choices->count; i++)
        if (choices->items[i].capability == capability)
            return choices->items[i].on;
    return true;
}

static void apply(const struct choices *choices, struct plan *plan, selection_list *selections)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->entries.count; i++)
        if (is_on(choices, plan->entries.items[i].capability))
            plan->entries.items[kept++] = plan->entries.items[i];
    plan->entries.count = kept;
    kept = 0;
    for (size_t i = 0; i < selections->count; i++)
        if (is_on(choices, selections->items[i].capability))
            selections->items[kept++] = selections->items[i];
    selections->count = kept;
}

int choose_capabilities(const struct asking *asking, struct plan *plan, selection_list *selections,
                        struct err *err)
{
    struct choices choices = {.count = selections->count, .asking = asking, .out = asking->out};
    CLEANUP_FREE struct choice *items = calloc(selections->count + 1, sizeof *items);
    if (!items)
        return err_nomem(err);
    choices.items = items;
    for (size_t i = 0; i < selections->count; i++) {
        const struct capability *capability = selections->items[i].capability;
        items[i] = (struct choice){capability, plan_total(plan, capability), true};
    }
    int r = ask(&choices, err);
    if (r == 0)
        apply(&choices, plan, selections);
    return r;
}
