/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A URL is only looked at as far as it must be before anybody is asked anything; xen-upload knows
 * the rest. What must never happen is that a password in it ends up in a file, on a screen or in a
 * log, so one with a password is refused and not shown.
 */
#include <getopt.h>
#include <string.h>

#include "common/units.h"
#include "common/url_text.h"
#include "healthcheck/enroll/enroll.h"
#include "healthcheck/enroll/enrollment.h"

#define MAX_INTERVAL 365 /* days */
#define MAX_WORDS    32

enum { URL_CREDENTIALS = 256, URL_TOKEN, INTERVAL, DAY, HOUR, YES };

static const struct option options[] = {
    {"credentials", required_argument, NULL, URL_CREDENTIALS},
    {"token", required_argument, NULL, URL_TOKEN},
    {"interval-days", required_argument, NULL, INTERVAL},
    {"day", required_argument, NULL, DAY},
    {"hour", required_argument, NULL, HOUR},
    {"yes", no_argument, NULL, YES},
    {NULL, 0, NULL, 0},
};

const char enroll_usage[] =
    "  --credentials FILE   user and password for the service, which gives a token (cis+https), "
    "or\n"
    "                       what xen-upload needs for other servers; lines like username=NAME\n"
    "  --token FILE         an upload token\n"
    "  --interval-days N    how often (pools: default 14)\n"
    "  --day N              0 (Sunday) to 6 (default by chance)\n"
    "  --hour N             0 to 23, this host's time (default by chance, at night)\n"
    "  --yes                ask nobody\n";

static int take_number(const char *name, const char *text, int least, int most, int *ret,
                       struct err *err)
{
    int64_t number;
    if (!units_integer(text, &number) || number < least || number > most)
        return err_set(err, ERR_USAGE, "--%s needs a number from %d to %d, not '%.40s'", name,
                       least, most, text);
    *ret = (int)number;
    return 0;
}

static int check_url(const char *url, struct err *err)
{
    struct url_text parts;
    int r = url_text_check_signs(url, err);
    if (r < 0)
        return r;
    if (!url_text_split(url, &parts))
        return err_set(err, ERR_USAGE,
                       "that is no URL: it needs a scheme, for example "
                       "cis+https://HOST/feeds/api/ or tus+https://HOST/PATH");
    return url_text_check_authority(&parts, true, err);
}

static int take_option(int found, struct enroll_request *request, struct err *err)
{
    switch (found) {
    case URL_CREDENTIALS:
        request->credentials = optarg;
        return 0;
    case URL_TOKEN:
        request->token = optarg;
        return 0;
    case INTERVAL:
        return take_number("interval-days", optarg, 1, MAX_INTERVAL, &request->interval_days, err);
    case DAY:
        return take_number("day", optarg, 0, 6, &request->weekday, err);
    case HOUR:
        return take_number("hour", optarg, 0, 23, &request->hour, err);
    case YES:
        request->yes = true;
        return 0;
    }
    return ERR_BUG;
}

/* What getopt wants: a name in front, NULL behind. */
static int read_words(int argc, char *argv[], struct enroll_request *request, struct err *err)
{
    int found, r = 0;
    optind = 0; /* starts anew, whoever parsed before */
    opterr = 0;
    while (r == 0 && (found = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (found == ':')
            return err_set(err, ERR_USAGE, "'%.60s' needs a value", argv[optind - 1]);
        if (found == '?')
            return err_set(err, ERR_USAGE, "'%.60s' is no option of enroll", argv[optind - 1]);
        r = take_option(found, request, err);
    }
    if (r < 0)
        return r;
    if (argc - optind != 1)
        return err_set(err, ERR_USAGE,
                       optind >= argc ? "enroll needs a URL: where shall reports go?"
                                      : "enroll takes one URL; there are more words");
    if (request->credentials && request->token)
        return err_set(err, ERR_USAGE, "--credentials or --token, not both");
    request->url = argv[optind];
    return check_url(request->url, err);
}

int enroll_parse(int count, char *const words[], struct enroll_request *ret, struct err *err)
{
    struct enroll_request request = {.interval_days = -1, .weekday = -1, .hour = -1};
    char name[] = "enroll", *argv[MAX_WORDS + 2] = {name};
    if (count > MAX_WORDS)
        return err_set(err, ERR_USAGE, "enroll takes one URL; there are more words");
    for (int i = 0; i < count; i++)
        argv[i + 1] = words[i];
    int r = read_words(count + 1, argv, &request, err);
    if (r == 0)
        *ret = request;
    return r;
}
