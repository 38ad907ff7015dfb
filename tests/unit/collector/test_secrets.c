/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The filter that everything goes through: what it must find in every way of writing it down, and
 * what it must leave alone to the byte. Each case runs in one piece, byte by byte, and split in two
 * at every place, and a second time over its own output.
 */
#include "collector/redact/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "collector/redact/codec.h"
#include "collector/redact/secrets.h"
#include "common/compiler.h"
#include "common/strbuf.h"
#include "secret_shapes.h"

static int append(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)err;
    strbuf_add(context, bytes, length);
    return 0;
}

struct result {
    struct strbuf output;
    int code;
    int64_t count;
    bool wants_rewrite;
};

/* In two parts, each in steps; `rewrite`: as for the second reading of a compressed file. */
static struct result redact(const char *input, size_t length, size_t split, size_t step,
                            bool rewrite)
{
    const char *const none[] = {NULL};
    struct result result = {.output = STRBUF_INIT};
    struct redactor *redactor;
    assert_int_equal(redactor_new(none, append, &result.output, &redactor, NULL), 0);
    if (rewrite)
        redactor_rewrite(redactor);
    for (size_t at = 0, n; result.code == 0 && at < length; at += n) {
        size_t end = at < split ? split : length;
        n = end - at < step ? end - at : step;
        result.code = redactor_write(redactor, input + at, n, NULL);
    }
    if (result.code == 0)
        result.code = redactor_finish(redactor, NULL);
    result.count = redactor_count(redactor);
    result.wants_rewrite = redactor_wants_rewrite(redactor);
    redactor_free(redactor);
    return result;
}

static void assert_becomes(const char *input, size_t length, size_t split, size_t step,
                           const char *output, size_t output_length)
{
    struct result result = redact(input, length, split, step, false);
    bool same = result.code == 0 && result.output.length == output_length &&
                memcmp(result.output.data, output, output_length) == 0;
    if (!same)
        fail_msg("split at %zu, steps of %zu, code %d\n input:    %s\n expected: %s\n got:      %s",
                 split, step, result.code, input, output, result.output.data);
    strbuf_release(&result.output);
}

/* The line alone, and between two others. */
static void assert_line_becomes(const char *input, const char *output)
{
    struct strbuf in = STRBUF_INIT, out = STRBUF_INIT;
    strbuf_addf(&in, "before\n%s\nafter\n", input);
    strbuf_addf(&out, "before\n%s\nafter\n", output);
    assert_becomes(input, strlen(input), 0, 100000, output, strlen(output));
    assert_becomes(in.data, in.length, 0, 1, out.data, out.length);
    for (size_t split = 0; split <= in.length; split++)
        assert_becomes(in.data, in.length, split, in.length, out.data, out.length);
    assert_becomes(out.data, out.length, 0, out.length, out.data, out.length);
    strbuf_release(&in);
    strbuf_release(&out);
}

static void secrets_in_all_shapes_go_wherever_the_chunks_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(planted); i++)
        assert_line_becomes(planted[i].input, planted[i].output);
}

static void what_only_looks_like_a_secret_stays_to_the_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
        assert_line_becomes(harmless[i], harmless[i]);
}

#define KEY_BEGIN "-----BEGIN RSA PRIVATE KEY-----\n"
#define KEY_END   "-----END RSA PRIVATE KEY-----\n"
#define KEY_LINE  "MIIEowIBAAKCAQEAxyz0123456789+/abcdefghijklmnopqrstuvwxyzABCDEFG\n"

