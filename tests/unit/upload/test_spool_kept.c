/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What lies in a spool: what may come in, what is dropped for room, what a damaged or foreign file
 * costs, and how it is listed.
 */
#include "spool_fixture.h"

static void the_same_file_to_the_same_place_is_one_job(void **state)
{
    (void)state;
    char first[33], second[33];
    enum spool_added what;
    assert_int_equal(add("a.zip", "abc", first), SPOOL_NEW);
    assert_int_equal(add("b.zip", "abc", second), SPOOL_KNOWN);
    assert_string_equal(first, second);
    assert_int_equal(try_add(report("a.zip", "abc"), URL "/else", &what, second, NULL), 0);
    assert_int_equal(what, SPOOL_NEW);
    assert_string_not_equal(first, second);
    work(0);
    assert_int_equal(fake.calls, 2);
    assert_int_equal(add("a.zip", "abc", second), SPOOL_DONE);
    assert_int_equal(access(at("data", second, ""), F_OK), -1);
    assert_int_equal(work(0).done, 0);
}

static void the_id_is_that_of_digest_and_url(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    /* printf %s "$(printf abc | sha256sum | cut -c1-64)file:///there" | sha256sum | cut -c1-32 */
    assert_string_equal(id, "5ae9f58ee5cb2386b5ec407ec7a917a6");
}

static void options_and_credential_come_back_and_the_last_addition_counts(void **state)
{
    (void)state;
    struct job job = JOB_INIT;
    enum spool_added what;
    add("a.zip", "abc", NULL);
    job_set_text(&job.file, report("a.zip", "abc"), NULL);
    job_set_text(&job.url, URL, NULL);
    job_set_option(&job, "proxy", "http://p:1", NULL);
    assert_int_equal(spool_add(spool, &job, &what, NULL), 0);
    job_release(&job);
    struct spool_list list = listed();
    assert_string_equal(job_option(&list.jobs[0], "proxy"), "http://p:1");
    assert_null(job_option(&list.jobs[0], "rate"));
    assert_null(list.jobs[0].credential);
    spool_list_release(&list);
}

static void what_waits_or_was_denied_can_be_given_up_and_records_stay(void **state)
{
    (void)state;
    char done[33], denied[33], waiting[33];
    add("a.zip", "done", done);
    work(0);
    add("b.zip", "denied", denied);
    work(ERR_DENIED);
    add("c.zip", "waiting", waiting);
    assert_int_equal(dropped(), 2);
    assert_int_equal(access(at("jobs", done, ".json"), F_OK), 0);
    assert_int_equal(access(at("jobs", denied, ".json"), F_OK), -1);
    assert_int_equal(access(at("data", denied, ""), F_OK), -1);
    assert_int_equal(access(at("jobs", waiting, ".json"), F_OK), -1);
    assert_int_equal(access(at("data", waiting, ""), F_OK), -1);
    assert_int_equal(dropped(), 0);
    work(0);
    assert_int_equal(fake.calls, 0);
}

static void data_that_leads_elsewhere_is_not_followed(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    unlink(at("data", id, ""));
    assert_int_equal(symlink(report("b.zip", "abc"), at("data", id, "")), 0);
    assert_int_equal(work(0).failed, 1);
    assert_int_equal(fake.calls, 0);
}

static void a_damaged_job_is_set_aside_with_its_data_and_blocks_nobody(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "a", id);
    add("b.zip", "b", NULL);
    put(at("jobs", id, ".json"), "{\"schema\": \"xenhealth-job/1\", \"id\"");
    struct spool_list list = listed();
    assert_int_equal(list.damaged_count, 1);
    assert_non_null(strstr(list.damaged[0].why, "is not a job"));
    spool_list_release(&list);
    struct spool_worked worked = work(0);
    assert_int_equal(worked.damaged, 1);
    assert_int_equal(worked.done, 1);
    assert_non_null(strstr(said[0], "moved to"));
    assert_int_equal(access(at("damaged", id, ".json"), F_OK), 0);
    assert_int_equal(access(at("damaged", id, ".data"), F_OK), 0);
    assert_int_equal(access(at("jobs", id, ".json"), F_OK), -1);
    assert_int_equal(add("a.zip", "a", NULL), SPOOL_NEW);
    assert_int_equal(work(0).done, 1);
}

