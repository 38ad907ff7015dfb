/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XAPI's database (xapi-db.xml): one file, hundreds of megabytes on one line, that fills a family
 * of tables.
 *
 *   <database><manifest><pair key=".." value=".."/></manifest>
 *     <table name="VM"><row ref="OpaqueRef:.." uuid=".." name__label=".." .../></table>
 * ...</database>
 *
 * It is streamed: the largest thing in memory is one row. Older versions of expat start over with
 * an unfinished tag at each piece they get, which takes hours for a large tag in small pieces; so
 * pieces are collected into large ones, that grow with the unfinished tag. What would make an XML
 * file dangerous (a document type, hence entities; deep nesting; endless tags) ends the reading:
 * the rows so far count, and the file is malformed.
 */
#include <expat.h>
#include <sys/random.h>

#include "analyzer/tables/extract.h"
#include "analyzer/tables/xapi_class.h"
#include "common/vec.h"

#define PIECE_SIZE (256 * 1024) /* bytes given to expat at a time, at least */
#define TAG_MAX                                                                                    \
    (16 * 1024 * 1024) /* bytes of a tag; a VM with its snapshots' metadata has about 1 MB */
#define DEPTH_MAX 256  /* XAPI's own is 3 */
#define PAIRS_MAX 64   /* of the manifest; there are about 5 */

/* A column's value: where it lies in `values`. */
struct span {
    size_t start, length;
    bool set;
};

struct pair {
    char *key, *value;
};

struct state {
    struct row_writer *writer;
    const struct table *leader;
    XML_Parser parser;
    char *buffer;         /* expat's, for the piece being filled */
    size_t piece, filled; /* its size (0: there is none) and how much is there */
    size_t unfinished;    /* bytes given to expat since the last tag */
    int depth;
    const struct table *table; /* of the class whose rows come, if they are wanted */
    bool in_class, any_row;
    VEC(struct pair)
    pairs;              /* the manifest, held until a row shows that the database is not empty */
    struct span *spans; /* of the widest table */
    struct cell *cells;
    struct strbuf values, extra, scratch;
    bool any_bytes;
    bool stopped; /* nothing more is read */
    bool malformed;
    int failure; /* of the sink, or of memory */
    struct err *err;
};

static void stop(struct state *state, int failure)
{
    state->stopped = true;
    state->failure = failure;
    state->malformed = failure == 0;
    XML_StopParser(state->parser, XML_FALSE);
}

static const struct xapi_class *class_of(const struct table *table)
{
    return table->options;
}

static const struct table *find_table(const struct state *state, const char *class)
{
    for (size_t i = 0; i < state->leader->member_count; i++)
        if (strcmp(class_of(state->leader->members[i])->name, class) == 0)
            return state->leader->members[i];
    return NULL;
}

