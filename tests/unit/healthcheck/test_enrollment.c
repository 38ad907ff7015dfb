/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Options of enroll, what a host remembers of its enrollment, and the file with the token for
 * xen-upload.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "common/io.h"
#include "healthcheck/enroll/credential.h"
#include "healthcheck/enroll/enroll.h"

static char base[64], settings[96], credentials[96];

static int make_base(void **state)
{
    (void)state;
    snprintf(base, sizeof base, "/tmp/enrollment.XXXXXX");
    if (!mkdtemp(base))
        return -1;
    snprintf(settings, sizeof settings, "%s/etc/xenhealth", base);
    snprintf(credentials, sizeof credentials, "%s/run/credentials", base);
    char parent[96];
    snprintf(parent, sizeof parent, "%s/etc", base);
    return mkdir(parent, 0755);
}

static int drop(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static int remove_base(void **state)
{
    (void)state;
    return nftw(base, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static const struct enrollment on_pool = {.url = "cis+https://h/feeds/api/?a='b'#\\: - ",
                                          .pool = "0f0e0d0c-0b0a-4908-8706-050403020100",
                                          .enrolled = "2026-11-22T06:49:22Z",
                                          .credential = ENROLLMENT_XAPI_TOKEN,
                                          .token = "11111111-2222-3333-4444-555555555555"};
static const struct enrollment alone = {.url = "https://h/",
                                        .pool = "standalone",
                                        .enrolled = "2026-11-22T06:49:22Z",
                                        .credential = ENROLLMENT_LOCAL};

static void assert_loads(const struct enrollment *expected)
{
    struct enrollment loaded;
    struct err err = ERR_INIT;
    if (enrollment_load(settings, &loaded, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(loaded.url, expected->url);
    assert_string_equal(loaded.pool, expected->pool);
    assert_string_equal(loaded.enrolled, expected->enrolled);
    assert_string_equal(loaded.token, expected->token);
    assert_int_equal(loaded.credential, expected->credential);
}

static mode_t mode_of(const char *folder, const char *name)
{
    char path[200];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return lstat(path, &status) == 0 ? status.st_mode & 07777 : 0;
}

static void read_text(const char *folder, const char *name, struct strbuf *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(io_read_file(AT_FDCWD, path, 10000, text, NULL), 0);
}

static void write_text(const char *folder, const char *name, const char *text, mode_t mode)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
    assert_int_equal(fchmod(fd, mode), 0);
}

static void what_was_saved_is_loaded(void **state)
{
    (void)state;
    assert_int_equal(enrollment_save(settings, &on_pool, "", NULL), 0);
    assert_loads(&on_pool);
    assert_int_equal(mode_of(settings, ENROLLMENT_FILE), 0600);
    assert_int_equal(mode_of(settings, ENROLLMENT_SECRET), 0);
    assert_int_equal(enrollment_save(settings, &alone, "token=t\n", NULL), 0);
    assert_loads(&alone);
    assert_int_equal(mode_of(settings, ENROLLMENT_SECRET), 0600);
    assert_int_equal(enrollment_save(settings, &on_pool, "", NULL), 0);
    assert_int_equal(mode_of(settings, ENROLLMENT_SECRET), 0); /* the old one is gone */
}

static void nobody_is_enrolled_by_default(void **state)
{
    (void)state;
    struct enrollment loaded;
    assert_int_equal(enrollment_load(settings, &loaded, NULL), ERR_NOTFOUND);
    assert_int_equal(enrollment_forget(settings, NULL), 0);
}

static void forgetting_removes_both_files(void **state)
{
    (void)state;
    struct enrollment loaded;
    assert_int_equal(enrollment_save(settings, &alone, "token=t\n", NULL), 0);
    assert_int_equal(enrollment_forget(settings, NULL), 0);
    assert_int_equal(mode_of(settings, ENROLLMENT_SECRET), 0);
    assert_int_equal(enrollment_load(settings, &loaded, NULL), ERR_NOTFOUND);
}

static void a_file_that_others_can_write_or_read_is_not_believed(void **state)
{
    (void)state;
    struct enrollment loaded;
    char path[200], other[200];
    assert_int_equal(enrollment_save(settings, &on_pool, "", NULL), 0);
    snprintf(path, sizeof path, "%s/" ENROLLMENT_FILE, settings);
    snprintf(other, sizeof other, "%s/other", settings);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(enrollment_load(settings, &loaded, NULL), ERR_DENIED);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(enrollment_load(settings, &loaded, NULL), ERR_DENIED);
}

static void a_file_of_another_form_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "url: x\n",
        "- url\n",
        "url: [x]\npool: p\nenrolled: e\n",
        "url: x\npool: p\nenrolled: e\ncredential: other\n",
        "url: x\npool: p\nenrolled: e\ncredential: xapi\n",
        "url: x\npool: p\nenrolled: e\nmore: 1\n",
        "url: x\npool: 0123456789012345678901234567890123456789\nenrolled: e\n"};
    assert_int_equal(enrollment_save(settings, &on_pool, "", NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct enrollment loaded = {.url = "untouched"};
        write_text(settings, ENROLLMENT_FILE, cases[i], 0600);
        assert_int_equal(enrollment_load(settings, &loaded, NULL), ERR_PARSE);
        assert_string_equal(loaded.url, "untouched");
    }
}

static void a_backup_puts_everything_back(void **state)
{
    (void)state;
    struct enrollment_backup backup;
    assert_int_equal(enrollment_save(settings, &alone, "token=old\n", NULL), 0);
    assert_int_equal(enrollment_back_up(settings, &backup, NULL), 0);
    assert_int_equal(enrollment_save(settings, &on_pool, "", NULL), 0);
    assert_int_equal(enrollment_restore(settings, &backup, NULL), 0);
    enrollment_backup_release(&backup);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    read_text(settings, ENROLLMENT_SECRET, &text);
    assert_string_equal(text.data, "token=old\n");
    assert_loads(&alone);
}

static void a_backup_of_nothing_puts_nothing_back(void **state)
{
    (void)state;
    struct enrollment_backup backup;
    struct enrollment loaded;
    assert_int_equal(enrollment_back_up(settings, &backup, NULL), 0);
    assert_int_equal(enrollment_save(settings, &alone, "token=new\n", NULL), 0);
    assert_int_equal(enrollment_restore(settings, &backup, NULL), 0);
    enrollment_backup_release(&backup);
    assert_int_equal(enrollment_load(settings, &loaded, NULL), ERR_NOTFOUND);
    assert_int_equal(mode_of(settings, ENROLLMENT_SECRET), 0);
}

static void a_local_credential_is_handed_on_and_wiped(void **state)
{
    (void)state;
    bool written = false;
    assert_int_equal(enrollment_save(settings, &alone, "username=u\npassword=p\n", NULL), 0);
    assert_int_equal(credential_write(NULL, NULL, &alone, settings, credentials, &written, NULL),
                     0);
    assert_true(written);
    assert_int_equal(mode_of(credentials, "."), 0700);
    assert_int_equal(mode_of(credentials, CREDENTIAL_NAME), 0600);
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    read_text(credentials, CREDENTIAL_NAME, &text);
    assert_string_equal(text.data, "username=u\npassword=p\nfor=https://h\n");
    assert_int_equal(credential_wipe(credentials, NULL), 0);
    assert_int_equal(mode_of(credentials, CREDENTIAL_NAME), 0);
    assert_int_equal(credential_wipe(credentials, NULL), 0);
}

static void without_a_credential_an_old_one_does_not_stay(void **state)
{
    (void)state;
    bool written = true;
    struct enrollment none = alone;
    assert_int_equal(enrollment_save(settings, &alone, "token=t\n", NULL), 0);
    assert_int_equal(credential_write(NULL, NULL, &alone, settings, credentials, &written, NULL),
                     0);
    none.credential = ENROLLMENT_NO_CREDENTIAL;
    assert_int_equal(credential_write(NULL, NULL, &none, settings, credentials, &written, NULL), 0);
    assert_false(written);
    assert_int_equal(mode_of(credentials, CREDENTIAL_NAME), 0);
}

static void a_folder_that_others_can_enter_gets_no_credential(void **state)
{
    (void)state;
    bool written = false;
    char parent[96];
    assert_int_equal(enrollment_save(settings, &alone, "token=t\n", NULL), 0);
    snprintf(parent, sizeof parent, "%s/run", base);
    assert_int_equal(mkdir(parent, 0755), 0);
    assert_int_equal(mkdir(credentials, 0755), 0);
    assert_int_equal(credential_write(NULL, NULL, &alone, settings, credentials, &written, NULL),
                     ERR_DENIED);
    assert_false(written);
    assert_int_equal(mode_of(credentials, CREDENTIAL_NAME), 0);
}

static void a_credential_that_others_can_read_is_not_used(void **state)
{
    (void)state;
    bool written = false;
    assert_int_equal(enrollment_save(settings, &alone, "token=t\n", NULL), 0);
    write_text(settings, ENROLLMENT_SECRET, "token=t\n", 0640);
    assert_int_equal(credential_write(NULL, NULL, &alone, settings, credentials, &written, NULL),
                     ERR_DENIED);
}

static void a_token_of_another_enrollment_is_not_sent(void **state)
{
    (void)state;
    bool written = false;
    struct err err = ERR_INIT;
    CLEANUP(config_cleanup) struct config *config = config_new();
    struct xapi *never_asked = (struct xapi *)config; /* it must not come to that */
    config_set(config, CONFIG_UPLOAD_TOKEN, "99999999-2222-3333-4444-555555555555", NULL);
    assert_int_equal(
        credential_write(never_asked, config, &on_pool, settings, credentials, &written, &err),
        ERR_DENIED);
    assert_non_null(strstr(err.text, "another enrollment"));
    config_set(config, CONFIG_UPLOAD_TOKEN, NULL, NULL);
    assert_int_equal(
        credential_write(never_asked, config, &on_pool, settings, credentials, &written, NULL),
        ERR_NOTFOUND);
}

static int parse(struct enroll_request *request, const char *a, const char *b, const char *c,
                 struct err *err)
{
    char *words[] = {(char *)a, (char *)b, (char *)c, NULL};
    int count = 0;
    while (words[count])
        count++;
    return enroll_parse(count, words, request, err);
}

static void options_may_stand_before_and_after_the_url(void **state)
{
    (void)state;
    struct enroll_request request;
    assert_int_equal(parse(&request, "--yes", "tus+https://h/", "--day=0", NULL), 0);
    assert_string_equal(request.url, "tus+https://h/");
    assert_true(request.yes);
    assert_int_equal(request.weekday, 0);
    assert_int_equal(request.hour, -1);
    assert_int_equal(request.interval_days, -1);
    assert_int_equal(parse(&request, "https://h/", "--token", "f", NULL), 0);
    assert_string_equal(request.token, "f");
    assert_null(request.credentials);
    assert_false(request.yes);
}

static void bad_words_are_told_with_their_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *words[3], *text;
    } cases[] = {
        {{NULL}, "where shall reports go"},
        {{"https://h/", "https://i/"}, "one URL"},
        {{"h"}, "needs a scheme"},
        {{"://h"}, "needs a scheme"},
        {{"https://h/ x"}, "%20"},
        {{"https://h/\xc3\xa9"}, "%C3"},
        {{"https://h:0/"}, "port"},
        {{"https://user:not-shown@h/"}, "--credentials"},
        {{"https://h/", "--day=7"}, "from 0 to 6"},
        {{"https://h/", "--day=Monday"}, "from 0 to 6"},
        {{"https://h/", "--hour=24"}, "from 0 to 23"},
        {{"https://h/", "--hour="}, "from 0 to 23"},
        {{"https://h/", "--interval-days=0"}, "from 1 to 365"},
        {{"https://h/", "--interval-days=99999999999999999999"}, "from 1 to 365"},
        {{"https://h/", "--other"}, "'--other' is no option"},
        {{"https://h/", "-x"}, "no option"},
        {{"https://h/", "--token"}, "needs a value"},
        {{"https://h/", "--token=a", "--credentials=b"}, "not both"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct enroll_request request;
        struct err err = ERR_INIT;
        assert_int_equal(
            parse(&request, cases[i].words[0], cases[i].words[1], cases[i].words[2], &err),
            ERR_USAGE);
        if (!strstr(err.text, cases[i].text) || strstr(err.text, "not-shown"))
            fail_msg("case %zu: %s", i, err.text);
    }
}

#define with_base(test) cmocka_unit_test_setup_teardown(test, make_base, remove_base)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_base(what_was_saved_is_loaded),
        with_base(nobody_is_enrolled_by_default),
        with_base(forgetting_removes_both_files),
        with_base(a_file_that_others_can_write_or_read_is_not_believed),
        with_base(a_file_of_another_form_is_refused),
        with_base(a_backup_puts_everything_back),
        with_base(a_backup_of_nothing_puts_nothing_back),
        with_base(a_local_credential_is_handed_on_and_wiped),
        with_base(without_a_credential_an_old_one_does_not_stay),
        with_base(a_folder_that_others_can_enter_gets_no_credential),
        with_base(a_credential_that_others_can_read_is_not_used),
        with_base(a_token_of_another_enrollment_is_not_sent),
        cmocka_unit_test(options_may_stand_before_and_after_the_url),
        cmocka_unit_test(bad_words_are_told_with_their_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
