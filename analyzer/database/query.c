/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Statements of strangers: rules and --query.
 *
 * SQLite asks the authorizer about every action while it compiles a statement, so what is not
 * reading never gets as far as running. The same callback tells which tables are read. Time is
 * limited by the progress handler, which the library calls every so many steps of its virtual
 * machine. It is the thread's processor time, so that a busy machine makes no rule unknown.
 */
#include "analyzer/database/database_private.h"

#include <strings.h>
#include <time.h>

/* Steps between two looks at the clock: about 0.1 ms, and not seen in a profile. */
#define STEPS_PER_LOOK 4096

/* Actions as people call them, for the refusal. `first` is the table, for those that have one. */
static const char *action_name(int action, const char *first)
{
    static const struct {
        int action;
        const char *name;
    } names[] = {
        {SQLITE_INSERT, "INSERT"},
        {SQLITE_UPDATE, "UPDATE"},
        {SQLITE_DELETE, "DELETE"},
        {SQLITE_ATTACH, "ATTACH"},
        {SQLITE_DETACH, "DETACH"},
        {SQLITE_PRAGMA, "PRAGMA"},
        {SQLITE_TRANSACTION, "BEGIN or COMMIT"},
        {SQLITE_SAVEPOINT, "SAVEPOINT"},
        {SQLITE_ANALYZE, "ANALYZE"},
        {SQLITE_REINDEX, "REINDEX"},
        {SQLITE_FUNCTION, "function"},
    };
    /* What changes the schema begins with a change of the schema's own table. */
    bool is_schema = first && strncmp(first, "sqlite_", 7) == 0;
    for (size_t i = 0; i < ARRAY_SIZE(names) && !is_schema; i++)
        if (names[i].action == action)
            return names[i].name;
    return "CREATE, ALTER or DROP";
}

static bool is_listed(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (name && strcasecmp(name, list[i]) == 0)
            return true;
    return false;
}

/* Functions that reach outside the database, should this build of the library have them. */
static bool is_function_allowed(const char *name)
{
    static const char *const refused[] = {"load_extension", "readfile",       "writefile",
                                          "edit",           "fts3_tokenizer", "sqlite_log"};
    return !is_listed(name, refused, ARRAY_SIZE(refused));
}

/* PRAGMAs that only describe tables; as table-valued functions they are asked about in the same
 * way. */
static bool is_pragma_allowed(const char *name)
{
    static const char *const allowed[] = {"table_info",    "table_xinfo",    "table_list",
                                          "function_list", "collation_list", "compile_options"};
    return is_listed(name, allowed, ARRAY_SIZE(allowed));
}

/* Tables that tell of tables. */
static bool is_of_schema(const char *name)
{
    return sqlite3_strnicmp(name, "sqlite_", 7) == 0 || sqlite3_strnicmp(name, "pragma_", 7) == 0;
}

static bool append_name(struct table_names *names, const char *name)
{
    const char **grown = realloc(names->names, (names->count + 1) * sizeof *grown);
    if (!grown)
        return false;
    names->names = grown;
    grown[names->count] = strdup(name);
    if (!grown[names->count])
        return false;
    names->count++;
    return true;
}

bool table_names_add(struct table_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcasecmp(names->names[i], name) == 0)
            return true;
    return append_name(names, name);
}

void table_names_release(struct table_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free((void *)names->names[i]);
    free(names->names);
    *names = (struct table_names){0};
}

static int authorize(void *context, int action, const char *first, const char *second,
                     const char *schema, const char *trigger)
{
    (void)schema;
    (void)trigger;
    struct guard *guard = context;
    if (guard->access == ACCESS_OWN)
        return SQLITE_OK;
    bool allowed = false;
    const char *detail = NULL;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        allowed = guard->selects = true;
        break;
    case SQLITE_READ:
        allowed = true;
        guard->describes = guard->describes || is_of_schema(first);
        if (guard->recording && !table_names_add(&guard->reads, first))
            guard->out_of_memory = true;
        break;
    case SQLITE_FUNCTION:
        allowed = is_function_allowed(second);
        detail = second;
        break;
    case SQLITE_PRAGMA:
        allowed = is_pragma_allowed(first);
        guard->selects = guard->selects || allowed;
        guard->describes = true;
        detail = first;
        break;
    }
    if (allowed)
        return SQLITE_OK;
    snprintf(guard->refused, sizeof guard->refused, "%s%s%s", action_name(action, first),
             detail ? " " : "", detail ? detail : "");
    return SQLITE_DENY;
}

static int64_t thread_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int look_at_clock(void *context)
{
    struct guard *guard = context;
    if (guard->deadline_ms && thread_ms() >= guard->deadline_ms)
        guard->timed_out = true;
    return guard->timed_out;
}

