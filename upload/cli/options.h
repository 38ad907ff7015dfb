/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Everything that can be said to xen-upload. One table describes all options; the command line,
 * the settings file and the jobs of the spool are three ways to fill it, and an option has the same
 * name, form and errors in each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"
#include "upload/net/net.h"
#include "upload/protocols/protocol.h"
#include "upload/spool/spool.h"

enum action {
    ACTION_UPLOAD,
    ACTION_WORK, /* --queue DIR */
    ACTION_ADD,
    ACTION_LIST,
    ACTION_DROP,
    ACTION_GRANT,
    ACTION_HELP,
    ACTION_VERSION
};

struct options {
    enum action action;
    const char *file, *url; /* operands */

    const char *token, *credentials, *credential, *credentials_dir;
    const char *origin; /* the only one that gets the credentials; NULL: where the upload goes */
    struct net_options net;
    struct transfer_options transfer;

    const char *state;
    int64_t give_up_s, retry_wait_ms;
    bool abandon, dry_run;
    const char *progress; /* "bar", "json", "none"; NULL: as it fits standard output */
    const char *receipt, *settings;

    const char *queue;
    bool add, list, drop, retry_denied;
    const char *format; /* "text" or "json" */
    struct spool_limits limits;

    const char *grant, *output, *product_key;
    int64_t expires_s; /* of the tokens of `grant`; 0: never */

    bool help, version;
    uint64_t given; /* bit of each option of the table that was given, wherever */
};

enum option_kind {
    OPTION_TEXT,
    OPTION_PATH, /* a text; made absolute where it is kept for another process */
    OPTION_FLAG,
    OPTION_BYTES,
    OPTION_SECONDS,
    OPTION_MILLISECONDS,
    OPTION_NUMBER,
    OPTION_WORD /* one of `words` */
};

enum option_scope {
    SCOPE_SETTING = 1, /* may stand in the settings file */
    SCOPE_JOB = 2,     /* belongs to one upload: kept with it in the spool */
    SCOPE_SECRET = 4   /* one way to name credentials; they replace each other */
};

struct option_def {
    const char *name, *argument; /* argument is NULL for a flag */
    const char *help;
    enum option_kind kind;
    unsigned scope;
    size_t offset;
    int64_t least, most;      /* of numbers; most 0: any */
    const char *const *words; /* NULL ends the list */
    bool may_stand_alone;     /* the argument may be missing: the first word then */
};

extern const struct option_def option_defs[]; /* a NULL name ends it */

const struct option_def *option_find(const char *name);
bool option_given(const struct options *options, const struct option_def *def);

/*
 * Sets one option from its text ("true" or "false" for a flag) and marks it as given. `label` is
 * what errors call it ("--rate"). The text is borrowed. ERR_USAGE.
 */
int option_set(struct options *options, const struct option_def *def, const char *label,
               const char *text, struct err *err);

/* The text that option_set() would take, of an option that was given. */
void option_text(const struct options *options, const struct option_def *def, struct strbuf *out);

/* ERR_USAGE with what is wrong and what would be right. `ret` borrows from argv. */
int options_parse(int argc, char **argv, struct options *ret, struct err *err);

/* How things fit together. ERR_USAGE. */
int options_check(const struct options *options, struct err *err);

/* When the settings are known, too: fills in what nobody said, and checks. */
int options_complete(struct options *options, struct err *err);
