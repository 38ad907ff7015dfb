/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * For tests of the database: one with a table of disks, one of notes and two of objects, and two
 * hosts' rows to fill in.
 */
#pragma once

#include "database_fixture.h"

static const char *const yaml[] = {
    "table: disks\n"
    "files: [disks.txt]\n"
    "mode: lines\n"
    "row: '^(?<name>\\S+) (?<size>\\S+) (?<used>\\S+) (?<load>\\S+) (?<firmware>\\S+)'\n"
    "columns: {name: text, size: bytes, used: integer, load: real, firmware: version}\n",
    "table: notes\n"
    "files: [notes.txt]\n"
    "mode: lines\n"
    "row: '^(?<text>.*)'\n"
    "columns: {text: text}\n",
    "family: objects\n"
    "files: [first.xml, second.xml]\n"
    "mode: xapi-db\n"
    "tables:\n"
    "  vms: {class: VM, columns: {ref: text}}\n"
    "  srs: {class: SR, columns: {ref: text}}\n",
    NULL,
};

struct fixture {
    struct table_set *tables;
    struct database *database;
};

static inline int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = ERR_INIT;
    assert_non_null(fixture);
    fixture->tables = tables_from(yaml);
    assert_ok(database_open(fixture->tables, NULL, &fixture->database, &err), &err);
    *state = fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    database_free(fixture->database);
    table_set_free(fixture->tables);
    free(fixture);
    return 0;
}

static inline void settle(struct fixture *fixture)
{
    static const char *const names[] = {"alpha", "beta", "gamma"};
    struct err err = ERR_INIT;
    assert_ok(database_settle_hosts(fixture->database, names, 3, &err), &err);
}

static inline void fill(struct fixture *fixture)
{
    ADD_ROW(fixture->database, fixture->tables, "disks", 0, "disks.txt", "sda", "4G", "12", "0.5",
            "1.10");
    ADD_ROW(fixture->database, fixture->tables, "disks", 1, "disks.txt", "sdb", "4096", "7", "1e3",
            "1.9");
    settle(fixture);
}

static inline int query_code(struct fixture *fixture, const char *sql, int limit_ms,
                             struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    int r = database_query(fixture->database, sql, limit_ms, append_row, &text, err);
    strbuf_release(&text);
    return r;
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
