/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Configuration of net-snmp's daemon: words separated by blanks, the first one of them a directive.
 * Which words after it are secret stands in a table (source: snmpd.conf(5), snmpd.examples(5)); the
 * original tool knows com2sec and usmUser.
 *
 * A directive is recognised anywhere in a line, as the original's expressions do, so that a line
 * which somebody commented out keeps its secret too. Words in double quotes may hold blanks.
 */
#include "collector/redact/lines.h"

struct directive {
    const char *name;
    unsigned secrets;   /* bit n: the n-th word after the directive (from 1) is one */
    const char *option; /* a word that may stand first, with an argument; both do not count */
};

#define WORD(n) (1u << (n))
#define FROM(n) (~0u << (n))

static const struct directive directives[] = {
    {"com2sec", WORD(3), "-Cn"},     {"com2sec6", WORD(3), "-Cn"},
    {"com2secunix", WORD(2), "-Cn"}, {"rocommunity", WORD(1), NULL},
    {"rwcommunity", WORD(1), NULL},  {"rocommunity6", WORD(1), NULL},
    {"rwcommunity6", WORD(1), NULL}, {"trapcommunity", WORD(1), NULL},
    {"trapsink", WORD(2), NULL},     {"trap2sink", WORD(2), NULL},
    {"informsink", WORD(2), NULL},   {"authcommunity", WORD(2), NULL},
    {"createUser", FROM(2), "-e"},   {"trapsess", FROM(1), NULL},
    {"proxy", FROM(1), NULL},        {"usmUser", WORD(8) | WORD(10), NULL},
};

struct word {
    const char *text;
    size_t length;
    bool unclosed; /* a quote was opened in it and reaches to the end of the line */
};

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word at *p; false at the end. Quotes belong to the word. */
static bool next_word(const char **p, const char *end, struct word *ret)
{
    while (*p < end && is_blank(**p))
        ++*p;
    const char *start = *p;
    bool quoted = false;
    for (; *p < end && (quoted || !is_blank(**p)); ++*p) {
        if (**p == '\\' && quoted && *p + 1 < end)
            ++*p;
        else if (**p == '"')
            quoted = !quoted;
    }
    *ret = (struct word){start, (size_t)(*p - start), quoted};
    return ret->length > 0;
}

static bool equals(const struct word *word, const char *text)
{
    return word->length == strlen(text) && strncasecmp(word->text, text, word->length) == 0;
}

static const struct directive *find_directive(struct word word)
{
    while (word.length > 0 && *word.text == '#') {
        word.text++;
        word.length--;
    }
    for (size_t i = 0; i < ARRAY_SIZE(directives); i++)
        if (equals(&word, directives[i].name))
            return &directives[i];
    return NULL;
}

static void rewrite(const char *line, size_t length, struct filter_output *out)
{
    const struct directive *directive = NULL;
    const char *copied = line, *p = line, *end = line + length;
    unsigned number = 0;
    for (struct word word; next_word(&p, end, &word);) {
        const struct directive *found = directive ? NULL : find_directive(word);
        if (found) {
            directive = found;
            number = 0;
            continue;
        }
        if (!directive)
            continue;
        if (number == 0 && directive->option && equals(&word, directive->option)) {
            next_word(&p, end, &word);
            continue;
        }
        number++;
        /* Whether an unclosed quote hides the secret word cannot be known: then all of it goes. */
        if (!word.unclosed && !(directive->secrets & WORD(number < 31 ? number : 31)))
            continue;
        strbuf_add(&out->bytes, copied, (size_t)(word.text - copied));
        strbuf_adds(&out->bytes, REMOVED);
        out->replaced++;
        copied = word.text + word.length;
    }
    strbuf_add(&out->bytes, copied, (size_t)(end - copied));
}

int lines_open_snmpd(void **ret, struct err *err)
{
    return lines_open(rewrite, ret, err);
}