static void private_keys_of_many_lines_go_with_or_without_an_end(void **state)
{
    (void)state;
    static const struct {
        const char *input, *output;
    } cases[] = {
        {"a\n" KEY_BEGIN KEY_LINE KEY_LINE "abc=\n" KEY_END "b\n",
         "a\n" KEY_BEGIN "REMOVED\n" KEY_END "b\n"},
        {KEY_BEGIN "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" KEY_LINE KEY_END,
         KEY_BEGIN "REMOVED\n" KEY_END},
        {KEY_BEGIN KEY_LINE KEY_LINE "this is no key\n" KEY_LINE,
         KEY_BEGIN "REMOVED\nthis is no key\n" KEY_LINE},
        {"Nov  1 h x: " KEY_BEGIN "Nov  1 h x: " KEY_LINE "Nov  1 h x: ab==\nNov  1 h x: " KEY_END "b\n",
         "Nov  1 h x: " KEY_BEGIN "REMOVED\nNov  1 h x: " KEY_END "b\n"},
        {"  " KEY_BEGIN "  " KEY_LINE "  " KEY_END, "  " KEY_BEGIN "REMOVED\n  " KEY_END},
        {KEY_BEGIN KEY_LINE, KEY_BEGIN "REMOVED\n"},
        {"abc\n" KEY_LINE KEY_LINE "abc=\n" KEY_END "b\n", "REMOVED\n" KEY_END "b\n"},
        {KEY_LINE KEY_END, "REMOVED\n" KEY_END},
        {"abc=\n-----END PRIVATE KEY-----", "REMOVED\n-----END PRIVATE KEY-----"},
        {"cd\\nab=\\n-----END PRIVATE KEY-----\\n\", 1]\n", "REMOVED-----END PRIVATE KEY-----\\n\", 1]\n"},
        {"Nov  1 h started\nNov  1 h x: " KEY_LINE "Nov  1 h x: ab==\nNov  1 h x: " KEY_END,
         "REMOVED\nNov  1 h x: " KEY_END},
        {"a log of words\n" KEY_LINE KEY_END, "a log of words\nREMOVED\n" KEY_END},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t split = 0; split <= strlen(cases[i].input); split++)
            assert_becomes(cases[i].input, strlen(cases[i].input), split, 1000, cases[i].output,
                           strlen(cases[i].output));
}

/* Text of `bytes` bytes and no newline. */
static void fill(struct strbuf *text, size_t bytes)
{
    size_t end = text->length + bytes;
    while (text->length < end)
        strbuf_add(text, "0123456789abcdef ", end - text->length < 17 ? end - text->length : 17);
}

static void a_secret_is_found_wherever_it_stands_in_a_line_of_a_megabyte(void **state)
{
    (void)state;
    for (size_t at = 0; at < 1000000; at += 4099) {
        struct strbuf in = STRBUF_INIT, out = STRBUF_INIT;
        fill(&in, at);
        fill(&out, at);
        strbuf_adds(&in, "{\"password\": \"my secret\"}");
        strbuf_adds(&out, "{\"password\": \"REMOVED\"}");
        fill(&in, 1000000 - at);
        fill(&out, 1000000 - at);
        assert_becomes(in.data, in.length, 0, 65536, out.data, out.length);
        strbuf_release(&in);
        strbuf_release(&out);
    }
}

static void binary_data_keep_their_length(void **state)
{
    (void)state;
    static const char input[] = "\0\1password=ab\2\3user\0http://u:secret words@h\0\0password: \0x\n"
                                "token=a longer secret than the word\n\0";
    static const char output[] = "\0\1password=RE\2\3user\0http://u:REMOVEDREMOV@h\0\0password: \0x\n"
                                 "token=REMOVEDREMOVEDREMOVEDREMOVEDR\n\0";
    for (size_t split = 0; split <= sizeof input; split++)
        assert_becomes(input, sizeof input, split, 1000, output, sizeof output);
}

static const struct codec *const codecs[] = {&codec_gzip, &codec_bzip2, &codec_xz, &codec_zstd};

static struct strbuf pack(const struct codec *codec, const char *text, size_t length)
{
    struct strbuf out = STRBUF_INIT;
    void *packer;
    assert_int_equal(codec->packer_new(&packer, NULL), 0);
    assert_int_equal(codec->pack(packer, text, length, true, &out, NULL), 0);
    codec->packer_free(packer);
    return out;
}

/* All streams of it, to the last byte. */
static struct strbuf unpack(const struct codec *codec, const struct strbuf *packed)
{
    struct strbuf out = STRBUF_INIT;
    char chunk[4096];
    struct codec_step step = {
        .in = packed->data, .in_left = packed->length, .out = chunk, .room = sizeof chunk};
    void *unpacker;
    enum codec_status status = CODEC_MORE;
    assert_int_equal(codec->unpacker_new(&unpacker, NULL), 0);
    while (status == CODEC_MORE || step.in_left > 0) {
        status = codec->unpack(unpacker, &step);
        assert_true(status == CODEC_MORE || status == CODEC_END);
        strbuf_add(&out, chunk, step.made);
    }
    codec->unpacker_free(unpacker);
    return out;
}

