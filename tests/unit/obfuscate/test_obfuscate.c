/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The whole filter on a made-up host: keys, learning, gzip, the map, the search.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <zlib.h>

#include "collector/obfuscate/obfuscate.h"
#include "common/io.h"

struct fixture {
    char folder[64];
    char key[128], map[128];
    struct obfuscator *obfuscator;
};

static void write_file(const char *folder, const char *name, const char *text, mode_t mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

static const char database[] =
    "<?xml version=\"1.0\"?><database><table name=\"VM\">"
    "<row ref=\"a\" name__label=\"payroll%.box\" is_control_domain=\"false\"/>"
    "<row ref=\"b\" name__label=\"Debian%.12\" other_config=\"(('default_template'%.'true'))\"/>"
    "<row ref=\"c\" name__label=\"Control%.domain\" is_control_domain=\"true\"/></table>"
    "<table name=\"SR\"><row ref=\"d\" name__label=\"Local%.storage\"/>"
    "<row ref=\"e\" name__label=\"Vault\" name__description=\"Cellar,%.left\"/></table>"
    "<table name=\"PBD\"><row "
    "device_config=\"(('server'%.'nas3.acme.example')%.('targetIQN'%.'iqn.2020-05.com.initrode:t1')"
    ")\"/></table>"
    "<table name=\"task\"><row name__label=\"VM.start\"/></table></database>";

/* Subject box9.certs.example, also alt7.others.example; made for this test. */
static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBsTCCAVegAwIBAgIUObGLr3p/ikZB98qShJ+PvZXRvFMwCgYIKoZIzj0EAwIw\n"
    "HTEbMBkGA1UEAwwSYm94OS5jZXJ0cy5leGFtcGxlMCAXDTI2MTEyMjA1MzY1OFoY\n"
    "DzIxMjYxMDI5MDUzNjU4WjAdMRswGQYDVQQDDBJib3g5LmNlcnRzLmV4YW1wbGUw\n"
    "WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQJWf5bMU2pOKKxe44I7qvpUOBDUMAf\n"
    "4lkZQNKvTaeij8YF/Cdwj1P+epeuz+PYuNi2+5mUTYcZG5g9P24/GI89o3MwcTAd\n"
    "BgNVHQ4EFgQU72mzqmhs6HnpVdqDKSCIM0mRsG4wHwYDVR0jBBgwFoAU72mzqmhs\n"
    "6HnpVdqDKSCIM0mRsG4wDwYDVR0TAQH/BAUwAwEB/zAeBgNVHREEFzAVghNhbHQ3\n"
    "Lm90aGVycy5leGFtcGxlMAoGCCqGSM49BAMCA0gAMEUCIQDY/5MJTHw3/RKoTtdD\n"
    "ztend4Wc3Nn5oJeAiiaZ2FktHgIgRbhfAmUwUCLI+7YGV0oKnR2mYVW1XghWGx5V\n"
    "CbVj12A=\n"
    "-----END CERTIFICATE-----\n";

static void make_host(struct fixture *f)
{
    char path[128];
    static const char *const folders[] = {"etc", "etc/xensource", "var", "var/xapi"};
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", f->folder, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    write_file(f->folder, "var/xapi/state.db", database, 0600);
    write_file(f->folder, "etc/hosts",
               "127.0.0.1 localhost\n192.168.4.1 tower.acme.example tower # me\n", 0600);
    write_file(f->folder, "etc/passwd",
               "root:x:0:0:root:/:/x\njdoe:x:1001:1:Jane Doe,,:/home/jdoe:/x\n", 0600);
    write_file(f->folder, "etc/chrony.conf",
               "server clock1.times.example iburst\npool 2.pool.ntp.org\n# server no.where.test\n",
               0600);
    write_file(f->folder, "etc/krb5.conf", "[libdefaults]\n default_realm = AD.ACME.TEST\n", 0600);
    write_file(f->folder, "etc/rsyslog.conf", "*.* @@sink.logs.example:514\n", 0600);
    write_file(f->folder, "etc/xensource/xapi-ssl.pem", certificate, 0600);
    write_file(f->folder, "etc/resolv.conf", "nameserver 192.168.4.5\nsearch lab.acme.example\n",
               0600);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->folder, sizeof f->folder, "/tmp/test_obfuscate.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    make_host(f);
    snprintf(f->key, sizeof f->key, "%s/keys/obfuscate.key", f->folder);
    snprintf(f->map, sizeof f->map, "%s/map", f->folder);
    struct err err = ERR_INIT;
    assert_int_equal(obfuscator_open(f->key, f->folder, "tower", &f->obfuscator, &err), 0);
    *state = f;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    obfuscator_free(f->obfuscator);
    nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static char *obfuscated(struct obfuscator *obfuscator, const char *text)
{
    struct strbuf out = STRBUF_INIT;
    assert_int_equal(obfuscate_text(obfuscator, text, strlen(text), &out, NULL), 0);
    return out.length ? strbuf_take(&out) : strdup("");
}

static void a_key_is_made_once_and_for_its_owner_alone(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    struct obfuscator *again;
    assert_int_equal(stat(f->key, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(obfuscator_open(f->key, f->folder, "tower", &again, NULL), 0);
    char *a = obfuscated(f->obfuscator, "payroll box 192.168.4.1"),
         *b = obfuscated(again, "payroll box 192.168.4.1");
    assert_string_equal(a, b);
    free(a);
    free(b);
    obfuscator_free(again);
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    struct fixture *f = *state;
    struct obfuscator *unused = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(chmod(f->key, 0640), 0);
    assert_int_equal(obfuscator_open(f->key, f->folder, "tower", &unused, &err), ERR_DENIED);
    assert_null(unused);
    err_clear(&err);
    write_file(f->folder, "no.key", "hello\n", 0600);
    char path[128];
    snprintf(path, sizeof path, "%s/no.key", f->folder);
    assert_int_equal(obfuscator_open(path, f->folder, "tower", &unused, &err), ERR_PARSE);
}

static void another_key_gives_other_names(void **state)
{
    struct fixture *f = *state;
    struct obfuscator *other;
    char path[128];
    snprintf(path, sizeof path, "%s/other.key", f->folder);
    assert_int_equal(obfuscator_open(path, f->folder, "tower", &other, NULL), 0);
    char *a = obfuscated(f->obfuscator, "payroll box"), *b = obfuscated(other, "payroll box");
    assert_string_not_equal(a, b);
    assert_memory_equal(a, "vm", 2);
    assert_memory_equal(b, "vm", 2);
    free(a);
    free(b);
    obfuscator_free(other);
}

static void names_are_learnt_from_all_places(void **state)
{
    static const char *const learnt[] = {"payroll box",  "Vault",         "Cellar, left",
                                         "nas3",         "acme.example",  "tower",
                                         "jdoe",         "Jane Doe",      "lab.acme.example",
                                         "clock1",       "times.example", "AD.ACME.TEST",
                                         "sink",         "logs.example",  "com.initrode",
                                         "initrode.com", "box9",          "certs.example",
                                         "alt7",         "others.example"};
    static const char *const not_learnt[] = {
        "Debian 12", "Control domain", "Local storage", "VM.start", "root",
        "localhost", "example",        "pool.ntp.org",  "iburst",   "where.test"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_SIZE(learnt); i++) {
        char *text = obfuscated(f->obfuscator, learnt[i]);
        assert_null(strstr(text, learnt[i]));
        free(text);
    }
    for (size_t i = 0; i < ARRAY_SIZE(not_learnt); i++) {
        char *text = obfuscated(f->obfuscator, not_learnt[i]);
        assert_string_equal(text, not_learnt[i]);
        free(text);
    }
}

static void a_damaged_database_stops_the_run(void **state)
{
    struct fixture *f = *state;
    struct obfuscator *unused = NULL;
    struct err err = ERR_INIT;
    write_file(f->folder, "var/xapi/state.db", "<database><table name=\"VM\"><row name__la", 0600);
    assert_int_equal(obfuscator_open(f->key, f->folder, "tower", &unused, &err), ERR_PARSE);
    assert_null(unused);
}

static int append(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)err;
    strbuf_add(context, bytes, length);
    return 0;
}

static void gzip(const char *text, size_t length, struct strbuf *out)
{
    unsigned char bytes[4096];
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)text;
    z.avail_in = (unsigned)length;
    do {
        z.next_out = bytes;
        z.avail_out = sizeof bytes;
        deflate(&z, Z_FINISH);
        strbuf_add(out, bytes, sizeof bytes - z.avail_out);
    } while (z.avail_out == 0);
    deflateEnd(&z);
}

static void gunzip(const struct strbuf *in, struct strbuf *out)
{
    unsigned char bytes[4096];
    z_stream z = {0};
    assert_int_equal(inflateInit2(&z, 31), Z_OK);
    z.next_in = (unsigned char *)in->data;
    z.avail_in = (unsigned)in->length;
    int r = Z_OK;
    while (r == Z_OK) {
        z.next_out = bytes;
        z.avail_out = sizeof bytes;
        r = inflate(&z, Z_NO_FLUSH);
        strbuf_add(out, bytes, sizeof bytes - z.avail_out);
    }
    assert_int_equal(r, Z_STREAM_END);
    inflateEnd(&z);
}

static int stream(struct fixture *f, const struct strbuf *in, size_t step, struct strbuf *out,
                  bool *damaged)
{
    struct obfuscation *obfuscation;
    int r = obfuscation_new(f->obfuscator, "var/log/x.gz", append, out, &obfuscation, NULL);
    assert_int_equal(r, 0);
    for (size_t at = 0, n; r == 0 && at < in->length; at += n) {
        n = in->length - at < step ? in->length - at : step;
        r = obfuscation_write(obfuscation, in->data + at, n, NULL);
    }
    if (r == 0)
        r = obfuscation_finish(obfuscation, damaged, NULL);
    obfuscation_free(obfuscation);
    return r;
}

static void a_gzip_rotation_is_rewritten_inside(void **state)
{
    struct fixture *f = *state;
    struct strbuf plain = STRBUF_INIT, in = STRBUF_INIT, text = STRBUF_INIT;
    for (int i = 0; i < 5000; i++)
        strbuf_addf(&plain, "line %d of tower: payroll box at 192.168.4.%d\n", i, i % 250);
    gzip(plain.data, 1000, &in); /* two members, as `cat a.gz b.gz` makes */
    gzip(plain.data + 1000, plain.length - 1000, &in);
    char *expected = obfuscated(f->obfuscator, plain.data);
    static const size_t steps[] = {1, 3, 7, 4096, 1 << 20};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        struct strbuf out = STRBUF_INIT;
        bool damaged = true;
        assert_int_equal(stream(f, &in, steps[i], &out, &damaged), 0);
        assert_false(damaged);
        strbuf_clear(&text);
        gunzip(&out, &text);
        assert_string_equal(text.data, expected);
        strbuf_release(&out);
    }
    assert_null(strstr(expected, "payroll"));
    free(expected);
    strbuf_release(&plain);
    strbuf_release(&in);
    strbuf_release(&text);
}

static void a_cut_gzip_rotation_keeps_its_beginning(void **state)
{
    struct fixture *f = *state;
    struct strbuf plain = STRBUF_INIT, in = STRBUF_INIT, out = STRBUF_INIT, text = STRBUF_INIT;
    bool damaged = false;
    for (unsigned i = 0; i < 20000; i++)
        strbuf_addf(&plain, "%u tower\n", i * 2654435761U);
    gzip(plain.data, plain.length, &in);
    strbuf_truncate(&in, in.length / 2);
    assert_int_equal(stream(f, &in, 4096, &out, &damaged), 0);
    assert_true(damaged);
    gunzip(&out, &text);
    assert_true(text.length > 1000);
    assert_null(strstr(text.data, "tower\n"));
    strbuf_release(&plain);
    strbuf_release(&in);
    strbuf_release(&out);
    strbuf_release(&text);
}

static void other_compressions_are_refused(void **state)
{
    struct fixture *f = *state;
    struct strbuf in = STRBUF_INIT, out = STRBUF_INIT;
    bool damaged;
    strbuf_add(&in,
               "\xfd"
               "7zXZ\0 and so on",
               16);
    assert_int_equal(stream(f, &in, 2, &out, &damaged), ERR_UNSUPPORTED);
    assert_int_equal(out.length, 0);
    strbuf_release(&in);
}

static void the_map_tells_originals_and_is_for_the_owner_alone(void **state)
{
    struct fixture *f = *state;
    struct strbuf map = STRBUF_INIT;
    struct stat status;
    char *text = obfuscated(f->obfuscator, "192.168.4.1");
    char line[128];
    assert_int_equal(obfuscator_write_map(f->obfuscator, f->map, NULL), 0);
    assert_int_equal(stat(f->map, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(io_read_file(AT_FDCWD, f->map, 1 << 20, &map, NULL), 0);
    snprintf(line, sizeof line, "ipv4\t%s\t192.168.4.1\n", text);
    assert_non_null(strstr(map.data, line));
    assert_non_null(strstr(map.data, "\tpayroll box\n"));
    assert_int_equal(obfuscator_write_map(f->obfuscator, f->map, NULL), ERR_IO);
    free(text);
    strbuf_release(&map);
}

/* An archive with one member, in a file without a name. */
static int make_archive(const char *name, const char *content, bool zip)
{
    char path[] = "/tmp/test_obfuscate_archive.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    struct archive *archive = archive_write_new();
    if (zip)
        archive_write_set_format_zip(archive);
    else
        archive_write_set_format_ustar(archive);
    assert_int_equal(archive_write_open_fd(archive, fd), ARCHIVE_OK);
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, S_IFREG);
    archive_entry_set_size(entry, (la_int64_t)strlen(content));
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(archive, content, strlen(content)), strlen(content));
    archive_entry_free(entry);
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
    return fd;
}

static int search(struct fixture *f, const char *name, const char *content, bool zip,
                  struct err *err)
{
    CLEANUP_FD int fd = make_archive(name, content, zip);
    return obfuscator_search(f->obfuscator, fd, err);
}

static void the_search_finds_what_was_left_and_does_not_repeat_it(void **state)
{
    struct fixture *f = *state;
    char *seen = obfuscated(f->obfuscator, "192.168.4.1 2001:db8::77 00:16:3e:01:02:03");
    free(seen);
    static const struct {
        const char *name, *content, *class, *value;
    } leaks[] = {{"a", "the payroll box", "class vm", "payroll"},
                 {"a", "it is 192.168.4.1.", "IPv4", "192.168"},
                 {"a", "x 2001:db8::77", "IPv6", "2001"},
                 {"a", "x 00:16:3e:01:02:03", "MAC", "16:3e"},
                 {"var/tower/x", "nothing", "class host", "tower"}};
    for (size_t i = 0; i < 2 * ARRAY_SIZE(leaks); i++) {
        struct err err = ERR_INIT;
        assert_int_equal(search(f, leaks[i / 2].name, leaks[i / 2].content, i % 2, &err),
                         ERR_DENIED);
        assert_non_null(strstr(err.text, leaks[i / 2].class));
        assert_null(strstr(err.text, leaks[i / 2].value));
    }
}

static void the_search_accepts_what_was_replaced(void **state)
{
    struct fixture *f = *state;
    char *text = obfuscated(
        f->obfuscator,
        "tower payroll box 192.168.4.1 fe80::5 127.0.0.1 Local storage www.acme.example");
    struct err err = ERR_INIT;
    assert_int_equal(search(f, "a", text, false, &err), 0);
    assert_int_equal(search(f, "a", text, true, &err), 0);
    assert_int_equal(search(f, "a", "9.9.9.9 was never seen", false, &err), 0);
    free(text);
}

static void a_pseudonym_is_one_word_in_which_no_other_name_ends(void **state)
{
    struct fixture *f = *state;
    struct obfuscator *other;
    struct err err = ERR_INIT;
    write_file(f->folder, "var/xapi/state.db",
               "<database><table name=\"VM\"><row name__label=\"test%.vm\"/>"
               "<row name__label=\"web77\"/><row name__label=\"web%.10\"/></table></database>",
               0600);
    assert_int_equal(obfuscator_open(f->key, f->folder, "tower", &other, NULL), 0);
    char *text = obfuscated(other, "test web77, web 10.1.2.3, web 10.");
    assert_memory_equal(text, "test vm", 7);
    assert_non_null(strstr(text, ", web 10."));
    CLEANUP_FD int fd = make_archive("a", text, false);
    assert_int_equal(obfuscator_search(other, fd, &err), 0);
    free(text);
    obfuscator_free(other);
}

static void what_was_replaced_passes_a_second_time_but_for_its_addresses(void **state)
{
    struct fixture *f = *state;
    char *once = obfuscated(f->obfuscator, "tower: payroll box, Vault, jdoe");
    char *twice = obfuscated(f->obfuscator, once);
    assert_string_equal(once, twice);
    free(once);
    free(twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_is_made_once_and_for_its_owner_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_others_can_read_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_key_gives_other_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_learnt_from_all_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_database_stops_the_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gzip_rotation_is_rewritten_inside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_gzip_rotation_keeps_its_beginning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_compressions_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_map_tells_originals_and_is_for_the_owner_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_search_finds_what_was_left_and_does_not_repeat_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_search_accepts_what_was_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pseudonym_is_one_word_in_which_no_other_name_ends, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            what_was_replaced_passes_a_second_time_but_for_its_addresses, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
