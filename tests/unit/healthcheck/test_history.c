/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a run leaves for the next one: checks, the one under way, reports within a budget, and what
 * happens to files that somebody or something has damaged.
 */
#include "healthcheck/history/history.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/io.h"
#include "healthcheck/history/reports.h"

#define START 1795330162

static char folder[64];
static struct store *store;

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/history.XXXXXX");
    return mkdtemp(folder) && store_open(folder, true, &store, &err) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
    (void)status;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    store = store_close(store);
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put_file(const char *name, const char *bytes, size_t size)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (size_t i = 0; bytes && i < size; i++)
        assert_int_equal(write(fd, bytes + i, 1), 1);
    if (!bytes) { /* room on the disk, not only a length */
        static char block[4096];
        for (size_t i = 0; i < size; i += sizeof block)
            assert_int_equal(write(fd, block, sizeof block), sizeof block);
    }
}

static bool is_there(const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static struct check make_check(int64_t started, int score)
{
    struct check check;
    struct err err = ERR_INIT;
    assert_true(check_init(&check));
    check.started_s = check.finished_s = started;
    check.analysed = score >= 0;
    check.score = score;
    check.result = score >= 0 ? CHECK_OK : CHECK_FAILED;
    assert_int_equal(check_set(&check.why, "it was time", &err), 0);
    return check;
}

static void put(struct history *history, int64_t started, int score, size_t limit)
{
    struct err err = ERR_INIT;
    struct check check = make_check(started, score);
    assert_int_equal(check_add_finding(&check, "rule-a", "Title", "host1", CHECK_ERROR, &err), 0);
    assert_int_equal(history_put(store, history, &check, limit, &err), 0);
    check_release(&check);
}

static struct history load(struct strbuf *notes)
{
    struct history history;
    struct err err = ERR_INIT;
    if (history_load(store, true, &history, notes, &err) < 0)
        fail_msg("%s", err.text);
    return history;
}

static void a_check_survives_being_written_and_read(void **state)
{
    CLEANUP(history_release) struct history history = {NULL, 0, false}, again;
    CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
    struct err err = ERR_INIT;
    struct check check = make_check(START, 64);
    (void)state;
    check.action = CHECK_ON_DEMAND;
    check.pool = check.shared = true;
    check.counts[CHECK_WARNING] = 3;
    check.upload = CHECK_SENT;
    check.uploaded_s = START + 60;
    check.bytes = 1LL << 40;
    check_set(&check.report, "status-report.zip", &err);
    check_set(&check.upload_id, "caf\xc3\xa9 \"x\"\n", &err);
    check_add_finding(&check, "rule", "Disk 'sda' is full", "host1, host2", CHECK_CRITICAL, &err);
    check_add_unknown(&check, "other-rule", &err);
    assert_int_equal(history_put(store, &history, &check, 10, &err), 0);
    check_release(&check);

    again = load(&notes);
    assert_int_equal(again.count, 1);
    const struct check *read = &again.checks[0];
    assert_int_equal(read->started_s, START);
    assert_int_equal(read->action, CHECK_ON_DEMAND);
    assert_true(read->pool && read->shared && read->analysed);
    assert_int_equal(read->counts[CHECK_WARNING], 3);
    assert_int_equal(read->uploaded_s, START + 60);
    assert_int_equal(read->bytes, 1LL << 40);
    assert_string_equal(read->upload_id, "caf\xc3\xa9 \"x\"\n");
    assert_string_equal(read->findings[0].title, "Disk 'sda' is full");
    assert_int_equal(read->findings[0].severity, CHECK_CRITICAL);
    assert_true(check_is_unknown(read, "other-rule"));
    assert_string_equal(notes.data, "");
}

static void the_history_is_bounded_and_only_the_last_keep_their_findings(void **state)
{
    CLEANUP(history_release) struct history history = {NULL, 0, false}, again;
    CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
    (void)state;
    for (int i = 0; i < 30; i++)
        put(&history, START + i, i, 20);
    again = load(&notes);
    assert_int_equal(again.count, 20);
    assert_int_equal(again.checks[0].score, 10);
    assert_int_equal(again.checks[19].score, 29);
    for (size_t i = 0; i < again.count; i++)
        assert_int_equal(again.checks[i].finding_count, i >= 20 - HISTORY_FINDINGS);
}

static void the_same_check_is_put_in_its_own_place(void **state)
{
    CLEANUP(history_release) struct history history = {NULL, 0, false};
    (void)state;
    put(&history, START, 10, 20);
    put(&history, START + 1, 20, 20);
    put(&history, START + 1, 30, 20);
    assert_int_equal(history.count, 2);
    assert_int_equal(history.checks[1].score, 30);
}

static void the_last_one_is_the_last_one_whatever_the_clock_said(void **state)
{
    CLEANUP(history_release) struct history history = {NULL, 0, false};
    int64_t success, failure;
    (void)state;
    put(&history, START + 1000000, 10, 20);
    put(&history, START, 20, 20);
    history_times(&history, &success, &failure);
    assert_int_equal(success, START);
    assert_int_equal(failure, SCHEDULE_NEVER);
    put(&history, START + 50, -1, 20);
    history_times(&history, &success, &failure);
    assert_int_equal(success, START);
    assert_int_equal(failure, START + 50);
    assert_int_equal(history_last(&history)->score, 20);
    assert_int_equal(history_previous(&history)->score, 10);
}

static void damaged_files_are_set_aside_with_a_note(void **state)
{
    static const char *const damaged[] = {
        "{",
        "[]",
        "\0\0\0\0",
        "{\"schema\":\"xenhealth-history/2\",\"checks\":[]}",
        "{\"schema\":\"xenhealth-history/1\"}",
        "{\"schema\":\"xenhealth-history/1\",\"checks\":[{}]}",
        "{\"schema\":\"xenhealth-history/1\",\"checks\":[1]}",
        "{\"schema\":\"xenhealth-history/1\",\"schema\":1,\"checks\":[]}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
        CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
        size_t length = strlen(damaged[i]);
        put_file("history.json", damaged[i], length ? length : 4);
        CLEANUP(history_release) struct history history = load(&notes);
        assert_int_equal(history.count, 0);
        assert_true(history.lost);
        assert_non_null(strstr(notes.data, "history.json was damaged"));
        assert_true(is_there("history.json.damaged"));
        assert_false(is_there("history.json"));
        put(&history, START, 50, 20);
        assert_true(is_there("history.json"));
    }
}

static void a_file_without_end_is_damaged_too(void **state)
{
    CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
    char path[200];
    (void)state;
    put_file("history.json", "{", 1);
    snprintf(path, sizeof path, "%s/history.json", folder);
    assert_int_equal(truncate(path, STORE_MAX_BYTES + 1), 0);
    CLEANUP(history_release) struct history history = load(&notes);
    assert_int_equal(history.count, 0);
    assert_true(is_there("history.json.damaged"));
}

static void what_is_empty_or_no_file_is_damaged_too(void **state)
{
    char path[200], aside[220];
    (void)state;
    snprintf(path, sizeof path, "%s/history.json", folder);
    snprintf(aside, sizeof aside, "%s.damaged", path);
    for (int i = 0; i < 2; i++) {
        CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
        if (i == 0)
            put_file("history.json", "", 0);
        else
            assert_int_equal(mkdir(path, 0700), 0);
        CLEANUP(history_release) struct history history = load(&notes);
        assert_true(history.lost);
        assert_non_null(strstr(notes.data, i == 0 ? "empty" : "not a regular file"));
        assert_true(is_there("history.json.damaged"));
        assert_false(is_there("history.json"));
        assert_int_equal(remove(aside), 0);
    }
}

static void a_score_of_more_than_all_is_damaged(void **state)
{
    struct err err = ERR_INIT;
    struct check check = make_check(START, 101), read;
    (void)state;
    json_t *json = check_to_json(&check);
    assert_int_equal(check_from_json(json, &read, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "score"));
    check_release(&read);
    check_release(&check);
    json_decref(json);
}

static void a_folder_that_no_run_would_use_is_told_apart(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(store_check(store, &err), 0);
    assert_int_equal(fchmod(store_fd(store), 0777), 0);
    assert_int_equal(store_check(store, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, folder));
}

static void a_report_is_a_name_in_our_folder_and_nothing_else(void **state)
{
    struct err err = ERR_INIT;
    struct check check = make_check(START, 1), read;
    (void)state;
    check_set(&check.report, "../../etc/passwd", &err);
    json_t *json = check_to_json(&check);
    assert_int_equal(check_from_json(json, &read, &err), ERR_PARSE);
    check_release(&read);
    check_release(&check);
    json_decref(json);
}

static void the_check_under_way_is_found_by_the_next_run(void **state)
{
    struct err err = ERR_INIT;
    struct check check = make_check(START, 10), found;
    CLEANUP(strbuf_release) struct strbuf notes = STRBUF_INIT;
    bool is_found;
    (void)state;
    check.step = CHECK_ANALYSING;
    assert_int_equal(pending_save(store, &check, &err), 0);
    assert_int_equal(pending_load(store, true, &found, &is_found, &notes, &err), 0);
    assert_true(is_found);
    assert_int_equal(found.step, CHECK_ANALYSING);
    check_release(&found);
    assert_int_equal(pending_drop(store, &err), 0);
    assert_int_equal(pending_load(store, true, &found, &is_found, &notes, &err), 0);
    assert_false(is_found);
    put_file("pending.json", "?", 1);
    assert_int_equal(pending_load(store, true, &found, &is_found, &notes, &err), 0);
    assert_false(is_found);
    assert_true(is_there("pending.json.damaged"));
    check_release(&check);
}

static void only_one_run_has_the_lock(void **state)
{
    struct store *other;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(store_open(folder, true, &other, &err), 0);
    assert_int_equal(store_lock(store, &err), 0);
    assert_true(store_is_locked(other));
    assert_int_equal(store_lock(other, &err), ERR_AGAIN);
    store = store_close(store);
    assert_false(store_is_locked(other));
    err_clear(&err);
    assert_int_equal(store_lock(other, &err), 0);
    store = other;
}

static void our_name_stays_the_same(void **state)
{
    char first[STORE_UUID_BYTES], second[STORE_UUID_BYTES];
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(store_uuid(store, first, &err), 0);
    assert_string_equal(first, ""); /* who only reads makes none */
    assert_int_equal(store_lock(store, &err), 0);
    assert_int_equal(store_uuid(store, first, &err), 0);
    assert_int_equal(store_uuid(store, second, &err), 0);
    assert_int_equal(strlen(first), 36);
    assert_string_equal(first, second);
}

static void work_is_emptied_without_following_links(void **state)
{
    char path[200];
    struct err err = ERR_INIT;
    CLEANUP(strbuf_release) struct strbuf work = STRBUF_INIT;
    (void)state;
    assert_int_equal(store_empty_work(store, NULL, &err), 0);
    put_file("keep", "x", 1);
    put_file("work/a", "x", 1);
    snprintf(path, sizeof path, "%s/work/deep", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    put_file("work/deep/b", "x", 1);
    snprintf(path, sizeof path, "%s/work/link", folder);
    assert_int_equal(symlink(folder, path), 0);
    assert_int_equal(store_empty_work(store, &work, &err), 0);
    assert_false(is_there("work/a") || is_there("work/deep") || is_there("work/link"));
    assert_true(is_there("keep") && is_there("work"));
}

static void make_reports(void)
{
    char name[64];
    for (int i = 1; i <= 6; i++) {
        snprintf(name, sizeof name, "reports/status-report-2026-11-0%d.zip", i);
        put_file(name, NULL, 40960);
    }
    put_file("reports/.hidden", "x", 1);
}

static void old_reports_go_by_number_room_and_what_the_disk_has_left(void **state)
{
    static const struct {
        struct reports_limits limits;
        int64_t free_now;
        const char *newest;
        int left;
        const char *first;
    } rows[] = {
        {{10, 1 << 30, 0}, 1 << 30, NULL, 6, "1"},
        {{3, 1 << 30, 0}, 1 << 30, NULL, 3, "4"},
        {{10, 2 * 40960 + 100, 0}, 1 << 30, NULL, 2, "5"},
        {{10, 1 << 30, 100000}, 100000 - 40960, NULL, 5, "2"},
        {{10, 1 << 30, 1 << 30}, 0, NULL, 0, NULL},
        {{0, 1 << 30, 0}, 1 << 30, NULL, 0, NULL},
        {{10, 0, 0}, 1 << 30, NULL, 0, NULL},
        {{2, 1 << 30, 0}, 1 << 30, "status-report-2026-11-01.zip", 2, "1"},
    };
    struct reports_usage usage;
    struct err err = ERR_INIT;
    char name[64];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        make_reports();
        assert_int_equal(
            reports_prune(store, &rows[i].limits, rows[i].free_now, rows[i].newest, &usage, &err),
            0);
        assert_int_equal(usage.count, rows[i].left);
        assert_int_equal(usage.dropped, 6 - rows[i].left);
        if (rows[i].first) {
            snprintf(name, sizeof name, "status-report-2026-11-0%s.zip", rows[i].first);
            assert_true(reports_has(store, name));
        }
        assert_true(is_there("reports/.hidden"));
    }
}

static void who_only_reads_is_told_when_there_is_nothing(void **state)
{
    struct store *none;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(store_open("/nowhere/xenhealth", false, &none, &err), ERR_NOTFOUND);
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(a_check_survives_being_written_and_read),
        IN_A_FOLDER(the_history_is_bounded_and_only_the_last_keep_their_findings),
        IN_A_FOLDER(the_same_check_is_put_in_its_own_place),
        IN_A_FOLDER(the_last_one_is_the_last_one_whatever_the_clock_said),
        IN_A_FOLDER(damaged_files_are_set_aside_with_a_note),
        IN_A_FOLDER(a_file_without_end_is_damaged_too),
        IN_A_FOLDER(what_is_empty_or_no_file_is_damaged_too),
        IN_A_FOLDER(a_score_of_more_than_all_is_damaged),
        IN_A_FOLDER(a_folder_that_no_run_would_use_is_told_apart),
        IN_A_FOLDER(a_report_is_a_name_in_our_folder_and_nothing_else),
        IN_A_FOLDER(the_check_under_way_is_found_by_the_next_run),
        IN_A_FOLDER(only_one_run_has_the_lock),
        IN_A_FOLDER(our_name_stays_the_same),
        IN_A_FOLDER(work_is_emptied_without_following_links),
        IN_A_FOLDER(old_reports_go_by_number_room_and_what_the_disk_has_left),
        cmocka_unit_test(who_only_reads_is_told_when_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
