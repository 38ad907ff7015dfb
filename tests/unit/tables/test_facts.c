/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Facts: how they are declared, where their values come from, how expressions over them are judged;
 * and the project's own facts over the tables they read.
 */
#include "database_fixture.h"

#include "analyzer/database/embedded.h"
#include "analyzer/database/facts.h"
#include "analyzer/tables/embedded.h"

static const char *const tables_yaml[] = {
    "table: inventory\n"
    "files: [inventory]\n"
    "mode: lines\n"
    "row: '^(?<key>\\S+) (?<value>\\S+)'\n"
    "columns: {key: text, value: text}\n",
    "table: other\n"
    "files: [other]\n"
    "mode: lines\n"
    "row: '^(?<product>\\S+)'\n"
    "columns: {product: text}\n",
    NULL,
};

static const char facts_yaml[] =
    "views: {named: 'SELECT host, product FROM other'}\n"
    "facts:\n"
    "  product:\n"
    "    type: version\n"
    "    description: Version\n"
    "    queries:\n"
    "      - SELECT host, value FROM inventory WHERE key = 'PRODUCT'\n"
    "      - SELECT host, product AS value FROM named\n"
    "  cpus:\n"
    "    type: integer\n"
    "    query: SELECT host, value FROM inventory WHERE key = 'CPUS'\n"
    "  brand:\n"
    "    query: SELECT host, value FROM inventory WHERE key = 'BRAND'\n";

struct fixture {
    struct table_set *tables;
    struct database *database;
    struct fact_set *facts;
};

static int load(const char *yaml, struct fact_set **ret, struct err *err)
{
    struct embedded_file file = {"facts.yaml", yaml, yaml + strlen(yaml)};
    return fact_set_load(&file, ret, err);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = ERR_INIT;
    assert_non_null(fixture);
    fixture->tables = tables_from(tables_yaml);
    assert_ok(database_open(fixture->tables, NULL, &fixture->database, &err), &err);
    assert_ok(load(facts_yaml, &fixture->facts, &err), &err);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fact_set_free(fixture->facts);
    database_free(fixture->database);
    table_set_free(fixture->tables);
    free(fixture);
    return 0;
}

/* alpha: all of it, beta: only from the second source, gamma: nothing. */
static void compute(struct fixture *fixture)
{
    static const char *const names[] = {"alpha", "beta", "gamma"};
    struct database *database = fixture->database;
    struct err err = ERR_INIT;
    ADD_ROW(database, fixture->tables, "inventory", 0, "inventory", "PRODUCT", "8.10");
    ADD_ROW(database, fixture->tables, "inventory", 0, "inventory", "PRODUCT", "9.9");
    ADD_ROW(database, fixture->tables, "inventory", 0, "inventory", "CPUS", "16");
    ADD_ROW(database, fixture->tables, "inventory", 0, "inventory", "BRAND", "XCP-ng");
    ADD_ROW(database, fixture->tables, "inventory", 1, "inventory", "PRODUCT", "");
    ADD_ROW(database, fixture->tables, "inventory", 1, "inventory", "CPUS", "many");
    ADD_ROW(database, fixture->tables, "other", 0, "other", "1.0");
    ADD_ROW(database, fixture->tables, "other", 1, "other", "8.2");
    assert_ok(database_settle_hosts(database, names, 3, &err), &err);
    assert_ok(facts_compute(fixture->facts, database, &err), &err);
}

static void the_first_source_that_knows_a_value_wins(void **state)
{
    struct fixture *fixture = *state;
    compute(fixture);
    assert_rows(fixture->database, "SELECT host, product, cpus, brand FROM facts",
                "alpha|8.10|16|XCP-ng\nbeta|8.2|~|~\ngamma|~|~|~\n");
    assert_rows(fixture->database, "SELECT typeof(cpus) FROM facts WHERE host = 'alpha'",
                "integer\n");
}

