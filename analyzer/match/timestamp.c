/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Formats are tried in their order until one fits; the one that fitted last is tried first, so that
 * a log of one format costs one comparison a line. Only lines that some pattern has hit are ever
 * read for their time.
 */
#include "analyzer/match/timestamp.h"

#include <ctype.h>

#include "common/arena.h"
#include "common/doc_packed.h"
#include "common/vec.h"

/* Room for the formats and their tests: some 20 KB today. */
#define FORMATS_MEMORY (4 * 1024 * 1024)

struct log_format {
    const char *name, *template;
    bool utc;
    const struct doc_node *tests;
};

struct log_formats {
    struct arena *arena;
    VEC(struct log_format) formats;
};

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Exactly `width` digits, or (width 0) one or two of them. Returns the number of characters, 0 for
 * none. */
static size_t read_number(const char *p, const char *end, int width, int *ret)
{
    size_t n = 0, most = width ? (size_t)width : 2;
    int value = 0;
    while (n < most && p + n < end && isdigit((unsigned char)p[n]))
        value = value * 10 + (p[n++] - '0');
    if (n == 0 || (width && n != most))
        return 0;
    *ret = value;
    return n;
}

static size_t read_month_name(const char *p, const char *end, struct stamp *stamp)
{
    if (end - p < 3)
        return 0;
    for (int month = 0; month < 12; month++)
        if (memcmp(p, month_names + month * 3, 3) == 0) {
            stamp->month = (signed char)(month + 1);
            return 3;
        }
    return 0;
}

/* The day, padded with a blank or a zero or not at all. */
static size_t read_day(const char *p, const char *end, struct stamp *stamp)
{
    size_t blank = p < end && *p == ' ';
    int day;
    size_t n = read_number(p + blank, end, 0, &day);
    stamp->day = n ? (signed char)day : 0;
    return n ? n + blank : 0;
}

/* "Z", "+01:00", "-0530". The wall clock is what counts; only UTC is remembered. */
static size_t read_offset(const char *p, const char *end, struct stamp *stamp)
{
    if (p < end && *p == 'Z') {
        stamp->utc = true;
        return 1;
    }
    int ignored;
    if (p == end || (*p != '+' && *p != '-') || !read_number(p + 1, end, 2, &ignored))
        return 0;
    size_t colon = p + 3 < end && p[3] == ':';
    return read_number(p + 3 + colon, end, 2, &ignored) ? 5 + colon : 0;
}

/*
 * One conversion at p. Returns false when it does not fit, else the characters it took (a fraction
 * may take none).
 */
static bool read_conversion(char conversion, const char *p, const char *end, struct stamp *stamp,
                            size_t *ret_taken)
{
    int number = 0;
    size_t n = 0;
    switch (conversion) {
    case 'Y':
        n = read_number(p, end, 4, &number);
        stamp->year = (short)number;
        break;
    case 'm':
        n = read_number(p, end, 2, &number);
        stamp->month = (signed char)number;
        break;
    case 'b':
        n = read_month_name(p, end, stamp);
        break;
    case 'd':
    case 'e':
        n = read_day(p, end, stamp);
        break;
    case 'H':
        n = read_number(p, end, 2, &number);
        stamp->hour = (signed char)number;
        break;
    case 'M':
        n = read_number(p, end, 2, &number);
        stamp->minute = (signed char)number;
        break;
    case 'S':
        n = read_number(p, end, 2, &number);
        stamp->second = (signed char)number;
        break;
    case 'f':
        if (p < end && (*p == '.' || *p == ','))
            for (n = 1; p + n < end && isdigit((unsigned char)p[n]);)
                n++;
        *ret_taken = n;
        return true;
    case 'Z':
        while (p + n < end && isalpha((unsigned char)p[n]))
            n++;
        break;
    case 'z':
        n = read_offset(p, end, stamp);
        break;
    }
    *ret_taken = n;
    return n > 0;
}

static bool is_plausible(const struct stamp *s)
{
    return s->month >= 1 && s->month <= 12 && s->day >= 1 && s->day <= 31 && s->hour <= 23 &&
           s->minute <= 59 && s->second <= 60 && (s->year == 0 || s->year >= 1970);
}

static bool format_fits(const struct log_format *format, const char *line, size_t length,
                        struct stamp *ret)
{
    struct stamp stamp = {.utc = format->utc};
    const char *p = line, *end = line + length;
    for (const char *t = format->template; *t; t++) {
        size_t taken = 1;
        if (*t == '%') {
            if (!read_conversion(*++t, p, end, &stamp, &taken))
                return false;
        } else if (p == end || *p != *t) {
            return false;
        }
        p += taken;
    }
    if (!is_plausible(&stamp))
        return false;
    stamp.known = true;
    *ret = stamp;
    return true;
}

bool stamp_read(const struct log_formats *formats, const char *line, size_t length, unsigned *hint,
                struct stamp *ret)
{
    size_t count = length > 0 ? formats->formats.count : 0; /* an empty line has no stamp */
    for (size_t i = 0; i < count; i++) {
        size_t index = (*hint + i) % count;
        if (format_fits(&formats->formats.items[index], line, length, ret)) {
            *hint = (unsigned)index;
            return true;
        }
    }
    *ret = (struct stamp){0};
    return false;
}

