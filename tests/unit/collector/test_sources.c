/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/sources/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <ftw.h>
#include <sys/stat.h>

#include "collector/sources/deny.h"
#include "collector/sources/devices.h"
#include "collector/sources/safe_open.h"
#include "common/io.h"

static char root[] = "/tmp/test-sources-XXXXXX";
static int root_fd;

static void at(const char *path, char *ret, size_t size)
{
    snprintf(ret, size, "%s%s", root, path);
}

static void write_file(const char *path, const char *text)
{
    char full[300];
    at(path, full, sizeof full);
    FILE *file = fopen(full, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void make_folder(const char *path, mode_t mode)
{
    char full[300];
    at(path, full, sizeof full);
    assert_int_equal(mkdir(full, 0700), 0);
    assert_int_equal(chmod(full, mode), 0);
}

static void link_to(const char *target, const char *path)
{
    char full[300];
    at(path, full, sizeof full);
    assert_int_equal(symlink(target, full), 0);
}

static int sink(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)err;
    strbuf_add(context, bytes, length);
    return 0;
}

static struct outcome read_path(const char *path, int64_t limit, struct strbuf *text)
{
    struct file_request request = {.root_fd = root_fd, .root = root, .path = path, .limit = limit};
    struct outcome outcome = {0};
    int64_t modified;
    assert_int_equal(source_read_file(&request, sink, text, &outcome, &modified, NULL), 0);
    return outcome;
}

static void expect_status(const char *path, enum outcome_status status)
{
    struct strbuf text = STRBUF_INIT;
    struct outcome outcome = read_path(path, -1, &text);
    if (outcome.status != status)
        fail_msg("%s: %s (%s)", path, outcome_name(outcome.status), outcome.reason);
    if (!outcome_has_member(status))
        assert_int_equal(text.length, 0);
    strbuf_release(&text);
}

static void reads_a_file_and_keeps_the_end_of_one_over_its_limit(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT;
    write_file("/log", "0123456789");
    assert_int_equal(read_path("/log", -1, &text).status, OUTCOME_OK);
    assert_string_equal(text.data, "0123456789");
    strbuf_clear(&text);
    assert_int_equal(read_path("/log", 4, &text).status, OUTCOME_TRUNCATED);
    assert_string_equal(text.data, "6789");
    strbuf_release(&text);
    write_file("/nothing", "");
    expect_status("/nothing", OUTCOME_EMPTY);
    expect_status("/absent", OUTCOME_MISSING);
    expect_status("/log/below", OUTCOME_MISSING);
}

static void special_files_are_refused_without_blocking(void **state)
{
    (void)state;
    char full[300];
    at("/fifo", full, sizeof full);
    assert_int_equal(mkfifo(full, 0600), 0);
    expect_status("/fifo", OUTCOME_DENIED);
    make_folder("/folder", 0755);
    expect_status("/folder", OUTCOME_DENIED);
}

static void links_of_ours_are_followed_inside_the_root(void **state)
{
    (void)state;
    make_folder("/links", 0755);
    write_file("/links/real", "real");
    link_to("real", "/links/relative");
    link_to("/links/real", "/links/absolute"); /* absolute means: from the root that is collected */
    link_to("../../../../links/real", "/links/up");
    link_to("self", "/links/self");
    link_to("/etc/passwd", "/links/outside");
    expect_status("/links/relative", OUTCOME_OK);
    expect_status("/links/absolute", OUTCOME_OK);
    expect_status("/links/up", OUTCOME_OK);
    expect_status("/links/self", OUTCOME_DENIED);
    expect_status("/links/outside", OUTCOME_MISSING);
}

static void links_where_others_can_write_are_refused(void **state)
{
    (void)state;
    make_folder("/tmp", 01777);
    write_file("/tmp/plain", "plain");
    link_to("../log", "/tmp/link");
    expect_status("/tmp/plain", OUTCOME_OK);
    expect_status("/tmp/link", OUTCOME_DENIED);
}

static int change_while_reading(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)bytes;
    (void)length;
    (void)err;
    char full[300];
    at("/changing", full, sizeof full);
    return truncate(full, *(const off_t *)context) == 0 ? 0 : ERR_IO;
}

static void a_file_that_changes_while_it_is_read_is_marked(void **state)
{
    (void)state;
    struct file_request request = {
        .root_fd = root_fd, .root = root, .path = "/changing", .limit = -1};
    struct outcome outcome;
    int64_t modified;
    char full[300];
    const off_t sizes[] = {10, 1000 * 1000};
    at("/changing", full, sizeof full);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        write_file("/changing", "");
        assert_int_equal(truncate(full, 200 * 1000), 0);
        off_t size = sizes[i];
        assert_int_equal(
            source_read_file(&request, change_while_reading, &size, &outcome, &modified, NULL), 0);
        assert_int_equal(outcome.status, OUTCOME_CHANGED);
    }
}