static void views_are_gone_once_the_facts_are_there(void **state)
{
    struct fixture *fixture = *state;
    struct table_names names = {0};
    compute(fixture);
    assert_int_equal(database_references(fixture->database, "SELECT * FROM named", &names, NULL),
                     ERR_PARSE);
}

static void a_value_is_asked_by_host_and_name(void **state)
{
    struct fixture *fixture = *state;
    compute(fixture);
    assert_string_equal(facts_get(fixture->database, "alpha", "brand"), "XCP-ng");
    assert_string_equal(facts_get(fixture->database, "alpha", "cpus"), "16");
    assert_string_equal(facts_get(fixture->database, "beta", "brand"), "");
    assert_string_equal(facts_get(fixture->database, "nobody", "brand"), "");
    assert_string_equal(facts_get(fixture->database, "alpha", "nothing"), "");
    assert_string_equal(facts_get(fixture->database, "alpha' OR '1", "brand"), "");
}

static void expressions_over_facts_are_true_false_or_unknown(void **state)
{
    static const struct {
        const char *host, *expression;
        enum truth truth;
    } cases[] = {
        {"alpha", "product >= '8.2'", TRUTH_TRUE},
        {"alpha", "product < '8.9'", TRUTH_FALSE},
        {"alpha", "'8.9' < product", TRUTH_TRUE},
        {"beta", "product >= '8.2' AND product < '8.10'", TRUTH_TRUE},
        {"beta", "product BETWEEN '8.1' AND '8.3'", TRUTH_TRUE},
        {"alpha", "product IN ('8.10', '8.11')", TRUTH_TRUE},
        {"alpha", "cpus", TRUTH_TRUE},
        {"alpha", "cpus > 100", TRUTH_FALSE},
        {"alpha", "brand = 'XCP-ng' -- a comment", TRUTH_TRUE},
        {"alpha", "brand REGEXP '^XCP'", TRUTH_TRUE},
        {"beta", "brand = 'XCP-ng'", TRUTH_UNKNOWN},
        {"beta", "brand = 'XCP-ng' OR product = '8.2'", TRUTH_TRUE},
        {"beta", "brand = 'XCP-ng' AND product = '1'", TRUTH_FALSE},
        {"gamma", "product >= '8.2'", TRUTH_UNKNOWN},
        {"nobody", "product >= '8.2'", TRUTH_UNKNOWN},
        {"gamma", "brand IS NULL", TRUTH_TRUE},
    };
    struct fixture *fixture = *state;
    compute(fixture);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_INIT;
        enum truth truth;
        assert_ok(
            facts_evaluate(fixture->database, cases[i].host, cases[i].expression, &truth, &err),
            &err);
        if (truth != cases[i].truth)
            fail_msg("%s: '%s' is %d", cases[i].host, cases[i].expression, truth);
    }
}

static void an_expression_is_judged_for_all_hosts_in_their_order(void **state)
{
    struct fixture *fixture = *state;
    struct err err = ERR_INIT;
    enum truth truths[4];
    compute(fixture);
    assert_ok(facts_evaluate_all(fixture->database, "product > '8.9'", truths, 4, &err), &err);
    assert_int_equal(truths[0], TRUTH_TRUE);
    assert_int_equal(truths[1], TRUTH_FALSE);
    assert_int_equal(truths[2], TRUTH_UNKNOWN);
    assert_int_equal(truths[3], TRUTH_UNKNOWN);
    assert_int_equal(facts_evaluate_all(fixture->database, "product >", truths, 3, NULL),
                     ERR_PARSE);
}

