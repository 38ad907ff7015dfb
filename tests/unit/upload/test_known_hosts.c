/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which lines of a file of known hosts are about a host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <fcntl.h>
#include <cmocka.h>

#include "common/io.h"
#include "upload/net/known_hosts.h"

#define ED "ssh-ed25519"
#define EC "ecdsa-sha2-nistp256"

static void chooses(const char *text, const char *host, int port, const char *wanted)
{
    CLEANUP(strbuf_release) struct strbuf lines = STRBUF_INIT, revoked = STRBUF_INIT;
    known_hosts_choose(text, strlen(text), host, port, &lines, &revoked);
    assert_string_equal(lines.data, wanted);
}

static void a_name_is_known_with_its_port(void **state)
{
    (void)state;
    const char *text = "store " ED " AAAA\n[store]:2222 " ED " BBBB\nother " ED " CCCC\n";
    chooses(text, "store", 22, "store " ED " AAAA\n");
    chooses(text, "store", 2222, "[store]:2222 " ED " BBBB\n");
    chooses(text, "store", 23, "");
    chooses("[::1]:2222 " ED " AAAA", "::1", 2222, "[::1]:2222 " ED " AAAA\n");
    chooses("STORE " ED " AAAA", "Store", 22, "store " ED " AAAA\n");
}

static void names_are_patterns(void **state)
{
    (void)state;
    chooses("a,*.example.org,b " ED " AAAA\n", "x.example.org", 22, "x.example.org " ED " AAAA\n");
    chooses("*.example.org,!x.example.org " ED " AAAA\n", "x.example.org", 22, "");
    chooses("!x.example.org,*.example.org " ED " AAAA\n", "y.example.org", 22,
            "y.example.org " ED " AAAA\n");
    chooses("10.0.0.? " ED " AAAA\n", "10.0.0.7", 22, "10.0.0.7 " ED " AAAA\n");
    chooses("10.0.0.? " ED " AAAA\n", "10.0.0.77", 22, "");
    chooses("[*]:2222 " ED " AAAA\n", "h", 2222, "[h]:2222 " ED " AAAA\n");
    chooses("* " ED " AAAA\n", "h", 22, "h " ED " AAAA\n");
    chooses("store.evil " ED " AAAA\n", "store", 22, "");
    chooses("sto " ED " AAAA\n", "store", 22, "");
    chooses("!store " ED " AAAA\n", "other", 22, "");
}

static void a_hashed_name_is_compared_by_its_digest(void **state)
{
    (void)state;
    /* Made by ssh-keygen -H of OpenSSH 9.2 from "store.example.org" and "[127.0.0.1]:2222". */
    const char *text = "|1|U2L9UgvBocmeNa3QG9Op37MQq3s=|Gif5a7xz3+hhXh6BizfM9BnlLCg= " ED " AAAA\n"
                       "|1|z/ITlxu8AC9DXO6f9ZJbmp6uhp4=|ikomD1o+zdN1/aDVIPBZTd3H9hs= " ED " BBBB\n";
    chooses(text, "store.example.org", 22, "store.example.org " ED " AAAA\n");
    chooses(text, "127.0.0.1", 2222, "[127.0.0.1]:2222 " ED " BBBB\n");
    chooses(text, "127.0.0.1", 22, "");
    chooses("|1|x " ED " AAAA\n|1||= " ED " AAAA\n|1|AAAA|AAAA " ED " AAAA\n", "h", 22, "");
}

static void the_kinds_of_keys_have_an_order_and_unknown_ones_are_left_out(void **state)
{
    (void)state;
    chooses("h ssh-rsa RRRR\nh ssh-dss DDDD\nh " EC " EEEE\nh sk-ssh-ed25519@openssh.com SSSS\n"
            "h " ED " AAAA comment\n",
            "h", 22, "h " ED " AAAA\nh " EC " EEEE\nh ssh-rsa RRRR\n");
}

static void a_revoked_key_is_no_key_whichever_line_comes_first(void **state)
{
    (void)state;
    chooses("@revoked h " ED " AAAA\nh " ED " AAAA\nh " ED " BBBB\n", "h", 22, "h " ED " BBBB\n");
    chooses("h " ED " AAAA\n@revoked * " ED " AAAA\n", "h", 22, "");
    chooses("h " ED " AAAA\n@revoked other " ED " AAAA\n", "h", 22, "h " ED " AAAA\n");
    chooses("@cert-authority h " ED " AAAA\n@who h " ED " AAAA\n", "h", 22, "");
}

static void what_is_revoked_in_one_file_is_not_good_in_another(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf lines = STRBUF_INIT, revoked = STRBUF_INIT;
    const char *first = "h " ED " AAAA\nh " ED " BBBB\n", *second = "@revoked h " ED " AAAA\n";
    known_hosts_choose(first, strlen(first), "h", 22, &lines, &revoked);
    known_hosts_choose(second, strlen(second), "h", 22, &lines, &revoked);
    assert_string_equal(lines.data, "h " ED " BBBB\n");
}

static void lines_that_are_none_are_passed_over(void **state)
{
    (void)state;
    chooses("\n#h " ED " AAAA\n  \t\nh\nh " ED "\nh " ED " not-base64\nh  " ED "\tAAAA\r\n", "h",
            22, "h " ED " AAAA\n");
    CLEANUP(strbuf_release) struct strbuf lines = STRBUF_INIT, revoked = STRBUF_INIT;
    const char text[] = "h " ED " AA\0AA\nh " ED " BBBB\n";
    known_hosts_choose(text, sizeof text - 1, "h", 22, &lines, &revoked);
    assert_string_equal(lines.data, "h " ED " BBBB\n");
}

static void a_host_that_no_file_knows_is_not_asked(void **state)
{
    (void)state;
    char path[] = "/tmp/test-known-hosts-XXXXXX";
    struct err err = ERR_INIT;
    int fd = mkstemp(path), none = -1;
    assert_int_equal(io_write_all(fd, "other " ED " AAAA\n", 23), 0);
    assert_int_equal(known_hosts_open(path, "h", 22, &none, &err), ERR_DENIED);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(none, -1);
    close(fd);
    unlink(path);
    assert_int_equal(known_hosts_open(path, "h", 22, &none, NULL), ERR_NOTFOUND);
}

static void the_lines_are_handed_over_as_a_file(void **state)
{
    (void)state;
    char path[] = "/tmp/test-known-hosts-XXXXXX", name[64];
    CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;
    int fd = mkstemp(path);
    CLEANUP_FD int chosen = -1;
    assert_int_equal(io_write_all(fd, "h " ED " AAAA\n", 19), 0);
    assert_int_equal(known_hosts_open(path, "h", 22, &chosen, NULL), 0);
    close(fd);
    unlink(path);
    snprintf(name, sizeof name, "/proc/self/fd/%d", chosen);
    assert_int_equal(io_read_file(AT_FDCWD, name, 100, &text, NULL), 0);
    assert_string_equal(text.data, "h " ED " AAAA\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_known_with_its_port),
        cmocka_unit_test(names_are_patterns),
        cmocka_unit_test(a_hashed_name_is_compared_by_its_digest),
        cmocka_unit_test(the_kinds_of_keys_have_an_order_and_unknown_ones_are_left_out),
        cmocka_unit_test(a_revoked_key_is_no_key_whichever_line_comes_first),
        cmocka_unit_test(what_is_revoked_in_one_file_is_not_good_in_another),
        cmocka_unit_test(lines_that_are_none_are_passed_over),
        cmocka_unit_test(a_host_that_no_file_knows_is_not_asked),
        cmocka_unit_test(the_lines_are_handed_over_as_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