static void compressed_logs_without_secrets_stay_to_the_byte(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT;
    fill(&text, 300000);
    for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
        struct strbuf packed = pack(codecs[i], text.data, text.length), two = STRBUF_INIT;
        size_t cut = packed.length - 10;
        strbuf_add(&two, packed.data, packed.length);
        strbuf_add(&two, packed.data, packed.length);
        for (size_t step = 1; step < 100000; step = step * 3 + 1) {
            assert_becomes(packed.data, packed.length, 0, step, packed.data, packed.length);
            assert_becomes(two.data, two.length, 0, step, two.data, two.length);
            assert_becomes(packed.data, cut, 0, step, packed.data, cut);
        }
        strbuf_release(&packed);
        strbuf_release(&two);
    }
    strbuf_release(&text);
}

static void compressed_logs_with_secrets_are_packed_again_without_them(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT, expected = STRBUF_INIT;
    fill(&text, 200000);
    fill(&expected, 200000);
    strbuf_adds(&text, "\npassword=my secret\nend\n");
    strbuf_adds(&expected, "\npassword=REMOVED\nend\n");
    for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
        struct strbuf packed = pack(codecs[i], text.data, text.length);
        for (size_t step = 1; step < 100000; step = step * 3 + 1) {
            struct result first = redact(packed.data, packed.length, 0, step, false);
            assert_int_not_equal(first.code, 0);
            assert_true(first.wants_rewrite);
            struct result second = redact(packed.data, packed.length, 0, step, true);
            assert_int_equal(second.code, 0);
            assert_int_equal(second.count, 1);
            struct strbuf plain = unpack(codecs[i], &second.output);
            assert_int_equal(plain.length, expected.length);
            assert_memory_equal(plain.data, expected.data, expected.length);
            strbuf_release(&first.output);
            strbuf_release(&second.output);
            strbuf_release(&plain);
        }
        strbuf_release(&packed);
    }
    strbuf_release(&text);
    strbuf_release(&expected);
}

static void assert_damage_is_left_out(const struct codec *codec, const struct strbuf *packed,
                                      const struct strbuf *text)
{
    for (size_t step = 1; step < 1000000; step = step * 5 + 1) {
        struct result first = redact(packed->data, packed->length, 0, step, false);
        assert_true(first.wants_rewrite);
        strbuf_release(&first.output);
        struct result result = redact(packed->data, packed->length, 0, step, true);
        assert_int_equal(result.code, 0);
        assert_int_equal(result.count, 1);
        struct strbuf plain = unpack(codec, &result.output);
        if (plain.data[0] != '\n') /* something could be read before the damage */
            assert_memory_equal(plain.data, text->data, 10);
        assert_non_null(strstr(plain.data, "is damaged and was left out"));
        assert_null(memmem(result.output.data, result.output.length, "secret", 6));
        strbuf_release(&result.output);
        strbuf_release(&plain);
    }
}

static void what_is_behind_a_damage_in_compressed_data_is_left_out(void **state)
{
    (void)state;
    struct strbuf text = STRBUF_INIT;
    strbuf_adds(&text, "beginning\n");
    while (text.length < 400000)
        strbuf_addf(&text, "%zx", text.length * 2654435761u);
    for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
        struct strbuf packed = pack(codecs[i], text.data, text.length);
        memset(packed.data + packed.length / 2, 0xff, 64);
        strbuf_adds(&packed, "password=secret\n");
        assert_damage_is_left_out(codecs[i], &packed, &text);
        strbuf_release(&packed);
    }
    strbuf_release(&text);
}

