/* SPDX-License-Identifier: LGPL-2.1-only */
#include "common/units.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>

bool units_integer(const char *text, int64_t *ret)
{
    if (!isdigit((unsigned char)text[0]) && !(text[0] == '-' && isdigit((unsigned char)text[1])))
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end)
        return false;
    *ret = value;
    return true;
}

/* A number and, behind optional blanks, what follows it. */
static bool number_and_suffix(const char *text, double *ret, const char **ret_suffix)
{
    if (!isdigit((unsigned char)text[0]))
        return false;
    const char *p = text;
    double value = 0;
    while (isdigit((unsigned char)*p))
        value = value * 10 + (*p++ - '0');
    if (*p == '.') {
        double scale = 0.1;
        if (!isdigit((unsigned char)*++p))
            return false;
        for (; isdigit((unsigned char)*p); scale /= 10)
            value += (*p++ - '0') * scale;
    }
    while (*p == ' ')
        p++;
    *ret = value;
    *ret_suffix = p;
    return true;
}

bool units_bytes(const char *text, int64_t *ret)
{
    double value;
    const char *suffix;
    if (!number_and_suffix(text, &value, &suffix))
        return false;
    static const char letters[] = "KMGTP";
    const char *letter = *suffix ? strchr(letters, toupper((unsigned char)*suffix)) : NULL;
    if (letter) {
        value *= pow(1024, (double)(letter - letters + 1));
        suffix++;
        if (*suffix == 'i' || *suffix == 'I')
            suffix++;
    }
    if (*suffix == 'B' || *suffix == 'b')
        suffix++;
    if (*suffix || value > 9e18)
        return false;
    *ret = (int64_t)value;
    return true;
}

static bool duration(const char *text, double *ret)
{
    const char *suffix;
    if (!number_and_suffix(text, ret, &suffix))
        return false;
    static const struct {
        char letter;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    for (unsigned i = 0; *suffix && i < sizeof units / sizeof *units; i++)
        if (*suffix == units[i].letter) {
            *ret *= units[i].seconds;
            suffix++;
            break;
        }
    return !*suffix && *ret <= 9e15;
}

bool units_seconds(const char *text, int64_t *ret)
{
    double value;
    if (!duration(text, &value))
        return false;
    *ret = (int64_t)value;
    return true;
}

bool units_milliseconds(const char *text, int64_t *ret)
{
    double value;
    const char *suffix;
    if (number_and_suffix(text, &value, &suffix) && strcmp(suffix, "ms") == 0 && value <= 9e15)
        *ret = (int64_t)value;
    else if (duration(text, &value) && value <= 9e12)
        *ret = (int64_t)(value * 1000 + 0.5);
    else
        return false;
    return true;
}

const char *units_format_seconds(int64_t seconds, char *buffer, unsigned long size)
{
    static const struct {
        int64_t seconds;
        char name;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    unsigned unit = 0;
    while (seconds % units[unit].seconds != 0 || (seconds == 0 && unit < 3))
        unit++;
    snprintf(buffer, size, "%lld%c", (long long)(seconds / units[unit].seconds), units[unit].name);
    return buffer;
}

const char *units_format_bytes(int64_t bytes, char *buffer, unsigned long size)
{
    static const char *const names[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    unsigned unit = 0;
    while (value >= 1024 && unit < 5) {
        value /= 1024;
        unit++;
    }
    snprintf(buffer, size, unit ? "%.1f %s" : "%.0f %s", value, names[unit]);
    return buffer;
}