static void a_huge_hole_costs_nothing_and_hides_no_data(void **state)
{
    (void)state;
    char full[300];
    struct strbuf text = STRBUF_INIT;
    const off_t size = (off_t)1 << 40;
    write_file("/hole", "old");
    at("/hole", full, sizeof full);
    assert_int_equal(truncate(full, size), 0);
    assert_int_equal(read_path("/hole", 4096, &text).status, OUTCOME_TRUNCATED);
    assert_int_equal(text.length, 0);
    int fd = open(full, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "newest", 6, size), 6);
    close(fd);
    struct outcome outcome = read_path("/hole", 1024 * 1024, &text);
    assert_int_equal(outcome.status, OUTCOME_TRUNCATED);
    assert_non_null(strstr(outcome.reason, "before them is a hole"));
    assert_true(text.length >= 6 && text.length < 1024 * 1024);
    assert_memory_equal(text.data + text.length - 6, "newest", 6);
    strbuf_release(&text);
}

static void dangerous_paths_are_denied_whatever_the_catalog_says(void **state)
{
    (void)state;
    assert_non_null(deny_reason("/proc/kmsg"));
    assert_non_null(deny_reason("/proc/1/mem"));
    assert_non_null(deny_reason("/sys/kernel/debug/tracing/trace_pipe"));
    assert_non_null(deny_reason("/etc/shadow"));
    assert_non_null(deny_reason("/var/opt/xen/bug-report/old.zip"));
    assert_null(deny_reason("/proc/meminfo"));
    assert_null(deny_reason("/var/log/kern.log"));
}

static const char table[] = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                            "2 1 0:4 / /proc rw shared:5 - proc proc rw\n"
                            "3 1 0:5 / /mnt/with\\040blank rw - nfs4 server:/x rw\n"
                            "4 1 0:6 / /mnt/s rw - fuse.sshfs x rw\n"
                            "5 1 0:7 / /mnt/over rw - nfs a rw\n"
                            "6 1 0:8 / /mnt/over rw - tmpfs a rw\n"
                            "nonsense\n";

static void the_longest_mount_decides_and_the_last_one_covers(void **state)
{
    (void)state;
    struct mounts *mounts;
    assert_int_equal(mounts_parse(table, &mounts, NULL), 0);
    assert_string_equal(mounts_type(mounts, "/var/log"), "ext4");
    assert_string_equal(mounts_type(mounts, "/process"), "ext4");
    assert_string_equal(mounts_type(mounts, "/proc/meminfo"), "proc");
    assert_true(mounts_is_risky(mounts, "/mnt/with blank/x"));
    assert_true(mounts_is_risky(mounts, "/mnt/s"));
    assert_false(mounts_is_risky(mounts, "/mnt/over/x"));
    assert_false(mounts_is_risky(mounts, "/mnt"));
    mounts_free(mounts);
}

static void only_disks_and_memory_are_not_risky(void **state)
{
    (void)state;
    static const char *const risky[] = {"proc", "xenfs", "nfs4", "fuse", "fuse.sshfs", "fuseblk",
                                        "autofs", "cgroup2", "rpc_pipefs", "made-up-tomorrow"};
    static const char *const calm[] = {"ext3", "ext4", "xfs", "tmpfs", "devtmpfs", "overlay"};
    for (size_t i = 0; i < ARRAY_SIZE(risky) + ARRAY_SIZE(calm); i++) {
        bool expected = i < ARRAY_SIZE(risky);
        struct mounts *mounts;
        char text[100];
        snprintf(text, sizeof text, "1 0 8:1 / / rw - %s a rw\n",
                 expected ? risky[i] : calm[i - ARRAY_SIZE(risky)]);
        assert_int_equal(mounts_parse(text, &mounts, NULL), 0);
        assert_int_equal(mounts_is_risky(mounts, "/file"), expected);
        mounts_free(mounts);
    }
}

static void a_disk_that_hangs_is_risky_from_then_on(void **state)
{
    (void)state;
    struct mounts *mounts;
    assert_int_equal(mounts_parse(table, &mounts, NULL), 0);
    mounts_note_hang(mounts, mounts_find(mounts, "/mnt/over/x"));
    mounts_note_hang(mounts, NULL);
    assert_true(mounts_is_risky(mounts, "/mnt/over/y"));
    assert_false(mounts_is_risky(mounts, "/mnt/y"));
    mounts_free(mounts);
}

