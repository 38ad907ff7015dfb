/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Files with secrets: who may own and read them, what they may hold, and what is told of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <cmocka.h>

#include "common/io.h"
#include "common/secret.h"

static char folder[] = "/tmp/test-secret-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/secret", mkdtemp(folder));
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void put(const char *content, size_t length, mode_t mode)
{
    unlink(path);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, content, length), 0);
    assert_int_equal(fchmod(fd, mode), 0);
}

static int read_text(char *value, size_t size, struct err *err)
{
    *err = (struct err)ERR_INIT;
    int r = secret_read_text(path, value, size, err);
    assert_int_equal(r, err->code);
    assert_null(strstr(err->text, "canary"));
    return r;
}

static void a_text_is_taken_without_the_blanks_around_it(void **state)
{
    (void)state;
    struct err err;
    char value[64];
    static const char *const files[] = {"to ken", "  to ken\n", "\r\nto ken \t\r\n\n"};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        put(files[i], strlen(files[i]), 0600);
        assert_int_equal(read_text(value, sizeof value, &err), 0);
        assert_string_equal(value, "to ken");
    }
}

static void a_text_that_is_none_is_refused_and_not_told(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        size_t length;
        const char *words;
    } cases[] = {{"", 0, "is empty"},
                 {" \n \n", 4, "is empty"},
                 {"canary\ncanary\n", 14, "more than one line"},
                 {"canary\tcanary", 13, "or a tab"},
                 {"canary\0canary", 13, "control characters"},
                 {"canary\033[1m", 10, "control characters"},
                 {"canarycanarycanarycanary", 24, "more than 15 characters"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err;
        char value[16] = "untouched";
        put(cases[i].content, cases[i].length, 0600);
        assert_int_equal(read_text(value, sizeof value, &err), ERR_PARSE);
        assert_non_null(strstr(err.text, cases[i].words));
        assert_string_equal(value, "untouched");
    }
}

static void a_file_has_a_largest_size(void **state)
{
    (void)state;
    struct err err;
    static char content[SECRET_MAX_BYTES + 1], value[SECRET_MAX_BYTES + 2];
    memset(content, 'c', sizeof content);
    put(content, SECRET_MAX_BYTES, 0600);
    assert_int_equal(read_text(value, sizeof value, &err), 0);
    assert_int_equal(strlen(value), SECRET_MAX_BYTES);
    put(content, SECRET_MAX_BYTES + 1, 0600);
    assert_int_equal(read_text(value, sizeof value, &err), ERR_PARSE);
    assert_non_null(strstr(err.text, "longer than 4096 bytes"));
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    static const mode_t modes[] = {0640, 0604, 0660, 0610, 0601, 0620, 0602, 0644, 0777};
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        struct err err;
        char value[64] = "untouched";
        put("canary", 6, modes[i]);
        assert_int_equal(read_text(value, sizeof value, &err), ERR_DENIED);
        assert_non_null(strstr(err.text, "chmod 600"));
        assert_string_equal(value, "untouched");
        assert_int_equal(secret_check_file(path, NULL), ERR_DENIED);
    }
}

/* What systemd makes of a credential: owner and one user may read; the mask shows as the group's.
 */
static void put_with_acl(uint16_t tag, uint32_t id)
{
    struct {
        uint32_t version;
        struct {
            uint16_t tag, perm;
            uint32_t id;
        } entries[6];
    } acl = {2, {{0x01, 4, UINT32_MAX}, {0x02, 4, geteuid()}, {0x04, 0, UINT32_MAX}}};
    size_t count = 3;
    if (tag != 0) {
        acl.entries[1].id = tag == 0x02 ? id : geteuid();
        if (tag == 0x04)
            acl.entries[2].perm = 4;
        if (tag == 0x08) {
            acl.entries[count].tag = tag;
            acl.entries[count].perm = 4;
            acl.entries[count++].id = id;
        }
    }
    acl.entries[count].tag = 0x10;
    acl.entries[count].perm = 4;
    acl.entries[count++].id = UINT32_MAX;
    acl.entries[count].tag = 0x20;
    acl.entries[count].perm = 0;
    acl.entries[count++].id = UINT32_MAX;
    put("canary", 6, 0400);
    if (setxattr(path, "system.posix_acl_access", &acl, 4 + 8 * count, 0) != 0) {
        print_message("this file system has no ACLs\n");
        skip();
    }
}

