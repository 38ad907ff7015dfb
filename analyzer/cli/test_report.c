/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/cli/test_report.h"

#include <string.h>

#include "common/escape.h"

const char *const test_report_formats[] = {"text", "tap", "junit", NULL};

void test_report_add(struct test_report *report, const char *group, const char *name,
                     const char *place, const char *failure)
{
    struct test_case *test = vec_push(&report->cases);
    if (!test) {
        report->out_of_memory = true;
        return;
    }
    *test = (struct test_case){.group = strdup(group),
                               .name = strdup(name),
                               .place = strdup(place),
                               .failure = failure ? strdup(failure) : NULL};
    report->failed += failure != NULL;
    report->out_of_memory |=
        !test->group || !test->name || !test->place || (failure && !test->failure);
}

void test_report_release(struct test_report *report)
{
    for (size_t i = 0; i < report->cases.count; i++) {
        struct test_case *test = &report->cases.items[i];
        free(test->group);
        free(test->name);
        free(test->place);
        free(test->failure);
    }
    vec_free(&report->cases);
}

static void add_escaped(struct strbuf *out, const char *text)
{
    escape_terminal(out, text, strlen(text), false);
}

/* Each line of a text behind `indent`. */
static void add_lines(struct strbuf *out, const char *indent, const char *text)
{
    for (const char *p = text; *p;) {
        size_t length = strcspn(p, "\n");
        strbuf_adds(out, indent);
        escape_terminal(out, p, length, false);
        strbuf_addc(out, '\n');
        p += length + (p[length] == '\n');
    }
}

static void as_text(const struct test_report *report, struct strbuf *out)
{
    for (size_t i = 0; i < report->cases.count; i++) {
        const struct test_case *test = &report->cases.items[i];
        if (!test->failure)
            continue;
        strbuf_adds(out, "FAIL  ");
        add_escaped(out, test->group);
        strbuf_adds(out, ": ");
        add_escaped(out, test->name);
        if (*test->place) {
            strbuf_adds(out, "\n      at ");
            add_escaped(out, test->place);
        }
        strbuf_addc(out, '\n');
        add_lines(out, "      ", test->failure);
    }
    size_t passed = report->cases.count - report->failed;
    strbuf_addf(out, "%zu test%s passed, %zu failed\n", passed, passed == 1 ? "" : "s",
                report->failed);
}

/* In a test's description '#' would begin a directive. */
static void add_tap_text(struct strbuf *out, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf safe = STRBUF_INIT;
    add_escaped(&safe, text);
    for (size_t i = 0; i < safe.length; i++) {
        if (safe.data[i] == '#' || safe.data[i] == '\\')
            strbuf_addc(out, '\\');
        strbuf_addc(out, safe.data[i]);
    }
}

static void as_tap(const struct test_report *report, struct strbuf *out)
{
    strbuf_addf(out, "TAP version 13\n1..%zu\n", report->cases.count);
    for (size_t i = 0; i < report->cases.count; i++) {
        const struct test_case *test = &report->cases.items[i];
        strbuf_addf(out, "%sok %zu - ", test->failure ? "not " : "", i + 1);
        add_tap_text(out, test->group);
        strbuf_adds(out, ": ");
        add_tap_text(out, test->name);
        strbuf_addc(out, '\n');
        if (!test->failure)
            continue;
        strbuf_adds(out, "  ---\n  message: |\n");
        add_lines(out, "    ", test->failure);
        if (*test->place) {
            strbuf_adds(out, "  at: |\n");
            add_lines(out, "    ", test->place);
        }
        strbuf_adds(out, "  ...\n");
    }
}

static void add_markup(struct strbuf *out, const char *text)
{
    escape_markup(out, text, strlen(text));
}

static void add_junit_failure(struct strbuf *out, const struct test_case *test)
{
    strbuf_adds(out, "<failure message=\"");
    escape_markup(out, test->failure, strcspn(test->failure, "\n"));
    strbuf_adds(out, "\">");
    add_markup(out, test->place);
    strbuf_addc(out, '\n');
    for (const char *p = test->failure; *p;) {
        size_t length = strcspn(p, "\n");
        escape_markup(out, p, length);
        strbuf_addc(out, '\n');
        p += length + (p[length] == '\n');
    }
    strbuf_adds(out, "</failure>\n");
}

static void as_junit(const struct test_report *report, struct strbuf *out)
{
    strbuf_addf(out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<testsuites>\n<testsuite name=\"xen-analyze rules test\" tests=\"%zu\" "
                "failures=\"%zu\" errors=\"0\">\n",
                report->cases.count, report->failed);
    for (size_t i = 0; i < report->cases.count; i++) {
        const struct test_case *test = &report->cases.items[i];
        strbuf_adds(out, "<testcase classname=\"");
        add_markup(out, test->group);
        strbuf_adds(out, "\" name=\"");
        add_markup(out, test->name);
        strbuf_adds(out, "\"");
        if (test->failure) {
            strbuf_adds(out, ">\n");
            add_junit_failure(out, test);
            strbuf_adds(out, "</testcase>\n");
        } else {
            strbuf_adds(out, "/>\n");
        }
    }
    strbuf_adds(out, "</testsuite>\n</testsuites>\n");
}

int test_report_format(const struct test_report *report, const char *format, struct strbuf *out,
                       struct err *err)
{
    if (strcmp(format, "tap") == 0)
        as_tap(report, out);
    else if (strcmp(format, "junit") == 0)
        as_junit(report, out);
    else
        as_text(report, out);
    return report->out_of_memory || !strbuf_ok(out) ? err_nomem(err) : 0;
}
