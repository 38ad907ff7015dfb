/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Numbers as programs print them, in any locale. A dot or comma in front of exactly three digits
 * parts thousands in an integer; in a real number and in a size it is always the decimal mark,
 * which is what LVM and df print in French.
 */
#include "analyzer/tables/convert.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "common/units.h"

static bool digit(const char *p, const char *end)
{
    return p < end && isdigit((unsigned char)*p);
}

static bool thousands(const char *p, const char *end)
{
    return end - p >= 4 && (*p == ',' || *p == '.') && digit(p + 1, end) && digit(p + 2, end) &&
           digit(p + 3, end) && !digit(p + 4, end);
}

/* What goes into the digits of a number, NUL-terminated; false when it is too long for one. */
struct digits {
    char text[CONVERT_NUMBER_MAX];
    size_t length;
};

static bool put(struct digits *digits, char c)
{
    if (digits->length + 1 >= sizeof digits->text)
        return false;
    digits->text[digits->length++] = c;
    digits->text[digits->length] = '\0';
    return true;
}

static bool take_sign(const char **p, const char *end)
{
    if (*p < end && (**p == '-' || **p == '+'))
        return *(*p)++ == '-';
    return false;
}

static bool integer(const char *p, const char *end, bool minus, char *buffer)
{
    struct digits digits = {0};
    bool negative = take_sign(&p, end) != minus;
    int base = 10;
    if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        base = 16;
        for (p += 2; p < end && isxdigit((unsigned char)*p); p++)
            if (!put(&digits, *p))
                return false;
    } else {
        for (; digit(p, end) || (digits.length > 0 && thousands(p, end)); p++)
            if (isdigit((unsigned char)*p) && !put(&digits, *p))
                return false;
    }
    if (digits.length == 0)
        return false;
    errno = 0;
    unsigned long long value = strtoull(digits.text, NULL, base);
    if (errno || value > INT64_MAX)
        value = INT64_MAX;
    snprintf(buffer, CONVERT_NUMBER_MAX, "%s%llu", negative && value ? "-" : "", value);
    return true;
}

/* Digits with at most one decimal mark, which becomes a dot. Leaves *p behind them. */
static bool decimal(const char **p, const char *end, struct digits *digits)
{
    if (!digit(*p, end))
        return false;
    bool mark = false;
    for (; *p < end; (*p)++) {
        char c = **p;
        bool is_mark = !mark && (c == '.' || c == ',') && digit(*p + 1, end);
        if (!is_mark && !isdigit((unsigned char)c))
            break;
        if (!put(digits, is_mark ? '.' : c))
            return false;
        mark = mark || is_mark;
    }
    return true;
}

static bool real(const char *p, const char *end, bool minus, char *buffer)
{
    struct digits digits = {0};
    bool negative = take_sign(&p, end) != minus;
    if (!decimal(&p, end, &digits))
        return false;
    const char *e = p;
    if (e < end && (*e == 'e' || *e == 'E')) {
        e++;
        bool below = take_sign(&e, end);
        if (digit(e, end)) {
            if (!put(&digits, 'e') || (below && !put(&digits, '-')))
                return false;
            for (; digit(e, end); e++)
                if (!put(&digits, *e))
                    return false;
        }
    }
    int written = snprintf(buffer, CONVERT_NUMBER_MAX, "%s%s", negative ? "-" : "", digits.text);
    return written < CONVERT_NUMBER_MAX;
}

static bool bytes(const char *p, const char *end, char *buffer)
{
    struct digits digits = {0};
    if (p < end && *p == '<') /* LVM: rounded up */
        p++;
    if (!decimal(&p, end, &digits))
        return false;
    while (p < end && *p == ' ')
        p++;
    for (; p < end && isalpha((unsigned char)*p); p++)
        if (!put(&digits, *p))
            return false;
    int64_t value;
    if (!units_bytes(digits.text, &value))
        return false;
    snprintf(buffer, CONVERT_NUMBER_MAX, "%" PRId64, value);
    return true;
}

void convert_value(enum column_type type, const char *text, size_t length, bool minus,
                   char buffer[CONVERT_NUMBER_MAX], struct cell *ret)
{
    const char *end = text + length;
    while (text < end && isspace((unsigned char)*text))
        text++;
    while (end > text && isspace((unsigned char)end[-1]))
        end--;

    bool number = false;
    switch (type) {
    case COLUMN_TEXT:
    case COLUMN_VERSION:
        *ret = (struct cell){.text = text, .length = (size_t)(end - text)};
        return;
    case COLUMN_INTEGER:
        number = integer(text, end, minus, buffer);
        break;
    case COLUMN_REAL:
        number = real(text, end, minus, buffer);
        break;
    case COLUMN_BYTES:
        number = bytes(text, end, buffer);
        break;
    }
    *ret = (struct cell){0};
    if (number)
        *ret = (struct cell){.text = buffer, .length = strlen(buffer)};
}
