/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Command lines of programs that take a password in a short option (programs.yaml), and lines of
 * configuration where only a blank separates the word from the secret.
 *
 * A log may be full of names of programs, so what each of them costs is bounded: a program's words
 * are looked at up to where the same program stands a few times again, each with its own look.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "collector/redact/detect.h"
#include "collector/redact/filter.h"
#include "collector/redact/programs.h"
#include "collector/redact/value.h"
#include "common/compiler.h"

#define LOOK_AHEAD    4096 /* bytes of a command line */
#define MAX_NAMED     4    /* "curl -o curl.log -A curl -u ..." */
#define MAX_PATH      3073 /* of XenStore, and a blank */
#define MAX_DIRECTIVE 64   /* more than the longest of directives[] has */

struct word {
    const char *from, *to;
};

/* The next word at *p: what stands between blanks, or in quotes in a list of them. */
static bool next_word(const char **p, const char *end, struct word *ret)
{
    while (*p < end && strchr(" \t,[(", **p))
        ++*p;
    char quote = *p < end && (**p == '\'' || **p == '"') ? *(*p)++ : '\0';
    ret->from = *p;
    while (*p < end && (quote ? **p != quote : **p != ' ' && **p != '\t'))
        ++*p;
    ret->to = *p;
    if (quote && *p < end)
        ++*p;
    return ret->from < end;
}

static bool is_removed(const char *from, const char *to)
{
    return (size_t)(to - from) == strlen(REMOVED) && memcmp(from, REMOVED, strlen(REMOVED)) == 0;
}

static bool set(const char *from, const char *to, char separator, struct finding *ret)
{
    if (separator) {
        from = memchr(from, separator, (size_t)(to - from));
        if (!from)
            return false;
        from++;
    }
    *ret = (struct finding){from, to};
    return from < to && !is_removed(from, to);
}

/*
 * Whether `word` is the option and its secret is in it or in what follows at `p`. Where nothing
 * but blanks separates the words, the value may have blanks itself.
 */
static bool is_secret(const struct program_secret *secret, const struct passage *line,
                      const struct word *word, const char *p, struct finding *ret)
{
    size_t n = strlen(secret->option), length = (size_t)(word->to - word->from);
    if (length < n || memcmp(word->from, secret->option, n) != 0)
        return false;
    if (length > n && word->from[n] == '=' && secret->attached)
        return set(word->from + n + 1, value_plain_end(line, word->from, word->from + n + 1), 0,
                   ret);
    if (length > n && word->from[n] == '=')
        return set(word->from + n + 1, word->to, secret->separator, ret);
    if (length > n)
        return secret->attached && set(word->from + n, word->to, secret->separator, ret);
    struct word value;
    bool found = next_word(&p, line->end, &value);
    if (found && secret->numbered)
        found = isdigit((unsigned char)*value.from) && next_word(&p, line->end, &value);
    if (!found || value.from == value.to)
        return false;
    bool bare = value.from[-1] == ' ' || value.from[-1] == '\t';
    if (bare && !secret->separator)
        value.to = value_plain_end(line, word->from, value.from);
    return set(value.from, value.to, secret->separator, ret);
}

static bool begins(const char *p, const char *end, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(end - p) >= n && memcmp(p, text, n) == 0;
}

/* echo PASSWORD | program: what goes into programs that read a password. */
static bool is_piped(const char *at, const char *from, const char *end, struct finding *ret)
{
    const char *pipe = memchr(at, '|', (size_t)(end - at)), *to = pipe;
    if (!pipe)
        return false;
    const char *reader = pipe + 1;
    while (reader < end && *reader == ' ')
        reader++;
    if (begins(reader, end, "sudo ") && !begins(reader, end, "sudo -S"))
        reader += strlen("sudo ");
    while (begins(from, to, "-n ") || begins(from, to, "-e "))
        from += 3;
    while (to > from && to[-1] == ' ')
        to--;
    for (const char *const *known = password_readers; *known; known++)
        if (begins(reader, end, *known))
            return set(from, to, '\0', ret);
    return false;
}

