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

/* Whether `text` follows at `i`, in any case. */
static bool follows(const struct view *v, size_t i, const char *text)
{
    size_t n = strlen(text);
    return v->at + i + n <= v->length && strncasecmp(v->text + v->at + i, text, n) == 0;
}

/* 4.2.0.192.in-addr.arpa is 192.0.2.4, and 2.0.192.in-addr.arpa its network. */
static bool reverse_ipv4(const struct view *v, struct found_address *found)
{
    uint8_t octets[4], *ip = found->address.bytes;
    size_t i = 0, end = 0;
    unsigned count = 0;
    for (; count < 4; count++) {
        i = octet(v, i, &octets[count]);
        if (!i)
            break;
        end = i;
        if (peek(v, i++) != '.')
            return false;
        if (follows(v, end, ".in-addr.arpa")) {
            count++;
            break;
        }
    }
    if (count < 3 || !end || !follows(v, end, ".in-addr.arpa"))
        return false;
    if (before(v, 1) == '.' && is_digit(before(v, 2)))
        return false;
    for (unsigned k = 0; k < count; k++)
        ip[k] = octets[count - 1 - k];
    found->address.kind = ADDRESS_IPV4;
    found->length = end;
    found->separator = '.';
    found->reversed = count;
    return true;
}

/* 32 digits with dots between, the last one first. */
static bool reverse_ipv6(const struct view *v, struct found_address *found)
{
    uint8_t *ip = found->address.bytes;
    for (size_t i = 0; i < 32; i++) {
        unsigned char c = peek(v, 2 * i);
        if (!is_hex(c) || peek(v, 2 * i + 1) != '.')
            return false;
        uint8_t value = (uint8_t)(hex_table[c] - 1);
        ip[15 - i / 2] = (uint8_t)(ip[15 - i / 2] | (i % 2 ? value << 4 : value));
    }
    found->address.kind = ADDRESS_IPV6;
    found->length = 63;
    found->reversed = 32;
    return follows(v, 63, ".ip6.arpa") && address_is_plausible_ipv6(ip);
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
    bool boot =
        separator == '-' && v->at >= 10 && strncasecmp(v->text + v->at - 10, "BOOTIF=01-", 10) == 0;
    bool row_before = before(v, 1) == (unsigned char)separator && is_hex(before(v, 2));
    bool two_digits = is_hex(before(v, 3)) && !is_alnum(before(v, 4));
    bool one_digit = before(v, 3) == (unsigned char)separator && is_hex(before(v, 4));
    if (row_before && (two_digits || one_digit) && !boot)
        return false;
    found->address.kind = ADDRESS_MAC;
    found->length = end;
    found->separator = separator;
    return true;
}

/* Six groups of one or two digits: 0:16:3e:aa:bb:cc, as ebtables prints it. */
static bool short_mac(const struct view *v, struct found_address *found)
{
    size_t i = 0;
    found->upper = false;
    for (size_t g = 0; g < 6; g++) {
        if (g > 0 && peek(v, i++) != ':')
            return false;
        unsigned value = 0;
        size_t digits = 0;
        for (; digits < 2 && is_hex(peek(v, i)); digits++, i++) {
            value = value << 4 | (hex_table[peek(v, i)] - 1U);
            found->upper = found->upper || (peek(v, i) >= 'A' && peek(v, i) <= 'F');
        }
        if (digits == 0)
            return false;
        found->address.bytes[g] = (uint8_t)value;
    }
    bool row_behind = peek(v, i) == ':' && (is_hex(peek(v, i + 1)) || peek(v, i + 1) == ':');
    size_t back = 2;
    while (back < 5 && is_hex(before(v, back)))
        back++;
    bool row_before = before(v, 1) == ':' && (back == 3 || back == 4) && !is_alnum(before(v, back));
    if (is_alnum(peek(v, i)) || row_behind || row_before ||
        (before(v, 1) == ':' && before(v, 2) == ':'))
        return false;
    found->address.kind = ADDRESS_MAC;
    found->length = i;
    found->separator = ':';
    found->short_groups = true;
    return true;
}

/* Whether a word in front says that a MAC follows. */
static bool behind_mac_word(const struct view *v)
{
    static const char *const words[] = {"mac",         "macaddr", "mac_addr", "mac_address",
                                        "macaddress",  "hwaddr",  "lladdr",   "mac-address",
                                        "mac address", "ether"};
    size_t end = v->at, limit = v->at > 4 ? v->at - 4 : 0;
    while (end > limit && memchr(" \t:=\"'(>", v->text[end - 1], 8))
        end--;
    for (size_t i = 0; end < v->at && i < ARRAY_SIZE(words); i++)
        if (ends_word(v, end, words[i]) &&
            (end == strlen(words[i]) ||
             !is_letter((unsigned char)v->text[end - strlen(words[i]) - 1])))
            return true;
    return false;
}

/* mac=00163eaabbcc, enx00163eaabbcc */
static bool bare_mac(const struct view *v, bool named, struct found_address *found)
{
    struct view digits = *v;
    bool letters;
    digits.at += named ? 3 : 0;
    size_t end = hex_groups(&digits, '\0', 1, 12, found, &letters);
    if (!end || is_alnum(peek(&digits, end)) || (!named && !behind_mac_word(v)))
        return false;
    found->address.kind = ADDRESS_MAC;
    found->length = end + (named ? 3 : 0);
    found->separator = '\0';
    found->named = named;
    return true;
}

