/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Digests of stretches of a file, against what libcrypto computes over the bytes in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/digest.h"

#define SIZE ((1 << 20) + 12345) /* several blocks and a rest */

static unsigned char bytes[SIZE];
static int file;

static int make_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i * i >> 7);
    file = memfd_create("digest", MFD_CLOEXEC);
    return file >= 0 && write(file, bytes, SIZE) == SIZE ? 0 : -1;
}

static int close_file(void **state)
{
    (void)state;
    return close(file);
}

static void a_stretch_has_the_digest_of_its_bytes(void **state)
{
    (void)state;
    static const struct {
        int64_t offset, length, there;
    } cases[] = {{0, SIZE, SIZE}, {0, 0, 0},        {7, 1 << 18, 1 << 18}, {5, INT64_MAX, SIZE - 5},
                 {SIZE, 1, 0},    {SIZE - 1, 1, 1}, {SIZE + 9, 1, 0}};
    const EVP_MD *kinds[] = {EVP_sha256(), EVP_sha1(), EVP_md5()};
    for (size_t i = 0; i < ARRAY_SIZE(cases) * ARRAY_SIZE(kinds); i++) {
        const EVP_MD *kind = kinds[i / ARRAY_SIZE(cases)];
        const int64_t offset = cases[i % ARRAY_SIZE(cases)].offset;
        const int64_t there = cases[i % ARRAY_SIZE(cases)].there;
        const struct digest_wish wish = {.fd = file,
                                         .name = "a file",
                                         .kind = kind,
                                         .offset = offset,
                                         .length = cases[i % ARRAY_SIZE(cases)].length};
        unsigned char digest[DIGEST_BYTES], wanted[EVP_MAX_MD_SIZE];
        unsigned size;
        int64_t got = -1;
        assert_int_equal(digest_read(&wish, digest, &got, NULL), 0);
        assert_int_equal(got, there);
        assert_int_equal(
            EVP_Digest(bytes + (there ? offset : 0), (size_t)there, wanted, &size, kind, NULL), 1);
        assert_memory_equal(digest, wanted, size);
    }
}

static void who_wants_to_stop_is_heard_and_what_cannot_be_read_is_told(void **state)
{
    (void)state;
    const atomic_bool yes = true;
    unsigned char digest[DIGEST_BYTES] = "untouched";
    int64_t got = -1;
    struct err err = ERR_INIT;
    struct digest_wish wish = {.fd = file, .name = "a file", .kind = EVP_sha256(), .length = SIZE};
    wish.cancelled = &yes;
    assert_int_equal(digest_read(&wish, digest, &got, NULL), ERR_CANCELLED);
    wish.cancelled = NULL;
    wish.fd = open("/", O_RDONLY | O_CLOEXEC);
    assert_int_equal(digest_read(&wish, digest, &got, &err), ERR_IO);
    assert_int_equal(err.sysno, EISDIR);
    assert_non_null(strstr(err.text, "'a file'"));
    close(wish.fd);
    wish.fd = file;
    wish.kind = EVP_sha512(); /* longer than there is room for */
    assert_int_equal(digest_read(&wish, digest, &got, NULL), ERR_UNSUPPORTED);
    assert_int_equal(got, -1);
    assert_string_equal((char *)digest, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stretch_has_the_digest_of_its_bytes),
        cmocka_unit_test(who_wants_to_stop_is_heard_and_what_cannot_be_read_is_told),
    };
    return cmocka_run_group_tests(tests, make_file, close_file);
}