/* program [--option value]... 1st 2nd ...: `p` is behind the program. */
static bool is_operand(const struct passage *line, const char *at, const char *p, unsigned number,
                       struct finding *ret)
{
    struct word word;
    while (next_word(&p, line->end, &word)) {
        if (*word.from == '-')
            next_word(&p, line->end, &word);
        else if (--number == 0)
            return set(word.from, value_plain_end(line, at, word.from), '\0', ret);
    }
    return false;
}

static bool begins_program(const char *p, const char *end, const struct program *program)
{
    size_t n = strlen(program->name);
    return (*p | 0x20) == (*program->name | 0x20) && (size_t)(end - p) >= n &&
           strncasecmp(p, program->name, n) == 0;
}

/* Programs whose names begin at `at`, shorter ones of the same beginning too; and the longest. */
static size_t programs_at(const char *at, const char *end, const struct program *ret[MAX_PROGRAMS],
                          const struct program **ret_longest)
{
    size_t count = 0;
    for (const struct program *program = programs; program->name; program++) {
        if (!begins_program(at, end, program))
            continue;
        if (count == 0 || strlen(program->name) > strlen((*ret_longest)->name))
            *ret_longest = program;
        ret[count++] = program;
    }
    return count;
}

/*
 * Where the program stands for the last time that this look is for, be it within a word: what
 * follows is found by its name there. It may stand a few times in what is no command.
 */
static const char *find_last(const char *p, const char *end, const struct program *program)
{
    unsigned times = 0;
    for (; p < end; p++)
        if (begins_program(p, end, program) && ++times == MAX_NAMED)
            break;
    return p;
}

/* A port or a file. */
static bool is_plain(const struct finding *value)
{
    const char *p = value->from;
    while (p < value->to && isdigit((unsigned char)*p))
        p++;
    return p == value->to || *p == ' ' || *value->from == '/';
}

static bool is_secret_of(const struct program *program, const struct passage *line,
                         const struct word *word, const char *p, struct finding *ret)
{
    for (size_t i = 0; i < program->count; i++)
        if (program->secrets[i].option && is_secret(&program->secrets[i], line, word, p, ret) &&
            !(program->secrets[i].unless_plain && is_plain(ret)) &&
            (!line->done || ret->from >= line->done))
            return true;
    return false;
}

static bool has_operand(const struct program *program, const struct passage *line, const char *at,
                        const char *p, struct finding *ret)
{
    for (size_t i = 0; i < program->count; i++)
        if (program->secrets[i].operand &&
            is_operand(line, at, p, program->secrets[i].operand, ret) &&
            (!line->done || ret->from >= line->done))
            return true;
    return false;
}

bool detect_command(const struct passage *line, const char *at, struct finding *ret)
{
    const char *p = at;
    struct passage near = *line;
    if (near.end - at > LOOK_AHEAD)
        near.end = at + LOOK_AHEAD;
    struct word word;
    if (begins(at, near.end, "echo "))
        return is_piped(at, at + strlen("echo "), near.end, ret);
    if (begins(at, near.end, "printf "))
        return is_piped(at, at + strlen("printf "), near.end, ret);
    const struct program *found[MAX_PROGRAMS], *longest = NULL;
    size_t count = programs_at(at, near.end, found, &longest);
    if (count == 0)
        return false;
    const char *from = line->done > at ? line->done : at + 1;
    const char *last = find_last(from, near.end, longest);
    if (!next_word(&p, last, &word))
        return false;
    for (size_t i = 0; i < count; i++)
        if (has_operand(found[i], &near, at, p, ret))
            return true;
    for (const char *done = line->done; done && p < done && done <= near.end; done--)
        if (done[-1] == ' ') /* words before it were looked at when what is done was found */
            p = done;
    while (p < last && next_word(&p, near.end, &word)) {
        for (size_t i = 0; i < count; i++)
            if (is_secret_of(found[i], &near, &word, p, ret))
                return true;
    }
    return false;
}