static void what_is_no_file_among_the_jobs_is_damage_too(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(at("jobs", "fifo.json", ""), 0600), 0);
    assert_int_equal(symlink("/etc/passwd", at("jobs", "link.json", "")), 0);
    assert_int_equal(mkdir(at("jobs", "folder.json", ""), 0700), 0);
    add("a.zip", "a", NULL);
    struct spool_worked worked = work(0);
    assert_int_equal(worked.done, 1);
    struct spool_list list = listed();
    assert_int_equal(list.damaged_count, 3);
    spool_list_release(&list);
}

static void what_a_killed_run_left_is_swept(void **state)
{
    (void)state;
    char id[33];
    add("a.zip", "abc", id);
    work(0);
    put(at("data", id, ""), "abc");
    put(at("data", "00000000000000000000000000000000", ""), "orphan");
    put(at("data", ".incoming", ""), "half");
    put(at("jobs", ".x.json.new", ""), "{");
    work(0);
    assert_int_equal(access(at("data", id, ""), F_OK), -1);
    assert_int_equal(access(at("data", "00000000000000000000000000000000", ""), F_OK), -1);
    assert_int_equal(access(at("data", ".incoming", ""), F_OK), -1);
    assert_int_equal(access(at("jobs", ".x.json.new", ""), F_OK), -1);
}

static void a_full_spool_forgets_what_ended_and_then_refuses(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    enum spool_added what;
    reopen(&(struct spool_limits){.max_jobs = 2});
    add("a.zip", "a", NULL);
    work(0);
    add("b.zip", "b", NULL);
    assert_int_equal(add("c.zip", "c", NULL), SPOOL_NEW);
    struct spool_list list = listed();
    assert_int_equal(list.count, 2);
    spool_list_release(&list);
    assert_int_equal(try_add(report("d.zip", "d"), URL, &what, NULL, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "--max-jobs"));
    assert_int_equal(add("c.zip", "c", NULL), SPOOL_KNOWN);
    assert_int_equal(work(0).done, 2);
}

static void room_is_counted_in_bytes_too_and_nothing_goes_in_vain(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    enum spool_added what;
    reopen(&(struct spool_limits){.max_bytes = 10});
    add("a.zip", "aaaa", NULL);
    work(ERR_LIMIT);
    add("b.zip", "bbbbb", NULL);
    assert_int_equal(try_add(report("c.zip", "cccccc"), URL, &what, NULL, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "--max-bytes"));
    struct spool_list list = listed();
    assert_int_equal(list.count, 2);
    spool_list_release(&list);
    assert_int_equal(add("c.zip", "ccc", NULL), SPOOL_NEW);
    list = listed();
    assert_int_equal(list.count, 2); /* the failed one made room */
    spool_list_release(&list);
    err_clear(&err);
    assert_int_equal(try_add(report("c.zip", "ccccccccccc"), URL, &what, NULL, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "in all"));
}

static void the_oldest_that_wait_go_when_that_is_asked_for(void **state)
{
    (void)state;
    char a[33];
    reopen(&(struct spool_limits){.max_jobs = 2, .drop_oldest = true});
    add("a.zip", "a", a);
    edit(a, "\"added\": ", "\"added\": \"2026-11-01T00:00:00Z\"");
    add("b.zip", "b", NULL);
    assert_int_equal(spool_dropped(spool), 0);
    assert_int_equal(add("c.zip", "c", NULL), SPOOL_NEW);
    assert_int_equal(spool_dropped(spool), 1);
    assert_int_equal(access(at("data", a, ""), F_OK), -1);
    assert_int_equal(work(0).done, 2);
}