static const char *attribute(const XML_Char **attributes, const char *name)
{
    for (; *attributes; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

static void add_extra(struct state *state, const char *name, const char *text, size_t length)
{
    strbuf_addc(&state->extra, state->extra.length ? ',' : '{');
    xapi_value_quote(&state->extra, name, strlen(name));
    strbuf_addc(&state->extra, ':');
    xapi_value_decode(XAPI_ANY, text, length, &state->extra, &state->scratch);
}

static void too_long(struct state *state, const char *name, size_t length)
{
    char note[64];
    int size = snprintf(note, sizeof note, "too long: %zu bytes", length);
    add_extra(state, name, note, (size_t)size);
}

/* One attribute into one column. */
static void take_field(struct state *state, const struct xapi_class *class, size_t column,
                       const char *name, const char *text, size_t length)
{
    enum xapi_kind kind = class->kinds[column];
    struct span *span = &state->spans[column];
    if (span->set || (kind != XAPI_PLAIN && length == 0))
        return;
    size_t start = state->values.length;
    if (!xapi_value_decode(kind, text, length, &state->values, &state->scratch)) {
        add_extra(state, name, text, length);
        return;
    }
    /* Text may be cut on its way, JSON may not. */
    if (kind != XAPI_PLAIN && state->values.length - start > EXTRACT_CELL_MAX) {
        too_long(state, name, state->values.length - start);
        strbuf_truncate(&state->values, start);
        return;
    }
    *span = (struct span){start, state->values.length - start, true};
}

static void take_attributes(struct state *state, const struct xapi_class *class,
                            const XML_Char **attributes)
{
    for (; *attributes; attributes += 2) {
        const char *name = attributes[0], *text = attributes[1];
        size_t length = strlen(text), count;
        const struct xapi_field *field = xapi_class_find(class, name, &count);
        for (size_t i = 0; i < count; i++)
            if (field[i].column != XAPI_SKIP)
                take_field(state, class, field[i].column, name, text, length);
        /* Names that begin with an underscore are the database's own: times of change, the
         * reference again. */
        if (count == 0 && name[0] != '_' && length > 0)
            add_extra(state, name, text, length);
    }
}

static void take_row(struct state *state, const XML_Char **attributes)
{
    const struct table *table = state->table;
    const struct xapi_class *class = class_of(table);
    strbuf_clear(&state->values);
    strbuf_clear(&state->extra);
    memset(state->spans, 0, table->column_count * sizeof *state->spans);
    take_attributes(state, class, attributes);
    if (class->extra < table->column_count && state->extra.length) {
        strbuf_addc(&state->extra, '}');
        if (state->extra.length <= EXTRACT_CELL_MAX) {
            state->spans[class->extra] =
                (struct span){state->values.length, state->extra.length, true};
            strbuf_add(&state->values, state->extra.data, state->extra.length);
        }
    }
    if (!strbuf_ok(&state->values) || !strbuf_ok(&state->extra) || !strbuf_ok(&state->scratch)) {
        stop(state, err_nomem(state->err));
        return;
    }
    for (size_t i = 0; i < table->column_count; i++)
        state->cells[i] =
            state->spans[i].set
                ? (struct cell){state->values.data + state->spans[i].start, state->spans[i].length}
                : (struct cell){0};
    int r = rows_emit(state->writer, table, (int64_t)XML_GetCurrentLineNumber(state->parser),
                      state->cells, state->err);
    if (r < 0)
        stop(state, r);
}

static void hold_pair(struct state *state, const XML_Char **attributes)
{
    const char *key = attribute(attributes, "key"), *value = attribute(attributes, "value");
    if (!key || !value || state->pairs.count == PAIRS_MAX)
        return;
    struct pair *pair = vec_push(&state->pairs);
    if (pair) {
        pair->key = strdup(key);
        pair->value = strdup(value);
    }
    if (!pair || !pair->key || !pair->value)
        stop(state, err_nomem(state->err));
}

static void take_manifest(struct state *state)
{
    state->table = find_table(state, XAPI_MANIFEST);
    if (!state->table || !rows_wanted(state->writer, state->table))
        return;
    for (size_t i = 0; i < state->pairs.count && !state->stopped; i++) {
        const char *attributes[] = {"key", state->pairs.items[i].key, "value",
                                    state->pairs.items[i].value, NULL};
        take_row(state, attributes);
    }
}

static void XMLCALL start_element(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct state *state = context;
    state->unfinished = 0;
    if (++state->depth > DEPTH_MAX) {
        stop(state, 0);
    } else if (strcmp(name, "row") == 0 && state->in_class) {
        if (!state->any_row) {
            const struct table *table = state->table;
            state->any_row = true;
            take_manifest(state);
            state->table = table;
        }
        if (state->table && !state->stopped)
            take_row(state, attributes);
    } else if (strcmp(name, "table") == 0) {
        const char *class = attribute(attributes, "name");
        state->in_class = true;
        state->table = class && strcmp(class, XAPI_MANIFEST) != 0 ? find_table(state, class) : NULL;
        if (state->table && !rows_wanted(state->writer, state->table))
            state->table = NULL;
    } else if (strcmp(name, "pair") == 0 && !state->in_class) {
        hold_pair(state, attributes);
    }
}

static void XMLCALL end_element(void *context, const XML_Char *name)
{
    struct state *state = context;
    state->unfinished = 0;
    state->depth--;
    if (strcmp(name, "table") == 0)
        state->in_class = false;
}

static void XMLCALL refuse_doctype(void *context, const XML_Char *name, const XML_Char *system_id,
                                   const XML_Char *public_id, int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    stop(context, 0);
}

static void free_state(void *context)
{
    struct state *state = context;
    if (state->parser)
        XML_ParserFree(state->parser);
    for (size_t i = 0; i < state->pairs.count; i++) {
        free(state->pairs.items[i].key);
        free(state->pairs.items[i].value);
    }
    vec_free(&state->pairs);
    free(state->spans);
    free(state->cells);
    strbuf_release(&state->values);
    strbuf_release(&state->extra);
    strbuf_release(&state->scratch);
    free(state);
}

static int begin(const struct table *table, struct row_writer *writer, void **ret_state,
                 struct err *err)
{
    size_t widest = 0;
    for (size_t i = 0; i < table->member_count; i++)
        if (table->members[i]->column_count > widest)
            widest = table->members[i]->column_count;
    struct state *state = calloc(1, sizeof *state);
    if (!state)
        return err_nomem(err);
    state->writer = writer;
    state->leader = table;
    state->values = state->extra = state->scratch = (struct strbuf)STRBUF_INIT;
    state->spans = calloc(widest, sizeof *state->spans);
    state->cells = calloc(widest, sizeof *state->cells);
    state->parser = XML_ParserCreate(NULL);
    if (!state->spans || !state->cells || !state->parser) {
        free_state(state);
        return err_nomem(err);
    }
    /* Against names chosen to collide in expat's tables; without random bytes expat finds its own.
     */
    unsigned long salt = 0;
    if (getrandom(&salt, sizeof salt, GRND_NONBLOCK) == (ssize_t)sizeof salt)
        XML_SetHashSalt(state->parser, salt | 1);
    XML_SetUserData(state->parser, state);
    XML_SetElementHandler(state->parser, start_element, end_element);
    XML_SetStartDoctypeDeclHandler(state->parser, refuse_doctype);
    *ret_state = state;
    return 0;
}

/* After a call of expat: whether it goes on. */
static int check(struct state *state, enum XML_Status status, struct err *err)
{
    if (status == XML_STATUS_ERROR && !state->stopped) {
        bool memory = XML_GetErrorCode(state->parser) == XML_ERROR_NO_MEMORY;
        state->stopped = true;
        state->malformed = !memory;
        state->failure = memory ? err_nomem(err) : 0;
    }
    return state->failure;
}

static int parse_piece(struct state *state, struct err *err)
{
    state->err = err;
    state->unfinished += state->filled;
    enum XML_Status status = XML_ParseBuffer(state->parser, (int)state->filled, XML_FALSE);
    state->any_bytes = true;
    state->piece = state->filled = 0;
    if (state->unfinished > TAG_MAX)
        state->stopped = state->malformed = true;
    return check(state, status, err);
}

static int feed(void *context, const char *bytes, size_t length, int64_t line, struct err *err)
{
    (void)line;
    struct state *state = context;
    while (length > 0 && !state->stopped) {
        if (state->piece == 0) {
            state->piece = state->unfinished > PIECE_SIZE ? state->unfinished : PIECE_SIZE;
            state->buffer = XML_GetBuffer(state->parser, (int)state->piece);
            if (!state->buffer)
                return err_nomem(err);
        }
        size_t part = state->piece - state->filled;
        if (part > length)
            part = length;
        memcpy(state->buffer + state->filled, bytes, part);
        state->filled += part;
        bytes += part;
        length -= part;
        int r = state->filled == state->piece ? parse_piece(state, err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int finish(void *context, bool *malformed, struct err *err)
{
    struct state *state = context;
    int r = 0;
    if (!state->stopped && state->filled > 0)
        r = parse_piece(state, err);
    /* A file without a byte is an empty one, not a broken one. */
    if (r == 0 && !state->stopped && state->any_bytes) {
        state->err = err;
        r = check(state, XML_Parse(state->parser, "", 0, XML_TRUE), err);
    }
    *malformed = state->malformed;
    return r;
}

const struct mode mode_xapi_db = {
    .name = "xapi-db",
    .keys = xapi_class_keys,
    .family = true,
    .load = xapi_class_load,
    .begin = begin,
    .feed = feed,
    .finish = finish,
    .free = free_state,
};
