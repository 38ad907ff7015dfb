/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is remembered of an unfinished upload: it is there after a restart, or it counts as not
 * there; never anything between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/io.h"
#include "upload/state/record.h"

#define KEY "0123 https://host/files/ "

static char base[64], folder[96], file[160];

static int set_up(void **state)
{
    (void)state;
    snprintf(base, sizeof base, "/tmp/test_record.XXXXXX");
    if (!mkdtemp(base))
        return -1;
    snprintf(folder, sizeof folder, "%s/deep/state", base);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/rm", "rm", "-rf", base, (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
    return 0;
}

static struct record *opened(bool *damaged)
{
    struct record *record = NULL;
    struct err err = ERR_INIT;
    if (record_open(folder, KEY, &record, damaged, &err) < 0)
        fail_msg("%s", err.text);
    return record;
}

/* Saves one and finds its file. */
static void save_one(void)
{
    bool damaged;
    struct record *record = opened(&damaged);
    assert_int_equal(record_set(record, "url", "https://host/files/77", NULL), 0);
    assert_int_equal(record_set(record, "offset", "1048576", NULL), 0);
    assert_int_equal(record_save(record, NULL), 0);
    assert_null(record_problem(record));
    record_close(record);
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        if (strstr(entry->d_name, ".json"))
            snprintf(file, sizeof file, "%s/%.60s", folder, entry->d_name);
    closedir(directory);
}

static void write_file(const void *bytes, size_t length)
{
    CLEANUP_FD int fd = open(file, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, bytes, length), 0);
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    closedir(directory);
    return count;
}

static void it_is_there_after_a_restart(void **state)
{
    (void)state;
    bool damaged = true;
    save_one();
    struct record *record = opened(&damaged);
    assert_false(damaged);
    assert_false(record_is_empty(record));
    assert_string_equal(record_get(record, "url"), "https://host/files/77");
    assert_string_equal(record_get(record, "offset"), "1048576");
    assert_null(record_get(record, "other"));
    record_close(record);
}

