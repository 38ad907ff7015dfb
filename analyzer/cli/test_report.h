/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Outcomes of tests, shown as test runners do: for people, as TAP (version 13), or as JUnit's XML.
 */
#pragma once

#include "common/err.h"
#include "common/strbuf.h"
#include "common/vec.h"

struct test_case {
    char *group; /* "rule root-fs-full", "table df" */
    char *name;
    char *place;   /* "rules/xapi/root-fs-full.yaml:40", or "" */
    char *failure; /* lines, or NULL: it passed */
};

struct test_report {
    VEC(struct test_case) cases;
    size_t failed;
    bool out_of_memory;
};

void test_report_add(struct test_report *report, const char *group, const char *name,
                     const char *place, const char *failure);
void test_report_release(struct test_report *report);

/* NULL-ended: "text", "tap", "junit". */
extern const char *const test_report_formats[];

/* `format` is one of test_report_formats. */
int test_report_format(const struct test_report *report, const char *format, struct strbuf *out,
                       struct err *err);
