/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One pass over the pattern. The surprise is in brackets: POSIX knows no escapes there, so `]` has
 * to come first, `-` last, and `[` where no class name can follow it.
 */
#include "collector/catalog/python_regex.h"

#include <ctype.h>
#include <regex.h>

#define LONGEST          1000
#define MOST_REPETITIONS 1000 /* regcomp() writes repetitions out, x+ as xx*: they multiply */

struct reader {
    const char *next;
    unsigned long repetitions; /* product of all counts: an upper bound however they are nested */
    struct strbuf *out;
    struct err *err;
};

static int refuse(struct reader *reader, const char *what)
{
    return err_set(reader->err, ERR_UNSUPPORTED, "the pattern uses %s, which is not supported here",
                   what);
}

static const struct {
    char letter;
    const char *outside, *inside;
} classes[] = {
    {'d', "[0-9]", "0-9"},
    {'D', "[^0-9]", NULL},
    {'w', "[[:alnum:]_]", "[:alnum:]_"},
    {'W', "[^[:alnum:]_]", NULL},
    {'s', "[[:space:]]", "[:space:]"},
    {'S', "[^[:space:]]", NULL},
};

static char control(char letter)
{
    static const char names[] = "tnrfva", values[] = "\t\n\r\f\v\a";
    const char *found = strchr(names, letter);
    return found && letter ? values[found - names] : '\0';
}

/* A backslash outside brackets; reader->next is behind it. */
static int read_escape(struct reader *reader)
{
    char letter = *reader->next;
    if (letter == '\0')
        return err_set(reader->err, ERR_PARSE, "the pattern ends with a backslash");
    reader->next++;
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
        if (classes[i].letter == letter) {
            strbuf_adds(reader->out, classes[i].outside);
            return 0;
        }
    if (letter == 'A' || letter == 'Z')
        strbuf_addc(reader->out, letter == 'A' ? '^' : '$');
    else if (control(letter))
        strbuf_addc(reader->out, control(letter));
    else if (isalnum((unsigned char)letter))
        return refuse(reader, isdigit((unsigned char)letter) ? "a back-reference"
                                                             : "an escape such as \\b");
    else if (strchr(".[{}()\\*+?|^$", letter))
        strbuf_addf(reader->out, "\\%c", letter);
    else
        strbuf_addc(reader->out, letter);
    return 0;
}

/* What stands in a bracket, kept apart by where POSIX wants it. */
struct bracket {
    struct strbuf members;
    bool closing, dash, opening, caret;
};

static void add_member(struct bracket *bracket, char c)
{
    bracket->closing = bracket->closing || c == ']';
    bracket->dash = bracket->dash || c == '-';
    bracket->opening = bracket->opening || c == '[';
    bracket->caret = bracket->caret || c == '^';
    if (!strchr("]-[^", c))
        strbuf_addc(&bracket->members, c);
}

/* One character of a bracket, or a whole class, which is added at once: then *ret is NUL. */
static int read_member(struct reader *reader, struct bracket *bracket, char *ret)
{
    char c = *reader->next++;
    *ret = c;
    if (c != '\\')
        return 0;
    c = *reader->next;
    if (c == '\0')
        return err_set(reader->err, ERR_PARSE, "a bracket in the pattern is not closed");
    reader->next++;
    *ret = control(c) ? control(c) : c;
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
        if (classes[i].letter == c) {
            if (!classes[i].inside)
                return refuse(reader, "a negated class in brackets");
            strbuf_adds(&bracket->members, classes[i].inside);
            *ret = '\0';
        }
    return *ret == c && isalnum((unsigned char)c) ? refuse(reader, "an escape in brackets") : 0;
}

static int read_members(struct reader *reader, struct bracket *bracket)
{
    for (bool first = true; first || *reader->next != ']'; first = false) {
        char low, high = '\0';
        if (*reader->next == '\0')
            return err_set(reader->err, ERR_PARSE, "a bracket in the pattern is not closed");
        int r = read_member(reader, bracket, &low);
        if (r < 0)
            return r;
        bool range = low && reader->next[0] == '-' && reader->next[1] && reader->next[1] != ']';
        if (!range) {
            if (low)
                add_member(bracket, low);
            continue;
        }
        reader->next++;
        r = read_member(reader, bracket, &high);
        if (r < 0)
            return r;
        if (!high || strchr("]-[^", low) || strchr("]-[^", high))
            return refuse(reader, "such a range in brackets");
        strbuf_addf(&bracket->members, "%c-%c", low, high);
    }
    reader->next++;
    return 0;
}