static void a_credential_of_systemd_is_for_its_user_only(void **state)
{
    (void)state;
    struct err err;
    char value[64];
    put_with_acl(0, 0);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0440);
    assert_int_equal(read_text(value, sizeof value, &err), 0);
    static const struct {
        uint16_t tag;
        uint32_t id;
    } cases[] = {{0x02, 12345}, {0x04, 0}, {0x08, 12345}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        put_with_acl(cases[i].tag, cases[i].id);
        assert_int_equal(read_text(value, sizeof value, &err), ERR_DENIED);
    }
}

static void what_is_no_file_of_ours_is_refused_and_does_not_block(void **state)
{
    (void)state;
    struct err err;
    char value[64];
    unlink(path);
    assert_int_equal(read_text(value, sizeof value, &err), ERR_NOTFOUND);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(read_text(value, sizeof value, &err), ERR_DENIED);
    unlink(path);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(read_text(value, sizeof value, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, "is a link"));
    assert_int_equal(secret_read_text(folder, value, sizeof value, NULL), ERR_DENIED);
    if (geteuid() == 0) {
        put("canary", 6, 0600);
        assert_int_equal(chown(path, 12345, 0), 0);
        assert_int_equal(read_text(value, sizeof value, &err), ERR_DENIED);
        assert_non_null(strstr(err.text, "somebody else"));
    }
}

static int read_fields(char token[16], char user[16], struct err *err)
{
    const struct secret_field fields[] = {
        {"token", token, 16}, {"username", user, 16}, {NULL, NULL, 0}};
    *err = (struct err)ERR_INIT;
    int r = secret_read_fields(path, fields, err);
    assert_null(strstr(err->text, "canary"));
    return r;
}

static void fields_are_lines_with_the_first_sign_as_separator(void **state)
{
    (void)state;
    struct err err;
    char token[16] = "old", user[16] = "old";
    static const char content[] = "# who\r\n\nusername=a=b \r\ntoken= x";
    put(content, strlen(content), 0600);
    assert_int_equal(read_fields(token, user, &err), 0);
    assert_string_equal(user, "a=b ");
    assert_string_equal(token, " x");
    put("token=t", 7, 0400);
    assert_int_equal(read_fields(token, user, &err), 0);
    assert_string_equal(token, "t");
    assert_string_equal(user, "");
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    struct err err;
    char token[16] = "", user[16] = "", value[16] = "";
    static const char lines[] = "\xef\xbb\xbftoken=t\r\n", whole[] = "\xef\xbb\xbft\r\n";
    put(lines, strlen(lines), 0600);
    assert_int_equal(read_fields(token, user, &err), 0);
    assert_string_equal(token, "t");
    put(whole, strlen(whole), 0600);
    assert_int_equal(read_text(value, sizeof value, &err), 0);
    assert_string_equal(value, "t");
}

static void other_lines_are_refused_by_their_number(void **state)
{
    (void)state;
    static const struct {
        const char *content, *words;
    } cases[] = {
        {"canary", "line 1 is neither token= nor username="},
        {"token=a\ntokens=canary", "line 2 is neither"},
        {"token = canary", "line 1 is neither"},
        {"\n\nTOKEN=canary", "line 3 is neither"},
        {"username=canary\ntoken=\r\n", "line 2: nothing stands behind token="},
        {"token=canary\ntoken=canary", "line 2 gives token= again"},
        {"username=canarycanarycanary", "line 1: username= is longer than 15 bytes"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err;
        char token[16] = "old", user[16] = "old";
        put(cases[i].content, strlen(cases[i].content), 0600);
        assert_int_equal(read_fields(token, user, &err), ERR_PARSE);
        assert_non_null(strstr(err.text, cases[i].words));
        assert_string_equal(token, "old");
        assert_string_equal(user, "old");
    }
}

static void a_guarded_process_leaves_no_core_and_cannot_be_looked_into(void **state)
{
    (void)state;
    int dumpable = prctl(PR_GET_DUMPABLE);
    secret_guard_process();
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_int_equal(limit.rlim_max, 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
    prctl(PR_SET_DUMPABLE, dumpable); /* for the leak checker */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_taken_without_the_blanks_around_it),
        cmocka_unit_test(a_text_that_is_none_is_refused_and_not_told),
        cmocka_unit_test(a_file_has_a_largest_size),
        cmocka_unit_test(a_file_that_others_may_read_is_refused),
        cmocka_unit_test(a_credential_of_systemd_is_for_its_user_only),
        cmocka_unit_test(what_is_no_file_of_ours_is_refused_and_does_not_block),
        cmocka_unit_test(fields_are_lines_with_the_first_sign_as_separator),
        cmocka_unit_test(a_byte_order_mark_is_passed_over),
        cmocka_unit_test(other_lines_are_refused_by_their_number),
        cmocka_unit_test(a_guarded_process_leaves_no_core_and_cannot_be_looked_into),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