/* Unlike gzip's, readers of the others go on behind the end of a stream. */
static void what_follows_other_compressed_data_is_left_out(void **state)
{
    (void)state;
    for (size_t i = 1; i < ARRAY_SIZE(codecs); i++) {
        struct strbuf packed = pack(codecs[i], "harmless\n", 9);
        strbuf_adds(&packed, "\x50\x2a\x4d\x18" "password=secret\n");
        struct result first = redact(packed.data, packed.length, 0, 7, false);
        struct result second = redact(packed.data, packed.length, 0, 7, true);
        struct strbuf plain = unpack(codecs[i], &second.output);
        assert_true(first.wants_rewrite);
        assert_memory_equal(plain.data, "harmless\n", 9);
        assert_null(memmem(plain.data, plain.length, "secret\n", 7));
        strbuf_release(&packed);
        strbuf_release(&first.output);
        strbuf_release(&second.output);
        strbuf_release(&plain);
    }
}

/* Nothing of them comes out, whatever the cuts. */
static void what_cannot_be_searched_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {"PK\3\4\24\0\0\0\0\0", 10},
        {"7z\xbc\xaf\x27\x1c\0\4", 8},
        {"\x04\x22\x4d\x18\x64\x40\xa7", 7},
        {"LZIP\1\x14\0\0", 8},
        {"\x89LZO\0\r\n", 7},
        {"\x1f\x9d\x90", 3},
        {"\x50\x2a\x4d\x18\4\0\0\0skip\x28\xb5\x2f\xfd", 16},
        /* the heads of a frame with a window of 1 GB, and of a dictionary of 1 GB */
        {"\x28\xb5\x2f\xfd\0\xa0\1\0\0", 9},
        {"\xfd" "7zXZ\0\0\0\xff\x12\xd9\x41\2\0\x21\1\x24\0\0\0\x5e\x1f\xc7\xf9", 24},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (int rewrite = 0; rewrite < 2; rewrite++)
            for (size_t step = 1; step < 20; step += 6) {
                struct result result = redact(cases[i].bytes, cases[i].length, 0, step, rewrite);
                if (result.code != ERR_UNSUPPORTED || result.wants_rewrite)
                    fail_msg("case %zu: %d", i, result.code);
                strbuf_release(&result.output);
            }
}

static void what_follows_gzip_data_is_searched_as_it_stands(void **state)
{
    (void)state;
    struct strbuf packed = pack(&codec_gzip, "harmless\n", 9);
    strbuf_adds(&packed, "password=secret\n");
    struct result result = redact(packed.data, packed.length, 0, 7, false);
    assert_int_equal(result.code, 0);
    assert_null(memmem(result.output.data, result.output.length, "secret", 6));
    assert_int_equal(result.output.length, packed.length);
    strbuf_release(&result.output);
    strbuf_release(&packed);
}

static void our_own_texts_are_redacted_too(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    assert_int_equal(redact_text("run --password x", 16, &out), 1);
    assert_string_equal(out.data, "run --password REMOVED");
    strbuf_release(&out);
}

static void names_are_judged_by_their_last_part(void **state)
{
    (void)state;
    assert_int_equal(secret_kind("node.session.auth.password", 26), SECRET_ANY);
    assert_int_equal(secret_kind("secret.create", 13), SECRET_NONE);
    assert_int_equal(secret_kind("password_file", 13), SECRET_NONE);
    assert_int_equal(secret_kind("secret_profile", 14), SECRET_ANY);
    assert_int_equal(secret_kind("session_id", 10), SECRET_SESSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_in_all_shapes_go_wherever_the_chunks_end),
        cmocka_unit_test(what_only_looks_like_a_secret_stays_to_the_byte),
        cmocka_unit_test(private_keys_of_many_lines_go_with_or_without_an_end),
        cmocka_unit_test(a_secret_is_found_wherever_it_stands_in_a_line_of_a_megabyte),
        cmocka_unit_test(binary_data_keep_their_length),
        cmocka_unit_test(compressed_logs_without_secrets_stay_to_the_byte),
        cmocka_unit_test(compressed_logs_with_secrets_are_packed_again_without_them),
        cmocka_unit_test(what_is_behind_a_damage_in_compressed_data_is_left_out),
        cmocka_unit_test(what_follows_gzip_data_is_searched_as_it_stands),
        cmocka_unit_test(what_follows_other_compressed_data_is_left_out),
        cmocka_unit_test(what_cannot_be_searched_is_refused),
        cmocka_unit_test(our_own_texts_are_redacted_too),
        cmocka_unit_test(names_are_judged_by_their_last_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
