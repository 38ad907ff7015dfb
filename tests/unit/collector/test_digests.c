/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/bundle/digests.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define MOST 1000

static unsigned char bytes[MOST];

struct texts {
    char md5[DIGESTS_MD5_TEXT], sha256[DIGESTS_SHA256_TEXT];
};

static void fill_bytes(void)
{
    for (size_t i = 0; i < MOST; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 11);
}

/* Adds `length` bytes, `piece` of them at a time. */
static struct texts digest(struct digests *digests, size_t length, size_t piece)
{
    struct texts texts;
    for (size_t at = 0; at < length; at += piece) {
        size_t n = length - at < piece ? length - at : piece;
        assert_int_equal(digests_add(digests, bytes + at, n, NULL), 0);
    }
    assert_int_equal(digests_finish(digests, texts.md5, texts.sha256, NULL), 0);
    return texts;
}

static void assert_is_openssls(const EVP_MD *kind, size_t length, const char *text)
{
    unsigned char expected[EVP_MAX_MD_SIZE];
    unsigned size;
    assert_true(EVP_Digest(bytes, length, expected, &size, kind, NULL));
    assert_int_equal(strlen(text), 2 * size);
    for (unsigned i = 0; i < size; i++) {
        char byte[3];
        snprintf(byte, sizeof byte, "%02x", expected[i]);
        assert_memory_equal(text + 2 * i, byte, 2);
    }
}

static void every_length_and_every_cut_gives_what_openssl_says(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 3, 63, 64, 65, 200, MOST};
    struct digests *digests;
    fill_bytes();
    assert_int_equal(digests_new(&digests, NULL), 0);
    for (size_t length = 0; length <= MOST; length++)
        for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
            assert_int_equal(digests_reset(digests, NULL), 0);
            struct texts texts = digest(digests, length, pieces[i]);
            assert_is_openssls(EVP_md5(), length, texts.md5);
            assert_is_openssls(EVP_sha256(), length, texts.sha256);
        }
    digests_free(digests);
}

static void nothing_has_the_digests_that_everybody_knows(void **state)
{
    (void)state;
    struct digests *digests;
    assert_int_equal(digests_new(&digests, NULL), 0);
    struct texts texts = digest(digests, 0, 1);
    assert_string_equal(texts.md5, "d41d8cd98f00b204e9800998ecf8427e");
    assert_string_equal(texts.sha256,
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digests_free(digests);
}

static void what_was_added_before_a_reset_does_not_count(void **state)
{
    (void)state;
    struct digests *digests;
    fill_bytes();
    assert_int_equal(digests_new(&digests, NULL), 0);
    assert_int_equal(digests_add(digests, bytes, 100, NULL), 0);
    assert_int_equal(digests_reset(digests, NULL), 0);
    struct texts texts = digest(digests, 70, 70);
    assert_is_openssls(EVP_md5(), 70, texts.md5);
    assert_is_openssls(EVP_sha256(), 70, texts.sha256);
    digests_free(digests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_and_every_cut_gives_what_openssl_says),
        cmocka_unit_test(nothing_has_the_digests_that_everybody_knows),
        cmocka_unit_test(what_was_added_before_a_reset_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
