/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Walks the bytes of the XML and holds nothing but the value of one attribute; a database may be
 * one line of 300 MB. No document is built and no parser library is asked: it would give back
 * neither the quotes nor the entities as they were, and one value would come in pieces.
 *
 * It reads the XML that XAPI writes. What it does not expect (a DOCTYPE, CDATA, an attribute
 * without quotes, an end in the middle) is an error.
 */
#include "collector/redact/xapi_db.h"

#include "collector/redact/fields.h"

#define MAX_NAME 256
/* The longest real values are the metadata of snapshots, some 100 KB. */
#define MAX_VALUE ((size_t)8 * 1024 * 1024)

enum state {
    TEXT,
    OPENED, /* after < */
    BANG,   /* after <!, until it is a comment */
    COMMENT,
    INSTRUCTION, /* <? ... ?>, kept: it tells the encoding */
    ELEMENT_NAME,
    IN_TAG,
    ATTRIBUTE_NAME,
    BEFORE_EQUALS,
    BEFORE_VALUE,
    VALUE,
    EMPTY_TAG, /* after the / of <a/> */
    CLOSING_TAG,
};

struct xapi_db {
    enum state state;
    unsigned depth;
    bool root_seen;
    unsigned matched; /* how much of "--", "-->" or "?>" is there */
    char quote;
    struct strbuf element, attribute, value;
    struct strbuf table; /* the name of the table the rows are in */
};

int xapi_db_open(void **ret, struct err *err)
{
    struct xapi_db *db = calloc(1, sizeof *db);
    if (!db)
        return err_nomem(err);
    db->element = db->attribute = db->table = (struct strbuf)STRBUF_INIT_MAX(MAX_NAME);
    db->value = (struct strbuf)STRBUF_INIT_MAX(MAX_VALUE);
    *ret = db;
    return 0;
}

void xapi_db_free(void *filter)
{
    struct xapi_db *db = filter;
    strbuf_release(&db->element);
    strbuf_release(&db->attribute);
    strbuf_release(&db->value);
    strbuf_release(&db->table);
    free(db);
}

static int fail(struct err *err, const char *what)
{
    return err_set(err, ERR_PARSE, "the XAPI database is not the XML we know (%s)", what);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == ':' || c == '.' || (unsigned char)c >= 0x80;
}

/*
 * Between elements only white space is kept. A byte order mark before the root is text like any
 * other.
 */
static int text_byte(struct xapi_db *db, char c, struct filter_output *out, struct err *err)
{
    if (c == '<') {
        db->state = OPENED;
        return 0;
    }
    if (is_blank(c))
        strbuf_addc(&out->bytes, c);
    else if (db->depth == 0 && (unsigned char)c < 0x80)
        return fail(err, "text outside of the database element");
    return 0;
}

static int opened_byte(struct xapi_db *db, char c, struct filter_output *out, struct err *err)
{
    db->matched = 0;
    if (c == '!') {
        db->state = BANG;
        return 0;
    }
    strbuf_addc(&out->bytes, '<');
    strbuf_addc(&out->bytes, c);
    strbuf_clear(&db->element);
    if (c == '?') {
        db->state = INSTRUCTION;
    } else if (c == '/') {
        db->state = CLOSING_TAG;
    } else if (is_name_byte(c)) {
        strbuf_addc(&db->element, c);
        db->state = ELEMENT_NAME;
    } else {
        return fail(err, "a '<' that begins nothing");
    }
    return 0;
}

static int bang_byte(struct xapi_db *db, char c, struct err *err)
{
    if (c != '-')
        return fail(err, "a declaration such as DOCTYPE or CDATA");
    if (++db->matched == 2) {
        db->matched = 0;
        db->state = COMMENT;
    }
    return 0;
}

static void comment_byte(struct xapi_db *db, char c)
{
    if (c == '-')
        db->matched = db->matched < 2 ? db->matched + 1 : 2;
    else if (c == '>' && db->matched == 2)
        db->state = TEXT;
    else
        db->matched = 0;
}

static void instruction_byte(struct xapi_db *db, char c, struct filter_output *out)
{
    strbuf_addc(&out->bytes, c);
    if (c == '>' && db->matched == 1)
        db->state = TEXT;
    db->matched = c == '?';
}

static int begin_element(struct xapi_db *db, struct err *err)
{
    if (!strbuf_ok(&db->element))
        return fail(err, "the name of an element is too long");
    if (db->depth == 0 && db->root_seen)
        return fail(err, "a second root element");
    db->root_seen = true;
    db->depth++;
    return 0;
}

static void end_element(struct xapi_db *db)
{
    db->depth--;
    if (strcmp(db->element.data, "table") == 0)
        strbuf_clear(&db->table);
    db->state = TEXT;
}

/* A byte in a tag, outside of names and values. */
static int tag_byte(struct xapi_db *db, char c, struct filter_output *out, struct err *err)
{
    strbuf_addc(&out->bytes, c);
    if (is_blank(c))
        return 0;
    if (c == '>') {
        db->state = TEXT;
    } else if (c == '/') {
        db->state = EMPTY_TAG;
    } else if (is_name_byte(c)) {
        strbuf_clear(&db->attribute);
        strbuf_addc(&db->attribute, c);
        db->state = ATTRIBUTE_NAME;
    } else {
        return fail(err, "an unexpected character in a tag");
    }
    return 0;
}

