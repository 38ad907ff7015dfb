/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Opening the database, its schema, and what becomes of hosts.
 *
 * While a report is read nobody knows yet what its hosts are called, so rows carry the host's
 * index; at the end database_settle() writes the names over them, table by table, and throws away
 * the rows of alternative files. Everything until then is one transaction without a journal: a
 * database that was not finished is rubbish anyway.
 */
#include "analyzer/database/database_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/io.h"

/* Limits of a connection; the library's own are meant for trusted statements. */
static const struct {
    int id, value;
} limits[] = {
    {SQLITE_LIMIT_LENGTH, 64 * 1024 * 1024}, /* one value, one row */
    {SQLITE_LIMIT_SQL_LENGTH, 64 * 1024}, /* the longest of ours, a CREATE TABLE, has about 8 K */
    {SQLITE_LIMIT_EXPR_DEPTH, 200},
    {SQLITE_LIMIT_COMPOUND_SELECT, 100},
    {SQLITE_LIMIT_VDBE_OP, 1000 * 1000},
    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
    {SQLITE_LIMIT_ATTACHED, 0},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
    {SQLITE_LIMIT_WORKER_THREADS, 0},
};

int database_fail(struct database *database, int rc, struct err *err, const char *what)
{
    int code = ERR_IO;
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return err_nomem(err);
    case SQLITE_ERROR:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
        code = ERR_PARSE;
        break;
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        code = ERR_DENIED;
        break;
    case SQLITE_INTERRUPT:
        code = ERR_TIMEOUT;
        break;
    case SQLITE_TOOBIG:
        code = ERR_LIMIT;
        break;
    case SQLITE_MISUSE:
        code = ERR_BUG;
        break;
    }
    return err_set(err, code, "%s: %s", what, sqlite3_errmsg(database->handle));
}

int database_run(struct database *database, const char *sql, struct err *err)
{
    int rc = sqlite3_exec(database->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : database_fail(database, rc, err, "database");
}

int database_prepare(struct database *database, const char *sql, sqlite3_stmt **ret,
                     struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL);
    if (rc != SQLITE_OK)
        return database_fail(database, rc, err, "database");
    *ret = statement;
    return 0;
}

const char *database_column_type(enum column_type type)
{
    switch (type) {
    case COLUMN_INTEGER:
    case COLUMN_BYTES:
        return "INTEGER";
    case COLUMN_REAL:
        return "REAL";
    case COLUMN_VERSION:
        return "TEXT COLLATE VERSION";
    case COLUMN_TEXT:
        break;
    }
    return "TEXT";
}

void database_add_name(struct strbuf *sql, const char *name)
{
    strbuf_addc(sql, '"');
    for (const char *quote; (quote = strchr(name, '"')); name = quote + 1) {
        strbuf_add(sql, name, (size_t)(quote + 1 - name));
        strbuf_addc(sql, '"');
    }
    strbuf_adds(sql, name);
    strbuf_addc(sql, '"');
}

static void add_columns(struct strbuf *sql, const struct table *table)
{
    strbuf_adds(sql, "(host TEXT, path TEXT, line INTEGER");
    for (size_t i = 0; i < table->column_count; i++) {
        strbuf_adds(sql, ", ");
        database_add_name(sql, table->columns[i].name);
        strbuf_adds(sql, " ");
        strbuf_adds(sql, database_column_type(table->columns[i].type));
    }
    strbuf_addc(sql, ')');
}

static int create_shape(struct database *database, const struct table *table, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf columns = STRBUF_INIT;
    add_columns(&columns, table);
    return strbuf_ok(&columns) ? database_shape(database, table->name, columns.data, err)
                               : err_nomem(err);
}

int database_make_real(struct database *database, struct table_state *state, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf sql = STRBUF_INIT;
    if (state->is_real)
        return 0;
    strbuf_adds(&sql, "CREATE TABLE ");
    database_add_name(&sql, state->table->name);
    strbuf_addc(&sql, ' ');
    add_columns(&sql, state->table);
    int r = strbuf_ok(&sql) ? database_run(database, sql.data, err) : err_nomem(err);
    state->is_real = r == 0;
    return err_prefix(err, r, "table '%s'", state->table->name);
}

static int compare_states(const void *a, const void *b)
{
    const struct table_state *left = a, *right = b;
    return (left->table > right->table) - (left->table < right->table);
}

struct table_state *database_state(const struct database *database, const struct table *table)
{
    struct table_state key = {.table = table};
    return bsearch(&key, database->states, database->state_count, sizeof key, compare_states);
}

static int note_function(void *context, int count, char **values, char **names)
{
    (void)count;
    (void)names;
    struct database *database = context;
    char **slot = vec_push(&database->functions);
    return slot && (*slot = strdup(values[0])) ? 0 : 1;
}

/*
 * Table-valued functions are connected on first use, by statements that the authorizer refuses to
 * strangers: those they may use are connected here.
 */