int64_t stamp_time(const struct stamp *stamp, int64_t taken)
{
    if (!stamp->known)
        return INT64_MIN;
    struct tm tm = {
        .tm_year = stamp->year - 1900,
        .tm_mon = stamp->month - 1,
        .tm_mday = stamp->day,
        .tm_hour = stamp->hour,
        .tm_min = stamp->minute,
        .tm_sec = stamp->second,
    };
    if (stamp->year)
        return timegm(&tm);
    struct tm now;
    time_t clock = (time_t)taken;
    if (!gmtime_r(&clock, &now))
        return INT64_MIN;
    /* timegm() normalises its argument, so each try starts from the stamp again. */
    for (int year = now.tm_year + 1; year >= now.tm_year - 4; year--) {
        struct tm try = tm;
        try.tm_year = year;
        int64_t time = timegm(&try);
        if (time <= taken + 86400 && try.tm_mday == stamp->day)
            return time;
    }
    return INT64_MIN;
}

int64_t stamp_time_on(const struct stamp *stamp, const struct host_clock *clock)
{
    int64_t time = stamp_time(stamp, clock->taken);
    return stamp->utc && time != INT64_MIN ? time + clock->utc_offset : time;
}

static bool template_is_valid(const char *template)
{
    for (const char *t = template; *t; t++)
        if (*t == '%' && (!t[1] || !strchr("YmbdeHMSfZz", *++t)))
            return false;
    return true;
}

static int load_format(struct log_formats *formats, const struct doc_node *root, struct err *err)
{
    static const char *const keys[] = {"format", "description", "stamp", "zone", "tests", NULL};
    static const char *const zones[] = {"local", "utc", NULL};
    int r = doc_check_keys(root, keys, err);
    if (r < 0)
        return r;
    const struct doc_node *name = doc_get(root, "format");
    const struct doc_node *stamp = doc_get(root, "stamp");
    const struct doc_node *zone = doc_get(root, "zone");
    if (!name || !stamp)
        return doc_fail(root, err, "a log format needs the keys 'format' and 'stamp'");
    struct log_format *format = vec_push(&formats->formats);
    if (!format)
        return err_nomem(err);
    if ((r = doc_string(name, &format->name, err)) < 0 ||
        (r = doc_string(stamp, &format->template, err)) < 0)
        return r;
    if (!template_is_valid(format->template))
        return doc_fail(stamp, err,
                        "unknown conversion; known: %%Y %%m %%b %%d %%e %%H %%M %%S %%f %%Z %%z");
    int chosen = 0;
    if (zone && (r = doc_choice(zone, zones, &chosen, err)) < 0)
        return r;
    format->utc = chosen == 1;
    format->tests = doc_get(root, "tests");
    return 0;
}

/* Longer templates first: "Mon dd time" also fits where "Mon dd time ZONE year" would say more. */
static int by_length(const void *a, const void *b)
{
    size_t left = strlen(((const struct log_format *)a)->template);
    size_t right = strlen(((const struct log_format *)b)->template);
    return left > right ? -1 : left < right;
}

int log_formats_load(const struct embedded_file *files, struct log_formats **ret, struct err *err)
{
    struct log_formats *formats = calloc(1, sizeof *formats);
    if (!formats || !(formats->arena = arena_new(FORMATS_MEMORY))) {
        log_formats_free(formats);
        return err_nomem(err);
    }
    for (; files->name; files++) {
        const struct doc_node *root;
        int r = doc_parse_embedded(formats->arena, files->name, files, &root, err);
        if (r == 0)
            r = load_format(formats, root, err);
        if (r < 0) {
            log_formats_free(formats);
            return r;
        }
    }
    qsort(formats->formats.items, formats->formats.count, sizeof *formats->formats.items,
          by_length);
    *ret = formats;
    return 0;
}

void *log_formats_free(struct log_formats *formats)
{
    if (formats) {
        vec_free(&formats->formats);
        arena_free(formats->arena);
        free(formats);
    }
    return NULL;
}

void log_formats_test(const struct log_formats *formats,
                      void (*outcome)(void *context, const char *format, const char *line,
                                      const char *failure),
                      void *context)
{
    for (size_t i = 0; i < formats->formats.count; i++) {
        const struct log_format *format = &formats->formats.items[i];
        if (!format->tests || format->tests->count == 0)
            outcome(context, format->name, "", "it has no test: a line and its time");
        for (size_t t = 0; format->tests && t < format->tests->count; t++) {
            const struct doc_node *line = doc_get(format->tests->items[t], "line");
            const struct doc_node *time = doc_get(format->tests->items[t], "time");
            unsigned hint = 0;
            struct stamp s;
            char got[64] = "no time", failure[160];
            if (line && stamp_read(formats, line->text, line->length, &hint, &s)) {
                char year[8] = "";
                if (s.year)
                    snprintf(year, sizeof year, "%04d-", s.year);
                snprintf(got, sizeof got, "%s%02d-%02d %02d:%02d:%02d%s", year, s.month, s.day,
                         s.hour, s.minute, s.second, s.utc ? " utc" : "");
            }
            bool passed = time && strcmp(got, time->text) == 0;
            if (!passed)
                snprintf(failure, sizeof failure, "expected '%s', got '%s'", time ? time->text : "",
                         got);
            outcome(context, format->name, line ? line->text : "", passed ? NULL : failure);
        }
    }
}
