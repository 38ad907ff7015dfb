/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Compares two versions token by token. Both are cut into tokens by the same rule and the first
 * difference decides, which is what makes it a total order. Digit runs are compared without turning
 * them into numbers: they may have any length.
 */
#include "common/version_compare.h"

#include <stdbool.h>

/* Kinds of tokens in the order in which they sort at one place. */
enum kind { KIND_TILDE, KIND_END, KIND_CARET, KIND_LETTERS, KIND_DIGITS };

struct token {
    enum kind kind;
    const char *start;
    size_t length;
};

/* isdigit() and isalpha() depend on the locale; an order must not. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct token next_token(const char **position, const char *end)
{
    const char *p = *position;
    while (p < end && !is_digit(*p) && !is_letter(*p) && *p != '~' && *p != '^')
        p++;
    struct token token = {KIND_END, p, 0};
    if (p == end) {
        *position = p;
        return token;
    }
    if (*p == '~' || *p == '^') {
        token.kind = *p++ == '~' ? KIND_TILDE : KIND_CARET;
    } else if (is_digit(*p)) {
        token.kind = KIND_DIGITS;
        while (p < end && *p == '0')
            p++;
        token.start = p;
        while (p < end && is_digit(*p))
            p++;
    } else {
        token.kind = KIND_LETTERS;
        while (p < end && is_letter(*p))
            p++;
    }
    token.length = (size_t)(p - token.start);
    *position = p;
    return token;
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static int compare_tokens(const struct token *a, const struct token *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == KIND_DIGITS && a->length != b->length)
        return a->length < b->length ? -1 : 1;
    size_t common = a->length < b->length ? a->length : b->length;
    int order = sign(memcmp(a->start, b->start, common));
    if (order || a->length == b->length)
        return order;
    return a->length < b->length ? -1 : 1;
}

/* The epoch's digits, an empty token where there is none; *position moves behind the colon. */
static struct token take_epoch(const char **position, const char *end)
{
    const char *p = *position;
    struct token epoch = {KIND_DIGITS, p, 0};
    while (p < end && is_digit(*p))
        p++;
    if (p == *position || p == end || *p != ':')
        return epoch;
    const char *digits = *position;
    epoch = next_token(&digits, p);
    *position = p + 1;
    return epoch;
}

int version_compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
    const char *a_end = a + a_length, *b_end = b + b_length;
    struct token left = take_epoch(&a, a_end), right = take_epoch(&b, b_end);
    int order = compare_tokens(&left, &right);
    while (!order) {
        left = next_token(&a, a_end);
        right = next_token(&b, b_end);
        order = compare_tokens(&left, &right);
        if (left.kind == KIND_END && right.kind == KIND_END)
            break;
    }
    return order;
}