static int connect_functions(struct database *database, struct err *err)
{
    int rc = sqlite3_exec(database->handle, "SELECT name FROM pragma_module_list", note_function,
                          database, NULL);
    if (rc != SQLITE_OK)
        return rc == SQLITE_ABORT ? err_nomem(err) : database_fail(database, rc, err, "database");
    return database_run(database,
                        "SELECT 1 FROM json_each('[]'), json_tree('[]'), pragma_table_info('x'),"
                        " pragma_table_xinfo('x'), pragma_table_list('x'), pragma_function_list,"
                        " pragma_collation_list, pragma_compile_options WHERE 0",
                        err);
}

/* The built-in tables are in order; those of others the library has to judge. */
static int create_schema(struct database *database, bool all_real, struct err *err)
{
    int r = database_run(
        database, "BEGIN; CREATE TABLE hosts (host TEXT, source TEXT, taken INTEGER, uptime TEXT,"
        " booted INTEGER)",
        err);
    size_t count = table_set_count(database->tables);
    database->states = calloc(count ? count : 1, sizeof *database->states);
    if (r == 0 && !database->states)
        r = err_nomem(err);
    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct table *table = table_set_at(database->tables, i);
        database->states[i].table = table;
        database->state_count = i + 1;
        r = all_real || !table->built_in ? database_make_real(database, &database->states[i], err)
                                         : create_shape(database, table, err);
    }
    database->all_real = all_real;
    if (r == 0)
        qsort(database->states, count, sizeof *database->states, compare_states);
    return r;
}

/* A file must be new or empty. A report is nobody else's business, so a new one is the user's
 * alone. */
static int claim_file(const char *path, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return err_set_errno(err, errno, "cannot write the database '%s'", path);
    struct stat status;
    if (fstat(fd, &status) < 0)
        return err_set_errno(err, errno, "cannot write the database '%s'", path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_IO, "cannot write the database '%s': it is no regular file", path);
    if (status.st_size > 0)
        return err_set(err, ERR_IO,
                       "cannot write the database '%s': it exists; remove it or name another file",
                       path);
    return 0;
}

static int connect(struct database *database, const char *path, struct err *err)
{
    /* A name like "file:x" or ":memory:" must mean the file of that name. */
    char *name = NULL;
    if (path) {
        int r = claim_file(path, err);
        if (r < 0)
            return r;
        if (asprintf(&name, "%s%s", path[0] == '/' ? "" : "./", path) < 0)
            return err_nomem(err);
    }
    /* Nobody asks how much memory the library has; counting it locks at each malloc(). Once it is
     * in use it refuses, which is as good. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    int rc =
        sqlite3_open_v2(name ? name : ":memory:", &database->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    free(name);
    if (!database->handle)
        return err_nomem(err);
    if (rc != SQLITE_OK)
        return database_fail(database, rc, err, path ? path : "database");
    sqlite3_extended_result_codes(database->handle, 1);
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
        sqlite3_limit(database->handle, limits[i].id, limits[i].value);

    /* No journal, hence no second file; what is not finished is thrown away. Exclusive: no locks
     * either. */
    int r = database_run(database,
                         "PRAGMA page_size=8192; PRAGMA locking_mode=EXCLUSIVE;"
                         "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                         "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32768",
                         err);
    if (r < 0)
        return r;
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    rc = database_add_functions(database->handle);
    if (rc != SQLITE_OK)
        return database_fail(database, rc, err, "database");
    r = connect_functions(database, err);
    return r < 0 ? r : database_install_guard(database, err);
}

DEFINE_CLEANUP(database_cleanup, struct database *, database_free)

int database_open(const struct table_set *tables, const char *path, struct database **ret,
                  struct err *err)
{
    CLEANUP(database_cleanup) struct database *database = calloc(1, sizeof *database);
    if (!database)
        return err_nomem(err);
    database->answer = (struct strbuf)STRBUF_INIT;
    database->tables = tables;
    database->loading = true;
    database->bytes_max = path ? DATABASE_FILE_MAX : DATABASE_MEMORY_MAX;
    int r = connect(database, path, err);
    if (r == 0)
        r = create_schema(database, path != NULL, err);
    if (r < 0)
        return r;
    *ret = TAKE(database);
    return 0;
}

void *database_free(struct database *database)
{
    if (!database)
        return NULL;
    for (size_t i = 0; i < database->state_count; i++) {
        struct table_state *state = &database->states[i];
        sqlite3_finalize(state->insert);
        vec_free(&state->sources);
        for (size_t j = 0; j < state->alternatives.count; j++)
            free(state->alternatives.items[j].path);
        vec_free(&state->alternatives);
    }
    free(database->states);
    for (size_t i = 0; i < database->temps.count; i++)
        database_temp_release(&database->temps.items[i]);
    vec_free(&database->temps);
    for (size_t i = 0; i < database->functions.count; i++)
        free(database->functions.items[i]);
    vec_free(&database->functions);
    vec_free(&database->lists);
    for (size_t i = 0; i < database->host_count; i++)
        free(database->hosts[i]);
    free(database->hosts);
    strbuf_release(&database->answer);
    sqlite3_close(database->handle);
    free(database);
    return NULL;
}

