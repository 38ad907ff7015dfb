/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Values that do not stand on the line of their name: blocks of YAML, strings over several lines,
 * lists and elements that are printed one a line, lines that end with a backslash.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "collector/redact/detect.h"

enum follow_kind {
    FOLLOW_NOTHING,
    FOLLOW_VALUE,     /* the name stands alone: its value is on the next line, or none is */
    FOLLOW_LIST,      /* strings, up to a closing bracket */
    FOLLOW_BLOCK,     /* all that is indented more than the name */
    FOLLOW_STRING,    /* up to its closing quote */
    FOLLOW_CONTINUED, /* as long as lines end with a backslash */
    FOLLOW_TEXT,      /* of an element, up to its closing tag */
    FOLLOW_HERE,      /* a here-document, up to its word */
    FOLLOW_ANSWER,    /* words in Base64 that a client sends to log in */
};

struct follow {
    enum follow_kind kind;
    size_t indent;  /* of the name's line */
    bool quoted;    /* the name is in quotes */
    char quote;     /* of FOLLOW_STRING */
    unsigned lines; /* that were looked at */
    char word[32];  /* of FOLLOW_HERE */
};

/*
 * Whether more of the value that was found on this line follows on the next ones. Makes `found`
 * empty when what stands on this line only opens the value.
 */
void follow_after(struct follow *follow, const struct passage *line, struct finding *found);

/* Whether the line ends with a secret's name at `at`, and the value is to come. */
bool follow_begin(struct follow *follow, const struct passage *line, const char *at);

/* Whether a here-document begins on the line, for the program at `at`. */
bool follow_here(struct follow *follow, const struct passage *line, const char *at);

/* What answers "AUTH LOGIN" or a server's question. */
bool follow_answer(struct follow *follow, const struct passage *line, const char *at);

/*
 * Looks at the next line. True when [from, to) of it is secret. The kind becomes FOLLOW_NOTHING
 * when no further line can be.
 */
bool follow_line(struct follow *follow, const struct passage *line, struct finding *ret);
