/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The command line. An option that is given twice is refused: with two tokens or two proxies
 * nobody can say which one was meant.
 */
#include "upload/cli/options.h"

#include <getopt.h>
#include <strings.h>

#include "common/suggest.h"
#include "common/url_text.h"

#define OPTIONS_MAX    64 /* bits of `given` */
#define FIRST_VALUE    256
#define GIVE_UP_S      3600
#define WORK_GIVE_UP_S 300

static size_t make_list(struct option list[OPTIONS_MAX + 1], const char *names[OPTIONS_MAX + 1])
{
    size_t count = 0;
    for (const struct option_def *def = option_defs; def->name && count < OPTIONS_MAX; def++) {
        names[count] = def->name;
        list[count] = (struct option){.name = def->name,
                                      .has_arg = !def->argument         ? no_argument
                                                 : def->may_stand_alone ? optional_argument
                                                                        : required_argument,
                                      .val = FIRST_VALUE + (int)count};
        count++;
    }
    names[count] = NULL;
    list[count] = (struct option){.name = NULL};
    return count;
}

/* Why getopt stumbled over `word`. */
static int explain(const char *word, bool needs_argument, const char *const *names, struct err *err)
{
    char name[64];
    size_t length = strcspn(word, "=");
    if (strncmp(word, "--", 2) != 0)
        return err_set(err, ERR_USAGE,
                       "option '%.60s' is not known: all options begin with two dashes", word);
    if (needs_argument)
        return err_set(err, ERR_USAGE, "option '%.60s' needs a value", word);
    snprintf(name, sizeof name, "%.*s", length < sizeof name ? (int)length - 2 : 60, word + 2);
    const struct option_def *def = option_find(name);
    if (def)
        return err_set(err, ERR_USAGE, "option '--%s' takes no value", name);
    size_t like = 0;
    for (const char *const *n = names; *n; n++)
        like += strncmp(*n, name, strlen(name)) == 0;
    const char *near = suggest_nearest(name, names);
    if (like > 1)
        return err_set(err, ERR_USAGE, "option '--%s' can mean several: write it out", name);
    return near ? err_set(err, ERR_USAGE, "option '--%s' is not known; do you mean '--%s'?", name,
                          near)
                : err_set(err, ERR_USAGE, "option '--%s' is not known; see --help", name);
}

static int take(struct options *options, const struct option_def *def, const char *argument,
                struct err *err)
{
    char label[64];
    snprintf(label, sizeof label, "option '--%s'", def->name);
    if (option_given(options, def))
        return err_set(err, ERR_USAGE, "%s is given twice; once is enough", label);
    return option_set(options, def, label,
                      argument     ? argument
                      : def->words ? def->words[0]
                                   : "true",
                      err);
}

static int choose_action(struct options *options, struct err *err)
{
    if (options->help || options->version) {
        options->action = options->help ? ACTION_HELP : ACTION_VERSION;
        return 0;
    }
    int spool_actions = options->add + options->list + options->drop;
    if (spool_actions > 0 && !options->queue)
        return err_set(err, ERR_USAGE,
                       "'--add', '--list' and '--drop' are about a spool: add --queue DIR");
    if (spool_actions > 1)
        return err_set(err, ERR_USAGE,
                       "'--add', '--list' and '--drop' are different things: do one at a time");
    if (options->grant && options->queue)
        return err_set(err, ERR_USAGE, "'--grant' and '--queue' are two things: do one at a time");
    if (options->retry_denied && (!options->queue || spool_actions > 0))
        return err_set(err, ERR_USAGE, "'--retry-denied' is for working off a spool: --queue DIR");
    options->action = options->grant   ? ACTION_GRANT
                      : options->add   ? ACTION_ADD
                      : options->list  ? ACTION_LIST
                      : options->drop  ? ACTION_DROP
                      : options->queue ? ACTION_WORK
                                       : ACTION_UPLOAD;
    return 0;
}