static void a_link_is_made_where_it_can_be_and_a_copy_in_a_shared_spool(void **state)
{
    (void)state;
    char id[33];
    struct stat info;
    add("a.zip", "abc", id);
    assert_int_equal(stat(at("data", id, ""), &info), 0);
    assert_int_equal(info.st_nlink, 2);
    spool = spool_close(spool);
    assert_int_equal(chmod(folder, 02750), 0);
    assert_int_equal(spool_open(folder, true, NULL, &spool, NULL), 0);
    mode_t old = umask(077);
    add("b.zip", "b", id);
    umask(old);
    assert_int_equal(stat(at("data", id, ""), &info), 0);
    assert_int_equal(info.st_nlink, 1);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(stat(at("jobs", id, ".json"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(stat(at(".", "jobs", ""), &info), 0);
    assert_int_equal(info.st_mode & 07777, 02770);
}

static void a_spool_that_everybody_may_write_to_is_refused(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    spool = spool_close(spool);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(spool_open(folder, false, NULL, &spool, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, "chmod"));
}

static void a_folder_that_is_no_spool_is_told(void **state)
{
    (void)state;
    struct spool *none = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(spool_open(at("none", "spool", ""), false, NULL, &none, NULL), ERR_NOTFOUND);
    assert_int_equal(spool_open(top, false, NULL, &none, &err), ERR_NOTFOUND);
    assert_non_null(strstr(err.text, "no spool"));
    assert_null(none);
}

static void what_is_no_file_or_not_there_is_not_added(void **state)
{
    (void)state;
    enum spool_added what;
    assert_int_equal(try_add(at("none", "", ""), URL, &what, NULL, NULL), ERR_NOTFOUND);
    assert_int_equal(try_add("/dev/null", URL, &what, NULL, NULL), ERR_UNSUPPORTED);
    assert_int_equal(try_add(top, URL, &what, NULL, NULL), ERR_UNSUPPORTED);
    assert_int_equal(try_add(report("a", "a"), "file:///x\ny", &what, NULL, NULL), ERR_USAGE);
    assert_int_equal(try_add(report("a", "a"), "file:///\xff", &what, NULL, NULL), ERR_USAGE);
    struct spool_list list = listed();
    assert_int_equal(list.count, 0);
    spool_list_release(&list);
}

static void lists_show_no_permission_and_nothing_that_moves_a_cursor(void **state)
{
    (void)state;
    enum spool_added what;
    struct strbuf out = STRBUF_INIT;
    assert_int_equal(
        try_add(report("a\033[2J.zip", "a"), "https://h/x?X-Amz-Signature=abc", &what, NULL, NULL),
        0);
    struct spool_list list = listed();
    assert_int_equal(spool_list_text(&list, &out, NULL), 0);
    assert_non_null(strstr(out.data, "waiting"));
    assert_non_null(strstr(out.data, "https://h/x\n"));
    assert_null(strstr(out.data, "Signature"));
    assert_null(strchr(out.data, '\033'));
    strbuf_clear(&out);
    assert_int_equal(spool_list_json(&list, &out, NULL), 0);
    assert_non_null(strstr(out.data, "\"xenhealth-spool/1\""));
    assert_null(strstr(out.data, "Signature"));
    strbuf_release(&out);
    spool_list_release(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_same_file_to_the_same_place_is_one_job),
        CASE(the_id_is_that_of_digest_and_url),
        CASE(options_and_credential_come_back_and_the_last_addition_counts),
        CASE(what_waits_or_was_denied_can_be_given_up_and_records_stay),
        CASE(data_that_leads_elsewhere_is_not_followed),
        CASE(a_damaged_job_is_set_aside_with_its_data_and_blocks_nobody),
        CASE(what_is_no_file_among_the_jobs_is_damage_too),
        CASE(what_a_killed_run_left_is_swept),
        CASE(a_full_spool_forgets_what_ended_and_then_refuses),
        CASE(room_is_counted_in_bytes_too_and_nothing_goes_in_vain),
        CASE(the_oldest_that_wait_go_when_that_is_asked_for),
        CASE(a_link_is_made_where_it_can_be_and_a_copy_in_a_shared_spool),
        CASE(a_spool_that_everybody_may_write_to_is_refused),
        CASE(a_folder_that_is_no_spool_is_told),
        CASE(what_is_no_file_or_not_there_is_not_added),
        CASE(lists_show_no_permission_and_nothing_that_moves_a_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