static void bad_expressions_are_refused_also_before_there_is_a_report(void **state)
{
    static const char *const bad[] = {"nonsense = 1", "product >=", "1; DROP TABLE facts", "",
                                      "1) FROM"};
    struct fixture *fixture = *state;
    struct err err = ERR_INIT;
    enum truth truth = TRUTH_FALSE;
    assert_ok(facts_declare(fixture->facts, fixture->database, &err), &err);
    assert_ok(facts_evaluate(fixture->database, "alpha", "product > '8'", &truth, &err), &err);
    assert_int_equal(truth, TRUTH_UNKNOWN);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int r = facts_evaluate(fixture->database, "alpha", bad[i], &truth, NULL);
        if (r != ERR_PARSE)
            fail_msg("'%s' gave %d", bad[i], r);
    }
    /* Nothing of it was run, and the facts can still be computed. */
    compute(fixture);
    assert_string_equal(facts_get(fixture->database, "alpha", "brand"), "XCP-ng");
}

static void the_tables_that_facts_read_are_told_once_each(void **state)
{
    struct fixture *fixture = *state;
    struct table_names names = {0};
    struct err err = ERR_INIT;
    assert_ok(facts_references(fixture->facts, fixture->database, &names, &err), &err);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.names[0], "other");
    assert_string_equal(names.names[1], "inventory");
    table_names_release(&names);
}

static void mistakes_in_the_file_are_named_with_their_place(void **state)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"fact: {}\n", "facts.yaml:1:1"},
        {"facts: []\n", "must be a map"},
        {"facts: {a: {query: SELECT 1, type: word}}\n", "facts.yaml:1:"},
        {"facts: {a: {}}\n", "either 'query' or 'queries'"},
        {"facts: {a: {query: x, queries: [y]}}\n", "either 'query' or 'queries'"},
        {"facts: {host: {query: x}}\n", "cannot be called 'host'"},
        {"facts: {'a b': {query: x}}\n", "cannot be the name"},
        {"facts: {a: {query: x, kind: y}}\n", "kind"},
        {"views: [x]\nfacts: {a: {query: x}}\n", "'views' must be a map"},
        {"views: {'a b': x}\nfacts: {a: {query: x}}\n", "cannot be the name"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_INIT;
        struct fact_set *facts = NULL;
        char text[1024];
        assert_int_equal(load(cases[i].yaml, &facts, &err), ERR_PARSE);
        if (!strstr(err_message(&err, text, sizeof text), cases[i].message))
            fail_msg("'%s' says '%s'", cases[i].yaml, text);
    }
}

static void a_bad_query_is_blamed_on_its_fact(void **state)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"facts: {a: {query: SELECT host FROM hosts}}\n", "fact 'a': the query must give"},
        {"facts: {a: {query: SELECT nonsense}}\n", "fact 'a': SQL: no such column"},
        {"facts: {a: {query: DELETE FROM hosts}}\n", "fact 'a': SQL: DELETE is refused"},
        {"views: {v: SELECT nonsense}\nfacts: {a: {query: SELECT 1}}\n", "view 'v'"},
        {"views: {v: DELETE FROM hosts}\nfacts: {a: {query: SELECT 1}}\n", "view 'v'"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture *fixture;
        struct fact_set *facts = NULL;
        struct err err = ERR_INIT;
        static const char *const names[] = {"alpha"};
        assert_int_equal(set_up((void **)&fixture), 0);
        assert_ok(load(cases[i].yaml, &facts, &err), &err);
        assert_ok(database_settle_hosts(fixture->database, names, 1, &err), &err);
        assert_true(facts_compute(facts, fixture->database, &err) < 0);
        if (!strstr(err.text, cases[i].message))
            fail_msg("'%s' says '%s'", cases[i].yaml, err.text);
        fact_set_free(facts);
        tear_down((void **)&fixture);
    }
    (void)state;
}

/* ------ the project's own facts ------ */

static int set_up_own(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = ERR_INIT;
    assert_non_null(fixture);
    assert_ok(table_set_load(embedded_tables, NULL, &fixture->tables, &err), &err);
    assert_ok(database_open(fixture->tables, NULL, &fixture->database, &err), &err);
    assert_ok(fact_set_load(embedded_facts, &fixture->facts, &err), &err);
    *state = fixture;
    return 0;
}