static int take_operands(struct options *options, int count, char **operands, struct err *err)
{
    bool wants = options->action == ACTION_UPLOAD || options->action == ACTION_ADD;
    if (!wants && count > 0)
        return err_set(err, ERR_USAGE, "'%.60s' is too much: with %s there is no FILE and no URL%s",
                       operands[0], options->action == ACTION_GRANT ? "--grant" : "--queue",
                       options->action == ACTION_WORK ? " (to put one in, say --add)" : "");
    if (!wants)
        return 0;
    if (count == 0)
        return err_set(err, ERR_USAGE,
                       "FILE and URL are missing: xen-upload report.zip tus+https://HOST/PATH");
    if (count == 1)
        return err_set(err, ERR_USAGE,
                       strstr(operands[0], "://") ? "FILE is missing: it comes before the URL"
                                                  : "URL is missing: it comes behind FILE");
    if (count > 2)
        return err_set(err, ERR_USAGE, "'%.60s' is too much: one FILE goes to one URL",
                       operands[2]);
    if (strstr(operands[0], "://") && !strstr(operands[1], "://"))
        return err_set(err, ERR_USAGE, "FILE comes first, then URL: they are exchanged");
    options->file = operands[0];
    options->url = operands[1];
    return *options->file ? 0 : err_set(err, ERR_USAGE, "FILE is empty");
}

int options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
    struct option list[OPTIONS_MAX + 1];
    const char *names[OPTIONS_MAX + 1];
    struct options options = {.file = NULL};
    int r = 0;
    make_list(list, names);
    opterr = 0;
    optind = 0; /* start afresh, also in a second call */
    while (r == 0) {
        int word = optind > 0 ? optind : 1;
        int option = getopt_long(argc, argv, ":", list, NULL);
        if (option < 0)
            break;
        if (option == '?' || option == ':')
            r = explain(argv[optind > word ? optind - 1 : word], option == ':', names, err);
        else
            r = take(&options, &option_defs[option - FIRST_VALUE], optarg, err);
    }
    if (r == 0)
        r = choose_action(&options, err);
    if (r == 0 && options.action != ACTION_HELP && options.action != ACTION_VERSION)
        r = take_operands(&options, argc - optind, argv + optind, err);
    if (r == 0)
        *ret = options;
    return r;
}

static int need(bool wrong, struct err *err, const char *text)
{
    return wrong ? err_set(err, ERR_USAGE, "%s", text) : 0;
}

static int check_origin(const char *origin, struct err *err)
{
    struct url_text parts;
    const char *rest = origin ? origin + url_text_origin_length(origin) : "";
    if (!origin ||
        ((*rest == '\0' || strcmp(rest, "/") == 0) && url_text_check_signs(origin, NULL) == 0 &&
         url_text_split(origin, &parts) && url_text_check_authority(&parts, false, NULL) == 0))
        return 0;
    return err_set(err, ERR_USAGE,
                   "'--origin' needs a server and nothing more: https://HOST or https://HOST:PORT");
}

int options_check(const struct options *o, struct err *err)
{
    bool one = o->action == ACTION_UPLOAD;
    int secrets = !!o->token + !!o->credentials + !!o->credential;
    int r = need(secrets > 1, err,
                 "'--token', '--credentials' and '--credential' replace each other: give one");
    if (r == 0)
        r = need(o->net.proxy_credentials && !o->net.proxy, err,
                 "'--proxy-credentials' needs '--proxy'");
    if (r == 0)
        r = need(o->net.key && !o->net.cert, err, "'--key' needs '--cert'");
    if (r == 0)
        r = need((o->abandon || o->dry_run) && !one, err,
                 "'--abandon' and '--dry-run' are for xen-upload FILE URL");
    if (r == 0)
        r = need(o->abandon && o->dry_run, err, "'--abandon' does not go with '--dry-run'");
    if (r == 0)
        r = need(o->receipt && !one, err,
                 "'--receipt' is for xen-upload FILE URL; the jobs of a spool keep theirs");
    if (r == 0)
        r = need(o->format && o->action != ACTION_LIST, err, "'--format' is for '--list'");
    if (r == 0)
        r = need(!o->output != !o->grant, err, "'--grant' and '--output' need each other");
    if (r == 0)
        r = need((o->expires_s || o->product_key) && !o->grant, err,
                 "'--expires' and '--product-key' are for '--grant'");
    return r < 0 ? r : check_origin(o->origin, err);
}

/* The other jobs of a spool wait meanwhile, and the next run comes soon. */
int options_complete(struct options *options, struct err *err)
{
    if (!option_given(options, option_find("give-up-after")))
        options->give_up_s = options->action == ACTION_WORK ? WORK_GIVE_UP_S : GIVE_UP_S;
    return options_check(options, err);
}