static bool ipv6(const struct view *v, struct found_address *found)
{
    char text[MAX_IPV6_TEXT + 3];
    size_t n = 0, colons = 0;
    bool gap = false, upper = false;
    while (n < MAX_IPV6_TEXT && (is_hex(peek(v, n)) || peek(v, n) == ':')) {
        unsigned char c = peek(v, n);
        colons += c == ':';
        gap = gap || (c == ':' && n > 0 && text[n - 1] == ':');
        upper = upper || (c >= 'A' && c <= 'F');
        text[n++] = (char)c;
    }
    bool behind_colons = before(v, 1) == ':' && before(v, 2) == ':' && before(v, 3) != ':' &&
                         !is_alnum(before(v, 3)) && !gap && colons > 0 && peek(v, n) != '.';
    if (!behind_colons && (colons < 2 || (!gap && colons < 6)))
        return false;
    if (peek(v, n) == '.') /* an IPv4 tail */
        while (n < MAX_IPV6_TEXT && (is_digit(peek(v, n)) || peek(v, n) == '.'))
            text[n] = (char)peek(v, n), n++;
    while (n > 1 && (text[n - 1] == '.' || (text[n - 1] == ':' && text[n - 2] != ':')))
        n--;
    text[n] = '\0';
    if (behind_colons) {
        memmove(text + 2, text, n + 1);
        memcpy(text, "::", 2);
    }
    if (is_alnum(peek(v, n)) || inet_pton(AF_INET6, text, found->address.bytes) != 1 ||
        !address_is_plausible_ipv6(found->address.bytes))
        return false;
    found->address.kind = ADDRESS_IPV6;
    found->length = n;
    found->separator = ':';
    found->upper = upper;
    found->behind_colons = behind_colons;
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
    bool named = n == 1 && next == 'n' && follows(&v, 0, "enx");
    if (n == 0 || (n <= 4 && next != '.' && next != ':' && next != '-' && !named))
        return false;
    *ret = (struct found_address){.length = 0};
    if (n > 4 || named)
        return bare_mac(&v, named, ret);
    if (next == '.' && n < 4 && reverse_ipv4(&v, ret))
        return true;
    *ret = (struct found_address){.length = 0};
    if (next == '.' && n == 1 && peek(&v, 3) == '.' && reverse_ipv6(&v, ret))
        return true;
    *ret = (struct found_address){.length = 0};
    if (next == '.')
        return (n < 4 && dotted(&v, versions_only, ret)) || (n == 4 && mac(&v, '.', 3, 4, ret));
    if (next == '-')
        return (n == 2 && mac(&v, '-', 6, 2, ret)) || (n < 4 && dashed(&v, ret));
    if ((n == 2 && mac(&v, ':', 6, 2, ret)) || (n <= 2 && short_mac(&v, ret)))
        return true;
    *ret = (struct found_address){.length = 0};
    return ipv6(&v, ret);
}

/* In the order of DNS, as reverse_ipv4() and reverse_ipv6() read it. */
static size_t format_reversed(const struct found_address *form, const struct address *address,
                              char *buffer, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *b = address->bytes;
    size_t out = 0;
    if (address->kind == ADDRESS_IPV4) {
        for (unsigned i = form->reversed; i-- > 0;)
            out += (size_t)snprintf(buffer + out, size - out, "%u%s", b[i], i ? "." : "");
        return out;
    }
    for (size_t i = 0; i < 32 && out + 2 < size; i++) {
        buffer[out++] = digits[i % 2 ? b[15 - i / 2] >> 4 : b[15 - i / 2] & 15];
        buffer[out++] = '.';
    }
    buffer[--out] = '\0';
    return out;
}

/* A MAC without leading zeros, or with nothing between its digits. */
static size_t format_unusual(const struct found_address *form, const struct address *address,
                             char *buffer, size_t size)
{
    const uint8_t *b = address->bytes;
    int n = form->short_groups
                ? snprintf(buffer, size, "%x:%x:%x:%x:%x:%x", b[0], b[1], b[2], b[3], b[4], b[5])
                : snprintf(buffer, size, "%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4],
                           b[5]);
    for (int i = 0; form->upper && i < n; i++)
        buffer[i] = (char)toupper((unsigned char)buffer[i]);
    if (form->named) {
        memmove(buffer + 3, buffer, (size_t)n + 1);
        memcpy(buffer, "enx", 3);
        n += 3;
    }
    return (size_t)n;
}

size_t recognise_format(const struct found_address *form, const struct address *address,
                        char *buffer, size_t size)
{
    if (form->reversed)
        return format_reversed(form, address, buffer, size);
    if (address->kind == ADDRESS_MAC && (form->short_groups || !form->separator))
        return format_unusual(form, address, buffer, size);
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
    if (form->behind_colons && length > 2 && memcmp(buffer, "::", 2) == 0) {
        memmove(buffer, buffer + 2, length - 1);
        length -= 2;
    }
    return length;
}