int database_install_guard(struct database *database, struct err *err)
{
    int rc = sqlite3_set_authorizer(database->handle, authorize, &database->guard);
    if (rc != SQLITE_OK)
        return database_fail(database, rc, err, "database");
    sqlite3_progress_handler(database->handle, STEPS_PER_LOOK, look_at_clock, &database->guard);
    return 0;
}

struct guard database_guard_begin(struct database *database, int limit_ms)
{
    struct guard outer = database->guard;
    database->guard = (struct guard){
        .access = ACCESS_READ,
        .limit_ms = limit_ms,
        .deadline_ms = limit_ms > 0 ? thread_ms() + limit_ms : 0,
    };
    return outer;
}

void database_guard_end(struct database *database, const struct guard *outer)
{
    table_names_release(&database->guard.reads);
    database->guard = *outer;
}

/* The number of the line in the statement's text that the library's error is about, or 0. */
static int error_line(const struct database *database, const char *sql)
{
    int offset = sqlite3_error_offset(database->handle);
    if (offset < 0 || (size_t)offset > strlen(sql))
        return 0;
    int line = 1;
    for (const char *p = sql; p < sql + offset; p++)
        line += *p == '\n';
    return line;
}

static int fail_foreign(struct database *database, int rc, const char *sql, struct err *err)
{
    const struct guard *guard = &database->guard;
    if (guard->out_of_memory)
        return err_nomem(err);
    if (guard->refused[0])
        return err_set(err, ERR_DENIED, "SQL: %s is refused; a query may only read",
                       guard->refused);
    if (guard->timed_out)
        return err_set(err, ERR_TIMEOUT,
                       "SQL: the query needed more than %g s of processor time; is every table "
                       "joined by its 'host' "
                       "and a column that few rows share?",
                       guard->limit_ms / 1000.0);
    static const struct {
        const char *problem, *remedy;
    } hints[] = {
        {"no such table: ", "`xen-analyze tables` lists all"},
        {"no such column: ", "`xen-analyze tables NAME` lists a table's; text stands in '...'"},
        {"unrecognized token: \"{\"", "in a rule, '{name}' must be one of its 'params'"},
    };
    char what[32];
    int line = error_line(database, sql);
    /* A place in a text of one line says nothing. */
    if (line && strchr(sql, '\n'))
        snprintf(what, sizeof what, "SQL, line %d", line);
    else
        snprintf(what, sizeof what, "SQL");
    const char *message = sqlite3_errmsg(database->handle);
    for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
        if ((rc & 0xff) == SQLITE_ERROR &&
            strncmp(message, hints[i].problem, strlen(hints[i].problem)) == 0)
            return err_set(err, ERR_PARSE, "%s: %s (%s)", what, message, hints[i].remedy);
    return database_fail(database, rc, err, what);
}

/* Only blanks, comments and semicolons may follow the statement. */
static int check_tail(struct database *database, const char *tail, struct err *err)
{
    while (*tail) {
        CLEANUP_STATEMENT sqlite3_stmt *second = NULL;
        const char *next = tail;
        int rc = sqlite3_prepare_v2(database->handle, tail, -1, &second, &next);
        if (rc != SQLITE_OK || second)
            return err_set(err, ERR_DENIED,
                           "SQL: there is something behind the statement; "
                           "only one statement can be run");
        if (next == tail)
            break;
        tail = next;
    }
    return 0;
}

/* Who looks at the schema finds all tables there, and what is wrong with a statement is told of
 * tables. */
static int make_all_real(struct database *database, struct err *err)
{
    struct guard guard = database->guard;
    int r = 0;
    database->guard = (struct guard){.access = ACCESS_OWN};
    for (size_t i = 0; r == 0 && i < table_set_count(database->tables); i++)
        r = database_make_real(database,
                               database_state(database, table_set_at(database->tables, i)), err);
    database->guard = guard;
    database->guard.refused[0] = '\0';
    database->all_real = r == 0;
    return r;
}

int database_prepare_foreign(struct database *database, const char *sql, sqlite3_stmt **ret,
                             struct err *err)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    const char *tail = sql;
    int rc = sqlite3_prepare_v2(database->handle, sql, -1, &statement, &tail);
    if ((rc != SQLITE_OK || database->guard.describes) && !database->all_real) {
        sqlite3_finalize(TAKE(statement));
        int r = make_all_real(database, err);
        if (r < 0)
            return r;
        rc = sqlite3_prepare_v2(database->handle, sql, -1, &statement, &tail);
    }
    if (rc != SQLITE_OK)
        return fail_foreign(database, rc, sql, err);
    if (!statement)
        return err_set(err, ERR_PARSE, "SQL: there is no statement");
    if (database->guard.out_of_memory)
        return err_nomem(err);
    if (!sqlite3_stmt_readonly(statement) || !database->guard.selects)
        return err_set(err, ERR_DENIED, "SQL: the statement is no SELECT; a query may only read");
    if (sqlite3_bind_parameter_count(statement) > 0)
        return err_set(err, ERR_PARSE, "SQL: parameters (%s) have no value here",
                       sqlite3_bind_parameter_name(statement, 1)
                           ? sqlite3_bind_parameter_name(statement, 1)
                           : "?");
    /* The names of a second statement must not count. */
    struct guard first = database_guard_begin(database, 0);
    int r = check_tail(database, tail, err);
    database_guard_end(database, &first);
    if (r < 0)
        return r;
    *ret = TAKE(statement);
    return 0;
}

