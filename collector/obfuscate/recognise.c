/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Everything is decided by the surroundings of a place, RECOGNISE_BEFORE and _BEHIND bytes at the
 * most, so that a stream can be cut anywhere.
 */
#include "collector/obfuscate/recognise.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#define MAX_IPV6_TEXT 45

static const uint8_t hex_table[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

/* A text with ends: what is outside is a NUL. */
struct view {
    const char *text;
    size_t length, at;
};

static unsigned char peek(const struct view *v, size_t ahead)
{
    return v->at + ahead < v->length ? (unsigned char)v->text[v->at + ahead] : 0;
}

static unsigned char before(const struct view *v, size_t back)
{
    return v->at >= back ? (unsigned char)v->text[v->at - back] : 0;
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(unsigned char c)
{
    return hex_table[c] != 0;
}

static bool is_letter(unsigned char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_alnum(unsigned char c)
{
    return is_digit(c) || is_letter(c);
}

static bool ends_word(const struct view *v, size_t end, const char *word)
{
    size_t length = strlen(word);
    return end >= length && strncasecmp(v->text + end - length, word, length) == 0;
}

/* Whether a word in front says that the number is a version. */
static bool behind_version_word(const struct view *v)
{
    static const char *const words[] = {"version", "firmware", "revision", "ver",
                                        "rev",     "bios",     "pkg",      "fw"};
    size_t end = v->at, limit = v->at > 8 ? v->at - 8 : 0;
    while (end > limit && memchr(" \t:=\"'(>%._-", v->text[end - 1], 12))
        end--;
    if (end == v->at)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        size_t begin = end - strlen(words[i]);
        if (ends_word(v, end, words[i]) &&
            (begin == 0 || !is_letter((unsigned char)v->text[begin - 1])))
            return true; /* a whole word: a server is no version */
    }
    return false;
}

static bool is_package_end(const struct view *v, size_t end)
{
    static const char *const ends[] = {".el",    ".x86_64", ".noarch", ".i686", ".rpm",
                                       ".xcpng", ".xs",     ".centos", ".deb",  ".fc"};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        size_t n = strlen(ends[i]);
        if (v->at + end + n <= v->length && memcmp(v->text + v->at + end, ends[i], n) == 0)
            return true;
    }
    return false;
}

/* foo-1.2.3.4-5.el7, foo-1.2.3.4.rpm */
static bool is_package_version(const struct view *v, size_t end)
{
    bool named = (before(v, 1) == '-' || before(v, 1) == '_') && is_alnum(before(v, 2));
    if (is_package_end(v, end))
        return true;
    if (!named || peek(v, end) != '-')
        return false;
    size_t i = end + 1;
    while (is_digit(peek(v, i)) && i < end + 6)
        i++;
    /* "-5" and not "-10.0.0.5", which is a range of addresses */
    return i > end + 1 &&
           !(peek(v, i) == '.' && is_digit(peek(v, i + 1)) && is_digit(before(v, 2)));
}

/* The number at `i`: its end, or 0. */
static size_t octet(const struct view *v, size_t i, uint8_t *ret)
{
    unsigned value = 0;
    size_t n = 0;
    for (; n < 4 && is_digit(peek(v, i + n)); n++)
        value = value * 10 + (peek(v, i + n) - '0');
    if (n == 0 || n > 3 || value > 255 || (n > 1 && peek(v, i) == '0'))
        return 0;
    *ret = (uint8_t)value;
    return i + n;
}

static size_t four_octets(const struct view *v, char separator, uint8_t *ip)
{
    size_t i = octet(v, 0, &ip[0]);
    for (int k = 1; i && k < 4; k++)
        i = peek(v, i) == (unsigned char)separator ? octet(v, i + 1, &ip[k]) : 0;
    return i;
}

static bool dotted(const struct view *v, bool versions_only, struct found_address *found)
{
    uint8_t *ip = found->address.bytes;
    size_t end = four_octets(v, '.', ip);
    if (!end || versions_only || is_alnum(peek(v, end)))
        return false;
    if (before(v, 1) == '.' && is_digit(before(v, 2)))
        return false;
    found->address.kind = ADDRESS_IPV4;
    if (peek(v, end) == '.' && is_digit(peek(v, end + 1))) {
        size_t i = end + 1;
        while (is_digit(peek(v, i)) && i < end + 6)
            i++;
        bool more = peek(v, i) == '.' && is_digit(peek(v, i + 1));
        if (more || !address_is_private_ipv4(&found->address))
            return false;
    }
    if (behind_version_word(v) || is_package_version(v, end))
        return false;
    found->length = end;
    found->separator = '.';
    return true;
}

/* dhcp-192-168-0-66: as names are made for addresses. */
static bool dashed(const struct view *v, struct found_address *found)
{
    if (before(v, 1) != '-' || !is_alnum(before(v, 2)))
        return false;
    size_t back = 2;
    while (back < 20 && is_alnum(before(v, back + 1)))
        back++;
    if (!is_letter(before(v, back)))
        return false;
    size_t end = four_octets(v, '-', found->address.bytes);
    if (!end || is_alnum(peek(v, end)) || (peek(v, end) == '-' && is_digit(peek(v, end + 1))))
        return false;
    found->address.kind = ADDRESS_IPV4;
    found->length = end;
    found->separator = '-';
    return true;
}

/* `groups` of `digits` hexadecimal digits each; returns the end, or 0. */
static size_t hex_groups(const struct view *v, char separator, size_t groups, size_t digits,
                         struct found_address *found, bool *ret_letters)
{
    size_t i = 0, n = 0;
    *ret_letters = found->upper = false;
    for (size_t g = 0; g < groups; g++) {
        if (g > 0 && peek(v, i++) != (unsigned char)separator)
            return 0;
        for (size_t d = 0; d < digits; d++, i++, n++) {
            unsigned char c = peek(v, i);
            if (!is_hex(c))
                return 0;
            *ret_letters = *ret_letters || !is_digit(c);
            found->upper = found->upper || (c >= 'A' && c <= 'F');
            uint8_t value = (uint8_t)(hex_table[c] - 1);
            uint8_t *byte = &found->address.bytes[n / 2];
            *byte = n % 2 ? (uint8_t)(*byte << 4 | value) : value;
        }
    }
    return i;
}

static bool mac(const struct view *v, char separator, size_t groups, size_t digits,
                struct found_address *found)
{
    bool letters;
    size_t end = hex_groups(v, separator, groups, digits, found, &letters);
    if (!end || is_alnum(peek(v, end)) || (separator != ':' && !letters))
        return false;
    /* Part of a longer row of the same kind? */
    if (peek(v, end) == (unsigned char)separator && is_hex(peek(v, end + 1)) &&
        is_hex(peek(v, end + 2)) && !is_alnum(peek(v, end + 3)))
        return false;
    if (before(v, 1) == (unsigned char)separator && is_hex(before(v, 2)) && is_hex(before(v, 3)) &&
        !is_alnum(before(v, 4)))
        return false;
    found->address.kind = ADDRESS_MAC;
    found->length = end;
    found->separator = separator;
    return true;
}

static bool ipv6(const struct view *v, struct found_address *found)
{
    char text[MAX_IPV6_TEXT + 1];
    size_t n = 0, colons = 0;
    bool gap = false, upper = false;
    while (n < MAX_IPV6_TEXT && (is_hex(peek(v, n)) || peek(v, n) == ':')) {
        unsigned char c = peek(v, n);
        colons += c == ':';
        gap = gap || (c == ':' && n > 0 && text[n - 1] == ':');
        upper = upper || (c >= 'A' && c <= 'F');
        text[n++] = (char)c;
    }
    if (colons < 2 || (!gap && colons < 6))
        return false;
    if (peek(v, n) == '.') /* an IPv4 tail */
        while (n < MAX_IPV6_TEXT && (is_digit(peek(v, n)) || peek(v, n) == '.'))
            text[n] = (char)peek(v, n), n++;
    while (n > 1 && (text[n - 1] == '.' || (text[n - 1] == ':' && text[n - 2] != ':')))
        n--;
    text[n] = '\0';
    if (is_alnum(peek(v, n)) || inet_pton(AF_INET6, text, found->address.bytes) != 1 ||
        !address_is_plausible_ipv6(found->address.bytes))
        return false;
    found->address.kind = ADDRESS_IPV6;
    found->length = n;
    found->separator = ':';
    found->upper = upper;
    return true;
}

bool recognise_address(const char *text, size_t length, size_t at, bool versions_only,
                       struct found_address *ret)
{
    const struct view v = {text, length, at};
    size_t n = 0;
    while (n < 5 && is_hex(peek(&v, n)))
        n++;
    unsigned char next = peek(&v, n);
    if (n == 0 || n > 4 || (next != '.' && next != ':' && next != '-'))
        return false;
    *ret = (struct found_address){.length = 0};
    if (next == '.')
        return (n < 4 && dotted(&v, versions_only, ret)) || (n == 4 && mac(&v, '.', 3, 4, ret));
    if (next == '-')
        return (n == 2 && mac(&v, '-', 6, 2, ret)) || (n < 4 && dashed(&v, ret));
    return (n == 2 && mac(&v, ':', 6, 2, ret)) || ipv6(&v, ret);
}

size_t recognise_format(const struct found_address *form, const struct address *address,
                        char *buffer, size_t size)
{
    size_t length = address_format(address, buffer, size), out = 0;
    if (address->kind == ADDRESS_MAC && form->separator == '.') {
        for (size_t i = 0; i < length; i++)
            if (buffer[i] != ':') {
                if (out == 4 || out == 9)
                    buffer[out++] = '.'; /* two bytes a group: `out` never overtakes `i` */
                buffer[out++] = buffer[i];
            }
        buffer[length = out] = '\0';
    }
    for (size_t i = 0; i < length; i++) {
        bool replaced = (address->kind == ADDRESS_MAC && buffer[i] == ':') ||
                        (address->kind == ADDRESS_IPV4 && buffer[i] == '.');
        if (replaced && form->separator != '.')
            buffer[i] = form->separator;
        else if (form->upper)
            buffer[i] = (char)toupper((unsigned char)buffer[i]);
    }
    return length;
}
