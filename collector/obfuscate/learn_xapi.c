/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Streams XAPI's database, which may have hundreds of megabytes, through expat and picks the fields
 * that sources.yaml names. White space in values is protected with percent signs, and maps are
 * S-expressions: (('key'%.'value')%.('key'%.'value')).
 */
#include <errno.h>
#include <expat.h>

#include "collector/obfuscate/learn.h"
#include "common/io.h"

#define READ_BYTES (64 * 1024)

struct learner {
    struct names *names;
    const struct sources *sources;
    const struct doc_node *table; /* the one whose rows we are in, if it is wanted */
    XML_Parser parser;
    struct strbuf value, key, word;
    struct err failure;
};

static void unprotect(const char *text, struct strbuf *out)
{
    strbuf_clear(out);
    for (; *text; text++) {
        if (*text != '%' || !text[1]) {
            strbuf_addc(out, *text);
            continue;
        }
        text++;
        strbuf_adds(out, *text == '.'   ? " "
                         : *text == 't' ? "\t"
                         : *text == 'n' ? "\n"
                         : *text == 'r' ? "\r"
                         : *text == '_' ? "  "
                                        : "%");
    }
}

/* The next quoted text of an S-expression; false when there is none. */
static bool next_quoted(const char **at, struct strbuf *out)
{
    strbuf_clear(out);
    const char *p = strchr(*at, '\'');
    if (!p)
        return false;
    for (p++; *p && *p != '\''; p++) {
        if (*p == '\\' && p[1])
            p++;
        strbuf_addc(out, *p);
    }
    *at = *p ? p + 1 : p;
    return true;
}

/* The value of a field, or of a key of a map ("other_config.folder"), in l->word. */
static bool find_value(struct learner *l, const char *field, const XML_Char **attributes)
{
    size_t length = strcspn(field, ".");
    const char *key = field[length] ? field + length + 1 : NULL, *raw = NULL;
    for (; *attributes; attributes += 2)
        if (strncmp(attributes[0], field, length) == 0 && attributes[0][length] == '\0')
            raw = attributes[1];
    if (!raw)
        return false;
    if (!key) {
        unprotect(raw, &l->word);
        return true;
    }
    unprotect(raw, &l->value);
    const char *at = l->value.data;
    while (next_quoted(&at, &l->key) && next_quoted(&at, &l->word))
        if (strcmp(l->key.data, key) == 0)
            return true;
    return false;
}

static bool is_left_out(struct learner *l, const XML_Char **attributes)
{
    const struct doc_node *unless = doc_get(l->table, "unless");
    for (size_t i = 0; unless && i < unless->count; i++)
        if (find_value(l, unless->items[i]->text, attributes) && strcmp(l->word.data, "true") == 0)
            return true;
    return false;
}

static int learn_row(struct learner *l, const XML_Char **attributes)
{
    const struct doc_node *fields = doc_get(l->table, "fields");
    int r = 0;
    if (is_left_out(l, attributes))
        return 0;
    for (size_t i = 0; r == 0 && i < fields->count; i++) {
        if (find_value(l, fields->keys[i]->text, attributes) && l->word.length > 0)
            r = learn_field(l->names, l->sources, fields->items[i], l->word.data, l->word.length,
                            &l->failure);
    }
    if (r == 0 && (!strbuf_ok(&l->value) || !strbuf_ok(&l->key) || !strbuf_ok(&l->word)))
        r = err_nomem(&l->failure);
    return r;
}

static const struct doc_node *wanted_table(const struct learner *l, const XML_Char **attributes)
{
    const struct doc_node *tables = doc_get(l->sources->root, "tables");
    for (; *attributes; attributes += 2)
        for (size_t i = 0; strcmp(attributes[0], "name") == 0 && i < tables->count; i++)
            if (strcmp(doc_get(tables->items[i], "table")->text, attributes[1]) == 0)
                return tables->items[i];
    return NULL;
}

static void XMLCALL on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct learner *l = context;
    if (strcmp(name, "table") == 0)
        l->table = wanted_table(l, attributes);
    else if (l->table && strcmp(name, "row") == 0 && learn_row(l, attributes) < 0)
        XML_StopParser(l->parser, XML_FALSE);
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
    struct learner *l = context;
    if (strcmp(name, "table") == 0)
        l->table = NULL;
}

static int fail(const struct learner *l, const char *path, struct err *err)
{
    if (l->failure.code)
        return err_set(err, l->failure.code, "%s", l->failure.text);
    return err_set(err, ERR_PARSE,
                   "cannot learn the names that are to be replaced: '%s' is damaged in line %lu "
                   "(%s); without it names would stay in the report",
                   path, (unsigned long)XML_GetCurrentLineNumber(l->parser),
                   XML_ErrorString(XML_GetErrorCode(l->parser)));
}

static int parse(struct learner *l, int fd, const char *path, struct err *err)
{
    for (bool last = false; !last;) {
        void *buffer = XML_GetBuffer(l->parser, READ_BYTES);
        if (!buffer)
            return err_nomem(err);
        ssize_t n = read(fd, buffer, READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, errno, "cannot learn names from '%s'", path);
        last = n == 0;
        if (XML_ParseBuffer(l->parser, (int)n, last) != XML_STATUS_OK)
            return fail(l, path, err);
    }
    return 0;
}

int learn_xapi(struct names *names, const struct sources *sources, int fd, const char *path,
               struct err *err)
{
    struct learner learner = {.names = names,
                              .sources = sources,
                              .parser = XML_ParserCreate(NULL),
                              .value = STRBUF_INIT,
                              .key = STRBUF_INIT,
                              .word = STRBUF_INIT};
    if (!learner.parser)
        return err_nomem(err);
    XML_SetUserData(learner.parser, &learner);
    XML_SetElementHandler(learner.parser, on_start, on_end);
    int r = parse(&learner, fd, path, err);
    XML_ParserFree(learner.parser);
    strbuf_release(&learner.value);
    strbuf_release(&learner.key);
    strbuf_release(&learner.word);
    return r;
}