/* "write /local/domain/5/vm-data/key value", of xenstored's log. */
bool detect_guest_data(const struct passage *line, const char *at, struct finding *ret)
{
    static const char write[] = "write";
    if (!memmem(line->begin, (size_t)(at - line->begin), write, sizeof write - 1))
        return false;
    size_t left = (size_t)(line->end - at), near = left < MAX_PATH ? left : MAX_PATH;
    const char *blank = memchr(at, ' ', near), *tab = memchr(at, '\t', near);
    const char *p = !tab || (blank && blank < tab) ? blank : tab;
    if (!p)
        return false;
    while (p < line->end && isblank((unsigned char)*p))
        p++;
    return set(p, line->end, '\0', ret);
}

/* Words of configuration files that need no separator, at the beginning of a line. */
static const struct {
    const char *word;
    unsigned skip; /* words between it and the secret */
    bool alone;    /* the line must have no more words than these */
} directives[] = {
    {"rocommunity", 0, false},
    {"rwcommunity", 0, false},
    {"rocommunity6", 0, false},
    {"rwcommunity6", 0, false},
    {"trapcommunity", 0, false},
    {"com2sec", 2, false},
    {"com2sec6", 2, false},
    {"com2secunix", 1, false},
    {"usmUser", 7, false},
    {"createUser", 1, false},
    {"bindpw", 0, false},
    {"rootbindpw", 0, false},
    {"rootpwmodpw", 0, false},
    {"rootpw", 0, false},
    {"requirepass", 0, false},
    {"masterauth", 0, false},
    {"auth_pass", 0, false},
    {"password", 0, true},
    {"secret", 0, true},
    {"authCommunity", 1, false},
    {"trapsink", 1, false},
    {"trap2sink", 1, false},
    {"informsink", 1, false},
    /* snmp.conf's, of those who ask */
    {"defCommunity", 0, false},
    {"defPassphrase", 0, false},
    {"defAuthPassphrase", 0, false},
    {"defPrivPassphrase", 0, false},
};

/* machine x login y password z, of .netrc: the word before the last one, or another one. */
static bool is_login(const struct passage *line, const char *at)
{
    const char *p = at;
    while (p > line->begin && p[-1] == ' ')
        p--;
    while (p > line->begin && p[-1] != ' ')
        p--;
    size_t before = (size_t)(p - line->begin);
    return (before >= 6 && memcmp(p - 6, "login ", 6) == 0) ||
           memmem(line->begin, before, "machine ", 8) != NULL;
}

static bool begins_line(const struct passage *line, const char *from)
{
    while (from > line->begin && strchr(" \t#", from[-1]))
        from--;
    return from == line->begin;
}

bool detect_directive(const struct passage *line, const char *at, struct finding *ret)
{
    const char *from = at, *p;
    struct word word, value;
    while (from > line->begin && isalnum((unsigned char)from[-1]) && at - from < 16)
        from--;
    p = from;
    const char *near = line->end - from > MAX_DIRECTIVE ? from + MAX_DIRECTIVE : line->end;
    if (!next_word(&p, near, &word))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(directives); i++) {
        size_t n = strlen(directives[i].word);
        if ((size_t)(word.to - word.from) != n ||
            strncasecmp(word.from, directives[i].word, n) != 0)
            continue;
        bool login = directives[i].alone && is_login(line, from);
        if (!login && !begins_line(line, from))
            return false;
        unsigned skip = directives[i].skip;
        for (unsigned k = 0; k <= skip; k++) {
            if (!next_word(&p, line->end, &value) || value.from == value.to)
                return false;
            if (k == 0 && skip > 0 && *value.from == '-') /* com2sec -Cn CONTEXT */
                skip += 2;
        }
        const char *rest = p;
        if (directives[i].alone && !login && next_word(&rest, line->end, &word))
            return false;
        bool quoted = skip < 7 && (value.from[-1] == '"' || value.from[-1] == '\'');
        *ret = (struct finding){value.from, login || quoted ? value.to : line->end};
        if (is_removed(value.from, value.to) || strchr("=:", *value.from))
            return false;
        while (ret->to > ret->from && isspace((unsigned char)ret->to[-1]))
            ret->to--;
        return ret->to > ret->from;
    }
    return false;
}