static int stop_waiting(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)bytes;
    (void)length;
    (void)err;
    struct read_watch *watch = context;
    assert_false(read_watch_hangs(watch, INT64_MAX)); /* what the sink takes is not the disk's fault */
    read_watch_give_up(watch);
    return 0;
}

static void a_reader_that_was_given_up_stops(void **state)
{
    (void)state;
    struct mounts *mounts;
    struct read_watch watch = {.patience_ms = 60 * 60 * 1000};
    assert_int_equal(mounts_parse("1 0 8:1 / / rw - ext4 a rw\n", &mounts, NULL), 0);
    char content[100 * 1024 + 1]; /* more than one read */
    memset(content, 'x', sizeof content - 1);
    content[sizeof content - 1] = '\0';
    write_file("/long", content);
    struct file_request request = {.root_fd = root_fd,
                                   .root = root,
                                   .path = "/long",
                                   .limit = -1,
                                   .avoid = mounts,
                                   .watch = &watch};
    struct outcome outcome = {0};
    int64_t modified;
    read_watch_begin(&watch);
    assert_false(read_watch_hangs(&watch, io_now_ms()));
    assert_true(read_watch_hangs(&watch, io_now_ms() + 2 * 60 * 60 * 1000));
    assert_int_equal(source_read_file(&request, stop_waiting, &watch, &outcome, &modified, NULL),
                     ERR_CANCELLED);
    assert_false(read_watch_hangs(&watch, INT64_MAX));
    assert_ptr_equal(atomic_load(&watch.mount), mounts_find(mounts, "/"));
    mounts_free(mounts);
}

static void without_a_mount_table_everything_is_risky(void **state)
{
    (void)state;
    struct mounts *mounts;
    assert_int_equal(mounts_parse("", &mounts, NULL), 0);
    assert_true(mounts_is_risky(mounts, "/etc/hosts"));
    mounts_free(mounts);
}

static void a_link_onto_a_risky_mount_is_not_entered_here(void **state)
{
    (void)state;
    struct mounts *mounts;
    char text[400];
    snprintf(text, sizeof text, "1 0 8:1 / / rw - ext4 a rw\n2 1 0:4 / %s/nfs rw - nfs a rw\n",
             root);
    assert_int_equal(mounts_parse(text, &mounts, NULL), 0);
    make_folder("/nfs", 0755);
    write_file("/nfs/file", "x");
    link_to("nfs/file", "/innocent");
    struct err err = ERR_INIT;
    struct stat status;
    int fd;
    assert_int_equal(safe_open(root_fd, root, "/innocent", mounts, NULL, &fd, &status, &err),
                     ERR_UNSUPPORTED);
    mounts_free(mounts);
}

static void only_plain_device_names_reach_a_command(void **state)
{
    (void)state;
    assert_true(device_name_is_safe("eth0.10"));
    assert_true(device_name_is_safe("/dev/md/localhost:127"));
    assert_false(device_name_is_safe("-rf"));
    assert_false(device_name_is_safe("a b"));
    assert_false(device_name_is_safe("$(x)"));
    assert_false(device_name_is_safe("../x"));
    assert_false(device_name_is_safe(""));
}

static int make_root(void **state)
{
    (void)state;
    if (!mkdtemp(root))
        return -1;
    root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root_fd < 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_file_and_keeps_the_end_of_one_over_its_limit),
        cmocka_unit_test(special_files_are_refused_without_blocking),
        cmocka_unit_test(links_of_ours_are_followed_inside_the_root),
        cmocka_unit_test(links_where_others_can_write_are_refused),
        cmocka_unit_test(a_file_that_changes_while_it_is_read_is_marked),
        cmocka_unit_test(a_huge_hole_costs_nothing_and_hides_no_data),
        cmocka_unit_test(dangerous_paths_are_denied_whatever_the_catalog_says),
        cmocka_unit_test(the_longest_mount_decides_and_the_last_one_covers),
        cmocka_unit_test(only_disks_and_memory_are_not_risky),
        cmocka_unit_test(a_disk_that_hangs_is_risky_from_then_on),
        cmocka_unit_test(a_reader_that_was_given_up_stops),
        cmocka_unit_test(without_a_mount_table_everything_is_risky),
        cmocka_unit_test(a_link_onto_a_risky_mount_is_not_entered_here),
        cmocka_unit_test(only_plain_device_names_reach_a_command),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
