/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The help is made of the tables of options and protocols, so nothing can be missing in it.
 */
#include "upload/cli/help.h"

#include "common/strbuf.h"
#include "upload/cli/options.h"

#define TEXT_COLUMN 26
#define COLUMNS     96

/* `text` behind what stands in the line already, wrapped at blanks. */
static void put_wrapped(FILE *out, int used, const char *text)
{
    if (used > TEXT_COLUMN - 2) {
        fputc('\n', out);
        used = 0;
    }
    int column = TEXT_COLUMN;
    fprintf(out, "%*s", TEXT_COLUMN - used, "");
    for (const char *word = text; *word;) {
        int length = (int)strcspn(word, " ");
        if (column > TEXT_COLUMN && column + 1 + length > COLUMNS) {
            fprintf(out, "\n%*s", TEXT_COLUMN, "");
            column = TEXT_COLUMN;
        }
        column += fprintf(out, "%s%.*s", column > TEXT_COLUMN ? " " : "", length, word);
        word += length + (word[length] == ' ');
    }
    fputc('\n', out);
}

static void put_protocols(FILE *out)
{
    for (size_t i = 0; protocols[i]; i++)
        for (const char *const *scheme = protocols[i]->schemes; *scheme; scheme++)
            if (strstr(*scheme, "http") == NULL || strstr(*scheme, "https"))
                put_wrapped(out, fprintf(out, "  %s://", *scheme), protocols[i]->summary);
}

void help_print(FILE *out)
{
    fputs("Usage: xen-upload [OPTION]... FILE URL\n"
          "       xen-upload [OPTION]... --queue DIR [--add FILE URL | --list]\n"
          "       xen-upload [OPTION]... --grant URL --output FILE\n"
          "Send a file to a server, and take it up again where it was cut.\n"
          "\n"
          "URL begins with one of\n",
          out);
    put_protocols(out);
    fputs("\n", out);
    for (const struct option_def *def = option_defs; def->name; def++) {
        const char *gap = def->argument && *def->argument != '[' ? " " : "";
        int used = fprintf(out, " --%s%s%s", def->name, gap, def->argument ? def->argument : "");
        put_wrapped(out, used, def->help);
    }
    fputs(
        "\n"
        "Exit status: 0 done, 1 failed for good, 2 wrong usage, 3 interrupted, 4 try again later,\n"
        "5 not authorised.\n",
        out);
}