static int read_bracket(struct reader *reader)
{
    struct bracket bracket = {.members = STRBUF_INIT};
    bool negated = *reader->next == '^';
    reader->next += negated;
    int r = read_members(reader, &bracket);
    bool only_caret = bracket.caret && !negated && !bracket.closing && !bracket.members.length &&
                      !bracket.opening && !bracket.dash;
    if (r == 0 && only_caret)
        strbuf_adds(reader->out, "\\^");
    else if (r == 0)
        strbuf_addf(reader->out, "[%s%s%s%s%s%s]", negated ? "^" : "", bracket.closing ? "]" : "",
                    bracket.members.data, bracket.opening ? "[" : "", bracket.caret ? "^" : "",
                    bracket.dash ? "-" : "");
    if (r == 0 && bracket.caret && !negated && !only_caret && !bracket.closing &&
        !bracket.members.length && !bracket.opening)
        r = refuse(reader, "such a bracket"); /* [^-]: its caret would become a negation */
    strbuf_release(&bracket.members);
    return r;
}

/* Behind "(": groups that only gather are plain groups here. */
static int read_group(struct reader *reader)
{
    strbuf_addc(reader->out, '(');
    if (*reader->next != '?')
        return 0;
    if (reader->next[1] == ':') {
        reader->next += 2;
        return 0;
    }
    if (strncmp(reader->next, "?P<", 3) == 0) {
        const char *end = strchr(reader->next, '>');
        if (!end)
            return err_set(reader->err, ERR_PARSE, "the name of a group is not closed");
        reader->next = end + 1;
        return 0;
    }
    return refuse(reader, "look-around, flags or conditions");
}

/* Behind a quantifier: "?" makes it lazy, which does not change whether there is a match. */
static int skip_laziness(struct reader *reader)
{
    if (*reader->next == '+')
        return refuse(reader, "a possessive quantifier");
    reader->next += *reader->next == '?';
    return 0;
}

static int repeat(struct reader *reader, unsigned long times)
{
    if (times > MOST_REPETITIONS || reader->repetitions * times > MOST_REPETITIONS)
        return refuse(reader, "repetitions that multiply to more than 1000");
    reader->repetitions *= times;
    return 0;
}

/* Whether the quantifier just read repeats a group. */
static bool repeats_group(const struct reader *reader)
{
    size_t length = reader->out->length;
    return length > 0 && reader->out->data[length - 1] == ')';
}

/* "{2,3}" is a quantifier, any other "{" a letter. */
static int read_brace(struct reader *reader)
{
    size_t length = strspn(reader->next, "0123456789,");
    bool quantifier = length > 0 && reader->next[length] == '}' && reader->next[0] != ',';
    if (!quantifier) {
        strbuf_adds(reader->out, "\\{");
        return 0;
    }
    const char *comma = memchr(reader->next, ',', length);
    bool bounded = comma && comma + 1 < reader->next + length;
    unsigned long most = strtoul(bounded ? comma + 1 : reader->next, NULL, 10);
    most = most < 1 ? 1 : most;
    int r = repeat(reader, most > MOST_REPETITIONS || !comma || bounded ? most : 2 * most);
    if (r < 0)
        return r;
    strbuf_addc(reader->out, '{');
    strbuf_add(reader->out, reader->next, length + 1);
    reader->next += length + 1;
    return skip_laziness(reader);
}

static int read_one(struct reader *reader)
{
    char c = *reader->next++;
    switch (c) {
    case '\\':
        return read_escape(reader);
    case '[':
        return read_bracket(reader);
    case '(':
        return read_group(reader);
    case '{':
        return read_brace(reader);
    case '}':
        strbuf_adds(reader->out, "\\}");
        return 0;
    case '+':
        if (repeats_group(reader) && repeat(reader, 2) < 0)
            return ERR_UNSUPPORTED;
        strbuf_addc(reader->out, c);
        return skip_laziness(reader);
    case '*':
    case '?':
        strbuf_addc(reader->out, c);
        return skip_laziness(reader);
    default:
        strbuf_addc(reader->out, c);
        return 0;
    }
}

int python_regex_to_posix(const char *pattern, struct strbuf *out, struct err *err)
{
    struct reader reader = {.next = pattern, .repetitions = 1, .out = out, .err = err};
    int r = strlen(pattern) > LONGEST
                ? err_set(err, ERR_LIMIT, "the pattern is longer than %d bytes", LONGEST)
                : 0;
    while (r == 0 && *reader.next)
        r = read_one(&reader);
    if (r < 0)
        return r;
    if (!strbuf_ok(out))
        return err_nomem(err);
    regex_t regex;
    int failure = regcomp(&regex, out->data, REG_EXTENDED);
    if (failure == 0) {
        regfree(&regex);
        return 0;
    }
    char why[120];
    regerror(failure, &regex, why, sizeof why);
    return err_set(err, ERR_PARSE, "the pattern is no regular expression: %s", why);
}
