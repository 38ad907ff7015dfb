/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/compiler.h"

#define PARSE(options, usage, err, ...)                                                            \
    ({                                                                                             \
        const char *argv_[] = {"xen-bugtool", __VA_ARGS__, NULL};                                  \
        options_parse(ARRAY_SIZE(argv_) - 1, (char **)argv_, options, usage, err);                 \
    })

static void refuses(const char *argument, const char *text, bool with_usage)
{
    struct options options;
    struct err err = ERR_INIT;
    bool usage;
    assert_int_equal(PARSE(&options, &usage, &err, argument), ERR_USAGE);
    assert_string_equal(err.text, text);
    assert_int_equal(usage, with_usage);
}

static void errors_have_the_texts_that_scripts_know(void **state)
{
    (void)state;
    refuses("--xyz", "option --xyz not recognized", true);
    refuses("-q", "option -q not recognized", true);
    refuses("-sq", "option -q not recognized", true);
    refuses("--output", "option --output requires argument", true);
    refuses("--silent=1", "option --silent must not have an argument", true);
    refuses("--out=tar", "option --out not a unique prefix", true);
    refuses("--output=rar", "Invalid output format 'rar'", false);
    refuses("extra", "Invalid additional arguments: ['xen-bugtool', 'extra']", false);
    refuses("--outfd=1", "Option '--outfd' only valid with '--output=tar'", false);
    refuses("--jobs=0", "Option '--jobs' needs a number from 1 to 64, not '0'", false);
    refuses("--time-limit=soon",
            "Option '--time-limit' needs a time such as 90, 10m or 1h, not 'soon'", false);
}

static void defaults_are_the_originals(void **state)
{
    (void)state;
    struct options options;
    bool usage;
    const char *argv[] = {"xen-bugtool", NULL};
    assert_int_equal(options_parse(1, (char **)argv, &options, &usage, NULL), 0);
    assert_string_equal(options.format->name, "tar.bz2");
    assert_string_equal(options.outdir, "/var/opt/xen/bug-report");
    assert_string_equal(options.root, "/");
    assert_int_equal(options.outfd, -1);
    assert_null(options.entries);
}

static void options_may_be_abbreviated_and_stand_in_any_form(void **state)
{
    (void)state;
    struct options options;
    bool usage;
    assert_int_equal(
        PARSE(&options, &usage, NULL, "-sy", "--outp", "tar", "--outfd=3", "--entr=a,b:2"), 0);
    assert_true(options.silent && options.yes_to_all);
    assert_string_equal(options.format->name, "tar");
    assert_int_equal(options.outfd, 3);
    assert_string_equal(options.entries, "a,b:2");
}

static void abbreviations_of_the_original_stay_unique(void **state)
{
    (void)state;
    struct options options;
    bool usage;
    assert_int_equal(PARSE(&options, &usage, NULL, "--e=x", "--a", "--d", "--s", "--u", "--y"), 0);
    assert_true(options.all && options.debug && options.silent && options.unlimited);
    assert_int_equal(PARSE(&options, &usage, NULL, "--e", "x"), 0);
    assert_string_equal(options.entries, "x");
    assert_int_equal(PARSE(&options, &usage, NULL, "--c"), 0);
    assert_int_equal(options.action, ACTION_CAPABILITIES);
    assert_int_equal(PARSE(&options, &usage, NULL, "--ca"), 0);
    assert_int_equal(options.action, ACTION_CAPABILITIES);
}

static void questions_are_of_two_kinds(void **state)
{
    (void)state;
    struct options options;
    bool usage;
    assert_int_equal(PARSE(&options, &usage, NULL, "-s"), 0);
    assert_int_equal(options.questions, QUESTIONS_AUTO);
    assert_int_equal(PARSE(&options, &usage, NULL, "--questions=items", "--no-progress"), 0);
    assert_int_equal(options.questions, QUESTIONS_ITEMS);
    assert_int_equal(options.progress, PROGRESS_OFF);
    refuses("--questions=none", "Option '--questions' needs 'capabilities' or 'items', not 'none'",
            false);
}

static void the_last_of_all_and_entries_wins_and_empty_entries_mean_nothing(void **state)
{
    (void)state;
    struct options options;
    bool usage;
    assert_int_equal(PARSE(&options, &usage, NULL, "-a", "--entries=x"), 0);
    assert_false(options.all);
    assert_string_equal(options.entries, "x");
    assert_int_equal(PARSE(&options, &usage, NULL, "--entries=x", "-a"), 0);
    assert_true(options.all);
    assert_null(options.entries);
    assert_int_equal(PARSE(&options, &usage, NULL, "-a", "--entries="), 0);
    assert_true(options.all);
}

static void help_comes_before_later_mistakes_and_after_earlier_ones(void **state)
{
    (void)state;
    struct options options;
    bool usage;
    assert_int_equal(PARSE(&options, &usage, NULL, "--help", "--output=rar"), 0);
    assert_int_equal(options.action, ACTION_HELP);
    assert_int_equal(PARSE(&options, &usage, NULL, "--output=rar", "--capabilities"), ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_the_texts_that_scripts_know),
        cmocka_unit_test(defaults_are_the_originals),
        cmocka_unit_test(options_may_be_abbreviated_and_stand_in_any_form),
        cmocka_unit_test(abbreviations_of_the_original_stay_unique),
        cmocka_unit_test(questions_are_of_two_kinds),
        cmocka_unit_test(the_last_of_all_and_entries_wins_and_empty_entries_mean_nothing),
        cmocka_unit_test(help_comes_before_later_mistakes_and_after_earlier_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