static void folder_and_file_are_the_owners_alone(void **state)
{
    (void)state;
    struct stat status;
    save_one();
    assert_int_equal(stat(folder, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_null(strstr(file, "host")); /* a URL may be a secret */
}

static void what_is_not_saved_is_lost(void **state)
{
    (void)state;
    bool damaged;
    save_one();
    struct record *record = opened(&damaged);
    record_set(record, "offset", NULL, NULL);
    record_set(record, "url", "https://host/files/78", NULL);
    record_close(record);
    record = opened(&damaged);
    assert_string_equal(record_get(record, "url"), "https://host/files/77");
    assert_string_equal(record_get(record, "offset"), "1048576");
    record_close(record);
}

static void a_dropped_one_leaves_nothing(void **state)
{
    (void)state;
    bool damaged;
    save_one();
    struct record *record = opened(&damaged);
    assert_int_equal(record_drop(record, NULL), 0);
    assert_true(record_is_empty(record));
    record_close(record);
    assert_int_equal(count_files(), 0);
}

static void other_keys_have_other_records(void **state)
{
    (void)state;
    bool damaged;
    struct record *other = NULL;
    save_one();
    assert_int_equal(record_open(folder, KEY "x", &other, &damaged, NULL), 0);
    assert_true(record_is_empty(other));
    record_close(other);
}

/* A power cut may leave any beginning of a file that was not synced. */
static void every_beginning_of_the_file_is_the_record_or_none(void **state)
{
    (void)state;
    struct strbuf bytes = STRBUF_INIT;
    save_one();
    assert_int_equal(io_read_file(AT_FDCWD, file, RECORD_MAX_BYTES, &bytes, NULL), 0);
    for (size_t length = 0; length < bytes.length; length++) {
        bool damaged = false;
        write_file(bytes.data, length);
        struct record *record = opened(&damaged);
        if (!damaged || !record_is_empty(record))
            fail_msg("%zu bytes were taken for a record", length);
        record_close(record);
    }
    write_file(bytes.data, bytes.length);
    bool damaged = true;
    struct record *record = opened(&damaged);
    assert_false(damaged);
    assert_string_equal(record_get(record, "offset"), "1048576");
    record_close(record);
    strbuf_release(&bytes);
}

static void damaged_files_count_as_none_and_can_be_written_over(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "null",
        "\x00\x00\x00",
        "{\"schema\":\"xenhealth-record/1\"}",
        "{\"schema\":\"xenhealth-record/1\",\"id\":\"ID\",\"values\":[]}",
        "{\"schema\":\"xenhealth-record/1\",\"id\":\"ID\",\"values\":{\"a\":1}}",
        "{\"schema\":\"xenhealth-record/1\",\"id\":\"ID\",\"values\":{\"a\":\"1\",\"a\":\"2\"}}",
        "{\"schema\":\"xenhealth-record/1\",\"id\":\"ID\",\"values\":{},\"more\":1}",
        "{\"schema\":\"xenhealth-record/2\",\"id\":\"ID\",\"values\":{\"a\":\"1\"}}",
        "{\"schema\":\"xenhealth-record/1\",\"id\":\"00000000000000000000000000000000\","
        "\"values\":{\"a\":\"1\"}}",
        "{\"schema\":\"xenhealth-record/1\",\"id\":\"ID\",\"values\":{\"a\":\"\xff\"}}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char text[256];
        bool damaged = false;
        save_one();
        const char *id = strrchr(file, '/') + 1, *mark = strstr(texts[i], "ID");
        snprintf(text, sizeof text, "%.*s%.*s%s", mark ? (int)(mark - texts[i]) : 250, texts[i],
                 mark ? 32 : 0, id, mark ? mark + 2 : "");
        write_file(text, strlen(text));
        struct record *record = opened(&damaged);
        if (!damaged || !record_is_empty(record))
            fail_msg("taken for a record: %s", text);
        record_close(record);
    }
    save_one();
    bool damaged = true;
    record_close(opened(&damaged));
    assert_false(damaged);
}

static void a_file_that_is_too_large_counts_as_none(void **state)
{
    (void)state;
    char *much = calloc(1, RECORD_MAX_BYTES + 1);
    bool damaged = false;
    assert_non_null(much);
    save_one();
    memset(much, ' ', RECORD_MAX_BYTES + 1);
    write_file(much, RECORD_MAX_BYTES + 1);
    record_close(opened(&damaged));
    assert_true(damaged);
    free(much);
}

static void more_than_a_file_may_have_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    bool damaged;
    char *much = calloc(1, RECORD_MAX_BYTES + 1);
    struct err err = ERR_INIT;
    assert_non_null(much);
    memset(much, 'a', RECORD_MAX_BYTES);
    save_one();
    struct record *record = opened(&damaged);
    assert_int_equal(record_set(record, "offset", much, &err), ERR_LIMIT);
    assert_string_equal(record_get(record, "offset"), "1048576");
    assert_int_equal(record_set(record, "new", much, NULL), ERR_LIMIT);
    assert_null(record_get(record, "new"));
    assert_int_equal(record_set(record, "new", "\xff", NULL), ERR_PARSE);
    record_close(record);
    free(much);
}