/* A row of the project's tables: column, value, column, value ... NULL. */
static void add_named(struct fixture *fixture, const char *name, unsigned host,
                      const char *const *pairs)
{
    const struct table *table = table_set_find(fixture->tables, name);
    struct cell cells[256] = {0};
    struct err err = ERR_INIT;
    assert_non_null(table);
    for (; *pairs; pairs += 2) {
        size_t i = 0;
        while (i < table->column_count && strcmp(table->columns[i].name, pairs[0]) != 0)
            i++;
        if (i == table->column_count)
            fail_msg("table '%s' has no column '%s'", name, pairs[0]);
        cells[i] = (struct cell){pairs[1], strlen(pairs[1])};
    }
    assert_ok(database_insert(fixture->database, table, host, table->files[0].text, 1, cells, &err),
              &err);
}
#define ADD(fixture, name, host, ...)                                                              \
    add_named(fixture, name, host, (const char *const[]){__VA_ARGS__, NULL})

static void finish(struct fixture *fixture)
{
    static const char *const names[] = {"alpha", "beta", "gamma"};
    struct err err = ERR_INIT;
    assert_ok(database_settle_hosts(fixture->database, names, 3, &err), &err);
    assert_ok(facts_compute(fixture->facts, fixture->database, &err), &err);
}

static void assert_fact(struct fixture *fixture, const char *host, const char *fact,
                        const char *expected)
{
    const char *value = facts_get(fixture->database, host, fact);
    if (strcmp(value, expected) != 0)
        fail_msg("%s of %s is '%s', expected '%s'", fact, host, value, expected);
}

static void our_facts_read_only_tables_that_exist(void **state)
{
    struct fixture *fixture = *state;
    struct table_names names = {0};
    struct err err = ERR_INIT;
    assert_ok(facts_references(fixture->facts, fixture->database, &names, &err), &err);
    assert_true(names.count > 10);
    table_names_release(&names);
}

static void a_whole_report_gives_our_facts_from_their_first_source(void **state)
{
    struct fixture *f = *state;
    ADD(f, "xensource_inventory", 0, "key", "PRODUCT_BRAND", "value", "XCP-ng");
    ADD(f, "xensource_inventory", 0, "key", "PRODUCT_VERSION", "value", "8.2.1");
    ADD(f, "xensource_inventory", 0, "key", "PRODUCT_VERSION_TEXT", "value", "8.2");
    ADD(f, "xl_info", 0, "key", "xen_version", "value", "4.13.4-9.24.1");
    ADD(f, "xl_info", 0, "key", "nr_cpus", "value", "16");
    ADD(f, "xl_info", 0, "key", "total_memory", "value", "64892");
    ADD(f, "kernel", 0, "release", "4.19.0+1");
    ADD(f, "pool_conf", 0, "role", "slave");
    ADD(f, "meminfo", 0, "mem_total_kb", "4194304");
    ADD(f, "dmi_bios", 0, "version", "2.1.8", "release_date", "04/30/2020");
    ADD(f, "dmi_system", 0, "manufacturer", "Dell Inc.", "product", "PowerEdge R640");
    ADD(f, "network_conf", 0, "backend", "vswitch");
    finish(f);
    assert_fact(f, "alpha", "product_brand", "XCP-ng");
    assert_fact(f, "alpha", "product_version", "8.2.1");
    assert_fact(f, "alpha", "product_version_text", "8.2");
    assert_fact(f, "alpha", "xen_version", "4.13.4-9.24.1");
    assert_fact(f, "alpha", "kernel_version", "4.19.0+1");
    assert_fact(f, "alpha", "is_xen", "1");
    assert_fact(f, "alpha", "pool_role", "slave");
    assert_fact(f, "alpha", "cpus", "16");
    assert_fact(f, "alpha", "machine_memory_mb", "64892");
    assert_fact(f, "alpha", "dom0_memory_kb", "4194304");
    assert_fact(f, "alpha", "bios_version", "2.1.8");
    assert_fact(f, "alpha", "system_product", "PowerEdge R640");
    assert_fact(f, "alpha", "network_backend", "openvswitch");
    assert_fact(f, "beta", "is_xen", "");
}