static int add_hosts(struct database *database, const struct database_host *hosts, size_t count,
                     struct err *err)
{
    CLEANUP_STATEMENT sqlite3_stmt *insert = NULL;
    int r = database_prepare(database, "INSERT INTO hosts VALUES (?1, ?2, ?3, ?4, ?5)", &insert, err);
    if (r < 0)
        return r;
    database->hosts = calloc(count ? count : 1, sizeof *database->hosts);
    if (!database->hosts)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++) {
        database->hosts[i] = strdup(hosts[i].name);
        if (!database->hosts[i])
            return err_nomem(err);
        database->host_count = i + 1;
        sqlite3_bind_text(insert, 1, hosts[i].name, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, hosts[i].source, -1, SQLITE_STATIC);
        if (hosts[i].taken_is_known)
            sqlite3_bind_int64(insert, 3, hosts[i].taken);
        else
            sqlite3_bind_null(insert, 3);
        sqlite3_bind_text(insert, 4, hosts[i].uptime, -1, SQLITE_STATIC);
        if (hosts[i].booted)
            sqlite3_bind_int64(insert, 5, hosts[i].booted);
        else
            sqlite3_bind_null(insert, 5);
        int rc = sqlite3_step(insert);
        sqlite3_reset(insert);
        if (rc != SQLITE_DONE)
            return database_fail(database, rc, err, "table 'hosts'");
    }
    return 0;
}

/* Removes the rows of `table` that come from files which are only a substitute for the host's best
 * one. */
static int drop_substitutes(struct database *database, const struct table_state *leader,
                            const struct table *table, struct err *err)
{
    for (size_t host = 0; host < leader->alternatives.count; host++) {
        const struct alternative *best = &leader->alternatives.items[host];
        if (!best->mixed)
            continue;
        char *sql = sqlite3_mprintf("DELETE FROM \"%w\" WHERE host = '%llu' AND path <> %Q",
                                    table->name, (unsigned long long)host, best->path);
        int r = sql ? database_run(database, sql, err) : err_nomem(err);
        sqlite3_free(sql);
        if (r < 0)
            return r;
    }
    return 0;
}

static int settle_table(struct database *database, struct table_state *state, struct err *err)
{
    const struct table *table = state->table;
    sqlite3_finalize(state->insert);
    state->insert = NULL;
    if (!state->has_rows)
        return 0;
    int r = drop_substitutes(database, database_state(database, table->leader), table, err);
    if (r < 0)
        return r;
    char *sql = sqlite3_mprintf(
        "UPDATE \"%w\" SET host = (SELECT name FROM temp.host_names WHERE id = host)", table->name);
    r = sql ? database_run(database, sql, err) : err_nomem(err);
    sqlite3_free(sql);
    return r;
}

int database_settle(struct database *database, const struct database_host *hosts, size_t count,
                    struct err *err)
{
    if (!database->loading)
        return err_set(err, ERR_BUG, "the hosts of the database are settled already");
    for (size_t i = 0; i < database->state_count; i++)
        if (database->states[i].sources.count > count)
            return err_set(err, ERR_BUG, "table '%s' has rows of host %zu, there are %zu",
                           database->states[i].table->name, database->states[i].sources.count,
                           count);
    int r = add_hosts(database, hosts, count, err);
    if (r == 0)
        r = database_run(
            database,
            "CREATE TEMP TABLE host_names (id TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID;"
            "INSERT INTO host_names SELECT rowid - 1, host FROM hosts",
            err);
    for (size_t i = 0; r == 0 && i < database->state_count; i++)
        r = settle_table(database, &database->states[i], err);
    if (r == 0)
        r = database_run(database, "DROP TABLE temp.host_names; COMMIT", err);
    if (r == 0)
        database->loading = false;
    return r;
}

int database_settle_hosts(struct database *database, const char *const *names, size_t count,
                          struct err *err)
{
    struct database_host *hosts = calloc(count ? count : 1, sizeof *hosts);
    if (!hosts)
        return err_nomem(err);
    for (size_t i = 0; i < count; i++)
        hosts[i].name = names[i];
    int r = database_settle(database, hosts, count, err);
    free(hosts);
    return r;
}

bool database_is_built_in(const struct database *database, const char *name)
{
    static const char *const names[] = {"hosts",
                                        "facts",
                                        "lists",
                                        "sqlite_schema",
                                        "sqlite_master",
                                        "sqlite_temp_schema",
                                        "sqlite_temp_master"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    for (size_t i = 0; i < database->temps.count; i++)
        if (strcasecmp(database->temps.items[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < database->lists.count; i++)
        if (database->lists.items[i] && strcasecmp(database->lists.items[i], name) == 0)
            return true;
    return false;
}

bool database_has_source(const struct database *database, const char *table, int host)
{
    const struct table *found = table_set_find(database->tables, table);
    if (!found)
        return database_is_built_in(database, table);
    const struct table_state *leader = database_state(database, found->leader);
    if (!leader)
        return false;
    for (size_t i = 0; i < leader->sources.count; i++)
        if (leader->sources.items[i] && (host < 0 || (size_t)host == i))
            return true;
    return false;
}