/* Takes out the names that are no tables of ours: json_each and the like have no source. */
static void keep_tables(const struct database *database, struct table_names *names)
{
    size_t kept = 0;
    for (size_t i = 0; i < names->count; i++)
        if (table_set_find(database->tables, names->names[i]) ||
            database_is_built_in(database, names->names[i]))
            names->names[kept++] = names->names[i];
        else
            free((void *)names->names[i]);
    names->count = kept;
}

int database_references(struct database *database, const char *sql, struct table_names *ret,
                        struct err *err)
{
    struct guard outer = database_guard_begin(database, 0);
    database->guard.recording = true;
    sqlite3_stmt *statement = NULL;
    int r = database_prepare_foreign(database, sql, &statement, err);
    sqlite3_finalize(statement);
    struct table_names names = database->guard.reads;
    database->guard.reads = (struct table_names){0};
    database_guard_end(database, &outer);
    if (r < 0) {
        table_names_release(&names);
        return r;
    }
    keep_tables(database, &names);
    *ret = names;
    return 0;
}

int database_columns(struct database *database, const char *sql, struct table_names *ret,
                     struct err *err)
{
    struct guard outer = database_guard_begin(database, 0);
    sqlite3_stmt *statement = NULL;
    struct table_names names = {0};
    int r = database_prepare_foreign(database, sql, &statement, err);
    for (int i = 0; r == 0 && i < sqlite3_column_count(statement); i++) {
        const char *name = sqlite3_column_name(statement, i);
        if (!name || !append_name(&names, name))
            r = err_nomem(err);
    }
    sqlite3_finalize(statement);
    database_guard_end(database, &outer);
    if (r < 0) {
        table_names_release(&names);
        return r;
    }
    *ret = names;
    return 0;
}

/* The arrays of a result row. */
struct row_buffer {
    const char **names, **values;
    int *types;
};

/* The sink runs under the rules of the caller: it may use the database for its own purposes. */
static int call_sink(struct database *database, const struct guard *outer, result_sink sink,
                     void *context, const struct result_row *row, struct err *err)
{
    struct guard inner = database->guard;
    database->guard = *outer;
    int r = sink(context, row, err);
    database->guard = inner;
    return r;
}

static int run_query(struct database *database, const char *sql, sqlite3_stmt *statement,
                     const struct guard *outer, struct row_buffer *buffer, result_sink sink,
                     void *context, struct err *err)
{
    int count = sqlite3_column_count(statement);
    for (;;) {
        int rc = sqlite3_step(statement);
        if (rc == SQLITE_DONE)
            return 0;
        if (rc != SQLITE_ROW)
            return fail_foreign(database, rc, sql, err);
        for (int i = 0; i < count; i++) {
            buffer->names[i] = sqlite3_column_name(statement, i);
            buffer->types[i] = sqlite3_column_type(statement, i);
            buffer->values[i] = (const char *)sqlite3_column_text(statement, i);
            if (!buffer->names[i] || (!buffer->values[i] && buffer->types[i] != SQLITE_NULL))
                return err_nomem(err);
        }
        struct result_row row = {count, buffer->names, buffer->values, buffer->types};
        int r = call_sink(database, outer, sink, context, &row, err);
        if (r < 0)
            return r;
    }
}

int database_query(struct database *database, const char *sql, int limit_ms, result_sink sink,
                   void *context, struct err *err)
{
    struct guard outer = database_guard_begin(database, limit_ms);
    sqlite3_stmt *statement = NULL;
    int r = database_prepare_foreign(database, sql, &statement, err);
    if (r == 0) {
        size_t count = (size_t)sqlite3_column_count(statement);
        count = count ? count : 1;
        struct row_buffer buffer = {
            .names = calloc(count, sizeof *buffer.names),
            .values = calloc(count, sizeof *buffer.values),
            .types = calloc(count, sizeof *buffer.types),
        };
        r = buffer.names && buffer.values && buffer.types
                ? run_query(database, sql, statement, &outer, &buffer, sink, context, err)
                : err_nomem(err);
        free(buffer.names);
        free(buffer.values);
        free(buffer.types);
    }
    sqlite3_finalize(statement);
    database_guard_end(database, &outer);
    return r;
}
