/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * An analysis: the members of reports go in, a verdict comes out.
 *
 * It is a visitor of reports (report.h): each member goes through the extractions of its tables and
 * one scan of the log patterns, and is forgotten. When all hosts are read, analysis_judge() dates
 * the hits, computes the facts and evaluates every rule on every host:
 *
 *   fail            the rule fires
 *   pass            it had its data and does not
 *   not-applicable  its condition is false for every host
 *   unknown         data it needs is not in the report; unknown is never pass
 *
 * The parts are borrowed and must outlive the analysis.
 */
#pragma once

#include "analyzer/database/differences.h"
#include "analyzer/database/facts.h"
#include "analyzer/database/lists.h"
#include "analyzer/judge/overview.h"
#include "analyzer/verdict/verdict.h"
#include "analyzer/match/timestamp.h"
#include "analyzer/rules/rule.h"
#include "analyzer/rules/suppress.h"

struct analysis_parts {
    const struct rule_set *rules;
    const struct rule *only; /* this rule of the set alone (for its tests), or NULL */
    const struct table_set *tables;
    const struct fact_set *facts;
    const struct list_set *lists;
    const struct log_formats *formats;
    struct database *database;
    struct report_set
        *reports; /* gets the problems of members, and answers what is proved absent; or NULL */
    const char *query; /* a statement whose tables shall be filled too, or NULL */
    const char *cache; /* folder for compiled patterns, or NULL */
    bool context;      /* evidence with the lines around it, for formats that show them */
    bool all_tables;   /* fill every table, not only those that some statement reads */
    const struct overview *overview; /* NULL: no output shows a timeline or an inventory */
    struct suppressions *suppressions; /* or NULL */
    const struct difference_plan *differences; /* whose tables shall be filled too, or NULL */
    bool threads; /* use a second one to prepare what is searched for */
    int64_t now;  /* seconds since 1970, for suppressions that expire */
};

struct analysis;

/*
 * Compiles the patterns and finds out which tables are needed. ERR_PARSE (at the rule's file) when
 * a rule's query or condition is wrong.
 */
int analysis_new(const struct analysis_parts *parts, struct analysis **ret, struct err *err);
void *analysis_free(struct analysis *analysis);

/*
 * What a rule's query is about, for lint: the tables it reads, the rule's own logs among them, and
 * the columns of its rows. The database has the lists and facts. ERR_PARSE when the query is wrong.
 */
int analysis_query_names(struct database *database, const struct rule *rule,
                         struct table_names *ret_tables, struct table_names *ret_columns,
                         struct err *err);

/* Whether a column of a query's rows says where the proof stands or how often it was seen; the
 * others are values. */
bool query_column_is_no_value(const char *name);

/* Hand this to report_set_read(). Valid as long as the analysis. */
const struct report_visitor *analysis_visitor(struct analysis *analysis);

/*
 * Call once, after the last member. Without reports (tests) a missing log is unknown. Settles the
 * database. The caller frees the verdict, which borrows texts from the hosts and the rules.
 */
int analysis_judge(struct analysis *analysis, const struct database_host *hosts, size_t host_count,
                   struct verdict **ret, struct err *err);