static int element_name_byte(struct xapi_db *db, char c, struct filter_output *out, struct err *err)
{
    if (is_name_byte(c)) {
        strbuf_addc(&db->element, c);
        strbuf_addc(&out->bytes, c);
        return 0;
    }
    int r = begin_element(db, err);
    if (r < 0)
        return r;
    db->state = IN_TAG;
    return tag_byte(db, c, out, err);
}

/* From the name of an attribute to the quote that opens its value. */
static int attribute_byte(struct xapi_db *db, char c, struct filter_output *out, struct err *err)
{
    strbuf_addc(&out->bytes, c);
    if (db->state == ATTRIBUTE_NAME && is_name_byte(c)) {
        strbuf_addc(&db->attribute, c);
        return 0;
    }
    if (is_blank(c)) {
        if (db->state == ATTRIBUTE_NAME)
            db->state = BEFORE_EQUALS;
        return 0;
    }
    if (c == '=' && db->state != BEFORE_VALUE) {
        db->state = BEFORE_VALUE;
        return 0;
    }
    if ((c == '"' || c == '\'') && db->state == BEFORE_VALUE) {
        if (!strbuf_ok(&db->attribute))
            return fail(err, "the name of an attribute is too long");
        db->quote = c;
        strbuf_clear(&db->value);
        db->state = VALUE;
        return 0;
    }
    return fail(err, "an attribute without a quoted value");
}

static int end_value(struct xapi_db *db, struct filter_output *out, struct err *err)
{
    int64_t replaced = 0;
    if (!strbuf_ok(&db->value))
        return err_set(err, ERR_LIMIT,
                       "field '%s' of the XAPI database is larger than 8 MiB: it cannot be "
                       "searched for secrets",
                       db->attribute.data);
    if (strcmp(db->element.data, "table") == 0 && strcmp(db->attribute.data, "name") == 0) {
        strbuf_clear(&db->table);
        int r = field_unescape(db->value.data, db->value.length, &db->table, err);
        if (r < 0)
            return r;
    } else {
        int r = field_redact(db->table.data, db->attribute.data, &db->value, db->quote, &out->bytes,
                             &replaced, err);
        if (r < 0)
            return r;
    }
    if (replaced == 0)
        strbuf_add(&out->bytes, db->value.data, db->value.length);
    out->replaced += replaced;
    strbuf_addc(&out->bytes, db->quote);
    db->state = IN_TAG;
    return 0;
}

static int closing_byte(struct xapi_db *db, char c, struct filter_output *out, struct err *err)
{
    strbuf_addc(&out->bytes, c);
    if (is_name_byte(c)) {
        strbuf_addc(&db->element, c);
        return 0;
    }
    if (is_blank(c))
        return 0;
    if (c != '>' || db->depth == 0 || !strbuf_ok(&db->element))
        return fail(err, "a broken closing tag");
    end_element(db);
    return 0;
}

static int take_byte(struct xapi_db *db, char c, struct filter_output *out, struct err *err)
{
    switch (db->state) {
    case TEXT:
        return text_byte(db, c, out, err);
    case OPENED:
        return opened_byte(db, c, out, err);
    case BANG:
        return bang_byte(db, c, err);
    case COMMENT:
        comment_byte(db, c);
        return 0;
    case INSTRUCTION:
        instruction_byte(db, c, out);
        return 0;
    case ELEMENT_NAME:
        return element_name_byte(db, c, out, err);
    case IN_TAG:
        return tag_byte(db, c, out, err);
    case ATTRIBUTE_NAME:
    case BEFORE_EQUALS:
    case BEFORE_VALUE:
        return attribute_byte(db, c, out, err);
    case EMPTY_TAG:
        strbuf_addc(&out->bytes, c);
        if (c != '>')
            return fail(err, "a '/' in a tag");
        end_element(db);
        return 0;
    case CLOSING_TAG:
        return closing_byte(db, c, out, err);
    case VALUE: /* taken in whole pieces by xapi_db_write() */
        break;
    }
    return 0;
}

int xapi_db_write(void *filter, const char *bytes, size_t length, struct filter_output *out,
                  struct err *err)
{
    struct xapi_db *db = filter;
    for (const char *end = bytes + length; bytes < end;) {
        int r;
        if (db->state != VALUE) {
            r = take_byte(db, *bytes++, out, err);
        } else {
            const char *quote = memchr(bytes, db->quote, (size_t)(end - bytes));
            const char *stop = quote ? quote : end;
            strbuf_add(&db->value, bytes, (size_t)(stop - bytes));
            bytes = quote ? quote + 1 : end;
            r = quote || !strbuf_ok(&db->value) ? end_value(db, out, err) : 0;
        }
        if (r < 0)
            return r;
    }
    return 0;
}

int xapi_db_finish(void *filter, struct filter_output *out, struct err *err)
{
    (void)out;
    const struct xapi_db *db = filter;
    if (db->state != TEXT || db->depth != 0 || !db->root_seen)
        return fail(err, "it ends too early");
    return 0;
}