static void two_processes_never_have_the_same_record(void **state)
{
    (void)state;
    bool damaged;
    struct record *record = opened(&damaged);
    pid_t child = fork();
    if (child == 0) {
        struct record *other = NULL;
        struct err err = ERR_INIT;
        int r = record_open(folder, KEY, &other, &damaged, &err);
        _exit(r == ERR_AGAIN && err.text[0] && !other ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    record_close(record);
    record_close(opened(&damaged)); /* free again */
}

static void looking_makes_locks_and_writes_nothing(void **state)
{
    (void)state;
    bool damaged = true;
    struct record *record = NULL, *holder;
    assert_int_equal(record_look(folder, KEY, &record, &damaged, NULL), 0);
    assert_true(record_is_empty(record));
    assert_false(damaged);
    record_close(record);
    assert_int_equal(access(folder, F_OK), -1);
    save_one();
    holder = opened(&damaged);
    size_t before = count_files();
    assert_int_equal(record_look(folder, KEY, &record, &damaged, NULL), 0);
    assert_string_equal(record_get(record, "offset"), "1048576");
    record_close(record);
    assert_int_equal(count_files(), before);
    record_close(holder);
}

static void folders_that_others_may_write_to_are_refused(void **state)
{
    (void)state;
    bool damaged;
    struct record *record = NULL;
    struct err err = ERR_INIT;
    save_one();
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(record_open(folder, KEY, &record, &damaged, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, "chmod 700"));
    assert_null(record);
}

/* /proc can be written to by nobody, not even by root, like a disk that is read-only. */
static void a_folder_that_cannot_be_made_is_an_error_with_its_name(void **state)
{
    (void)state;
    bool damaged;
    struct record *record = NULL;
    struct err err = ERR_INIT;
    assert_true(record_open("/proc/xenhealth/state", KEY, &record, &damaged, &err) < 0);
    assert_non_null(strstr(err.text, "/proc/xenhealth"));
    assert_null(record);
}

/* As a service whose home is not his, or is nowhere. */
static void a_folder_that_we_may_not_make_is_no_matter_of_credentials(void **state)
{
    (void)state;
    bool damaged, is_root = geteuid() == 0;
    struct record *record = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(chmod(base, 0500), 0);
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    int r = record_open(folder, KEY, &record, &damaged, &err);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(base, 0700), 0);
    assert_int_equal(r, ERR_IO);
    assert_non_null(strstr(err.text, "Permission denied"));
}

static void a_record_that_cannot_be_saved_says_so_and_goes_on(void **state)
{
    (void)state;
    bool damaged;
    struct record *record = opened(&damaged);
    assert_int_equal(record_set(record, "a", "1", NULL), 0);
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    assert_int_equal(rmdir(folder), 0); /* nothing can be made in it any more */
    assert_int_equal(record_save(record, NULL), 0);
    assert_non_null(record_problem(record));
    assert_string_equal(record_get(record, "a"), "1");
    record_close(record);
}

static void records_that_nobody_goes_on_with_are_forgotten(void **state)
{
    (void)state;
    bool damaged;
    struct record *other = NULL;
    const struct timespec old[2] = {{.tv_sec = time(NULL) - 91 * 86400},
                                    {.tv_sec = time(NULL) - 91 * 86400}};
    char strange[160];
    save_one();
    snprintf(strange, sizeof strange, "%s/0123.json", folder);
    CLEANUP_FD int fd = open(strange, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(utimensat(AT_FDCWD, file, old, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, strange, old, 0), 0);
    assert_int_equal(record_open(folder, KEY "x", &other, &damaged, NULL), 0);
    record_close(other);
    assert_int_equal(access(file, F_OK), -1);
    assert_int_equal(access(strange, F_OK), 0); /* not ours */
}

static void one_in_memory_behaves_like_any_other(void **state)
{
    (void)state;
    struct record *record = record_new_volatile();
    assert_non_null(record);
    assert_int_equal(record_set(record, "a", "1", NULL), 0);
    assert_int_equal(record_save(record, NULL), 0);
    assert_string_equal(record_get(record, "a"), "1");
    assert_int_equal(record_drop(record, NULL), 0);
    assert_true(record_is_empty(record));
    record_close(record);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_there_after_a_restart),
        TEST(folder_and_file_are_the_owners_alone),
        TEST(what_is_not_saved_is_lost),
        TEST(a_dropped_one_leaves_nothing),
        TEST(other_keys_have_other_records),
        TEST(every_beginning_of_the_file_is_the_record_or_none),
        TEST(damaged_files_count_as_none_and_can_be_written_over),
        TEST(a_file_that_is_too_large_counts_as_none),
        TEST(more_than_a_file_may_have_is_refused_and_changes_nothing),
        TEST(two_processes_never_have_the_same_record),
        TEST(looking_makes_locks_and_writes_nothing),
        TEST(folders_that_others_may_write_to_are_refused),
        TEST(a_folder_that_cannot_be_made_is_an_error_with_its_name),
        TEST(a_folder_that_we_may_not_make_is_no_matter_of_credentials),
        TEST(a_record_that_cannot_be_saved_says_so_and_goes_on),
        TEST(records_that_nobody_goes_on_with_are_forgotten),
        TEST(one_in_memory_behaves_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