static void the_pools_database_tells_of_the_reports_own_host_only(void **state)
{
    struct fixture *f = *state;
    ADD(f, "xensource_inventory", 0, "key", "INSTALLATION_UUID", "value", "u1");
    for (unsigned i = 1; i <= 2; i++)
        ADD(f, "xapi_host", 0, "ref", i == 1 ? "r1" : "r2", "uuid", i == 1 ? "u1" : "u2", "metrics",
            i == 1 ? "m1" : "m2", "software_version",
            i == 1 ? "{\"product_version\":\"8.2.1\",\"xen\":\"4.13\"}"
                   : "{\"product_version\":\"7.6.0\"}",
            "cpu_info", "{\"modelname\":\"Xeon\",\"cpu_count\":\"24\"}", "bios_strings",
            "{\"bios-version\":\"1.4\",\"system-manufacturer\":\"Supermicro\"}");
    ADD(f, "xapi_host_metrics", 0, "ref", "m1", "memory__total", "34359738368");
    ADD(f, "xapi_pool", 0, "ref", "p", "master", "r1", "ha_enabled", "true");
    /* Host beta has no inventory, but the database of a pool of one. */
    ADD(f, "xapi_host", 1, "ref", "r9", "uuid", "u9", "software_version",
        "{\"product_version\":\"8.3.0\"}");
    finish(f);
    assert_fact(f, "alpha", "product_version", "8.2.1");
    assert_fact(f, "alpha", "pool_role", "master");
    assert_fact(f, "alpha", "ha_enabled", "true");
    assert_fact(f, "alpha", "cpu_model", "Xeon");
    assert_fact(f, "alpha", "cpus", "24");
    assert_fact(f, "alpha", "machine_memory_mb", "32768");
    assert_fact(f, "alpha", "system_vendor", "Supermicro");
    assert_fact(f, "alpha", "bios_version", "1.4");
    assert_fact(f, "alpha", "xen_version", "4.13");
    assert_fact(f, "beta", "product_version", "8.3.0");
    assert_fact(f, "beta", "pool_role", "");
}

static void a_host_without_xen_is_told_apart(void **state)
{
    struct fixture *f = *state;
    ADD(f, "os_release", 0, "id", "debian", "name", "Debian GNU/Linux", "version_id", "12");
    ADD(f, "meminfo", 0, "mem_total_kb", "1048576");
    finish(f);
    assert_fact(f, "alpha", "is_xen", "0");
    assert_fact(f, "alpha", "os_name", "Debian GNU/Linux");
    assert_fact(f, "alpha", "os_version", "12");
    assert_fact(f, "alpha", "machine_memory_mb", "1024");
    assert_fact(f, "alpha", "product_version", "");
}

#define test(name)     cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define own_test(name) cmocka_unit_test_setup_teardown(name, set_up_own, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(the_first_source_that_knows_a_value_wins),
        test(views_are_gone_once_the_facts_are_there),
        test(a_value_is_asked_by_host_and_name),
        test(expressions_over_facts_are_true_false_or_unknown),
        test(an_expression_is_judged_for_all_hosts_in_their_order),
        test(bad_expressions_are_refused_also_before_there_is_a_report),
        test(the_tables_that_facts_read_are_told_once_each),
        cmocka_unit_test(mistakes_in_the_file_are_named_with_their_place),
        cmocka_unit_test(a_bad_query_is_blamed_on_its_fact),
        own_test(our_facts_read_only_tables_that_exist),
        own_test(a_whole_report_gives_our_facts_from_their_first_source),
        own_test(the_pools_database_tells_of_the_reports_own_host_only),
        own_test(a_host_without_xen_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
