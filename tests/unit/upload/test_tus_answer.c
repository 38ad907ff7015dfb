/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the headers of a tus server mean, and what ours say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "upload/net/answer.h"
#include "upload/protocols/tus_answer.h"

#define MAX_PAIRS 8

/* An answer with these headers: name, value, ..., NULL. */
static struct net_answer answer_with(const char *const *pairs)
{
    struct net_answer answer = {.body = STRBUF_INIT, .retry_after_s = -1};
    struct answer_reader reader = {.answer = &answer};
    CLEANUP(strbuf_release) struct strbuf line = STRBUF_INIT;
    strbuf_adds(&line, "HTTP/1.1 204 No Content\r\n");
    assert_true(answer_line(&reader, line.data, line.length));
    for (; pairs[0]; pairs += 2) {
        strbuf_clear(&line);
        strbuf_addf(&line, "%s: %s\r\n", pairs[0], pairs[1]);
        assert_true(answer_line(&reader, line.data, line.length));
    }
    return answer;
}

static void offers_are_lists_in_any_case_and_spacing(void **state)
{
    (void)state;
    static const struct {
        const char *pairs[MAX_PAIRS + 1];
        bool expires, terminates;
        const char *checksum;
        int64_t max_size;
    } cases[] = {
        {{"Tus-Version", "1.0.0,0.2.2", "Tus-Extension", "creation,expiration"},
         true,
         false,
         NULL,
         -1},
        {{"Tus-Extension", " Creation , TERMINATION", "Tus-Max-Size", "1073741824"},
         false,
         true,
         NULL,
         1073741824},
        {{"Tus-Extension", "creation,checksum", "Tus-Checksum-Algorithm", "md5, sha1,SHA256"},
         false,
         false,
         "sha256",
         -1},
        {{"Tus-Extension", "creation,checksum", "Tus-Checksum-Algorithm", "md5,sha1"},
         false,
         false,
         "sha1",
         -1},
        {{"Tus-Extension", "creation,checksum"}, false, false, "sha1", -1},
        {{"Tus-Extension", "creation,checksum", "Tus-Checksum-Algorithm", "sha256x,sha11"},
         false,
         false,
         NULL,
         -1},
        {{"Tus-Extension", "creation", "Tus-Checksum-Algorithm", "sha256"}, false, false, NULL, -1},
        {{"Tus-Extension", "creation,checksum-trailer"}, false, false, NULL, -1},
        {{"Server", "nginx"}, false, false, NULL, -1},
        {{"Tus-Extension", "creation", "Tus-Max-Size", "-5"}, false, false, NULL, -1},
        {{"Tus-Extension", ",, creation,,"}, false, false, NULL, -1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct net_answer answer = answer_with(cases[i].pairs);
        struct tus_offer offer;
        assert_int_equal(tus_read_offer(&answer, &offer, NULL), 0);
        assert_true(offer.creates);
        assert_int_equal(offer.expires, cases[i].expires);
        assert_int_equal(offer.terminates, cases[i].terminates);
        assert_int_equal(offer.max_size, cases[i].max_size);
        assert_int_equal(offer.checksum != NULL, cases[i].checksum != NULL);
        if (offer.checksum)
            assert_string_equal(offer.checksum, cases[i].checksum);
        net_answer_release(&answer);
    }
}

static void servers_of_other_versions_or_without_creation_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][MAX_PAIRS + 1] = {
        {"Tus-Version", "0.2.2"},
        {"Tus-Version", "2.0.0,1.0.00"},
        {"Tus-Version", ""},
        {"Tus-Version", "1.0.0", "Tus-Extension", "creation-with-upload,checksum"},
        {"Tus-Version", "1.0.0", "Tus-Extension", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct net_answer answer = answer_with(cases[i]);
        struct tus_offer offer = {.max_size = 42};
        assert_int_equal(tus_read_offer(&answer, &offer, NULL), ERR_UNSUPPORTED);
        assert_int_equal(offer.max_size, 42);
        net_answer_release(&answer);
    }
}

static void a_foreign_word_in_an_error_is_short_and_harmless(void **state)
{
    (void)state;
    char *version = malloc(20001);
    assert_non_null(version);
    memset(version, 'x', 20000);
    memcpy(version, "\xE2\x80\xAE\xC2\x9B", 5);
    version[20000] = '\0';
    const char *const pairs[] = {"Tus-Version", version, NULL};
    struct net_answer answer = answer_with(pairs);
    struct tus_offer offer;
    struct err err = ERR_INIT;
    assert_int_equal(tus_read_offer(&answer, &offer, &err), ERR_UNSUPPORTED);
    assert_true(strlen(err.text) < 200);
    for (const char *p = err.text; *p; p++)
        assert_in_range(*p, 0x20, 0x7e);
    net_answer_release(&answer);
    free(version);
}

static void an_offset_is_a_number_within_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *pairs[MAX_PAIRS + 1];
        int code;
        int64_t offset;
    } cases[] = {
        {{"Upload-Offset", "0"}, 0, 0},
        {{"upload-offset", "1000"}, 0, 1000},
        {{"Upload-Offset", "999", "Upload-Length", "1000"}, 0, 999},
        {{"Upload-Offset", "1001"}, ERR_PARSE, 7},
        {{"Upload-Offset", "-1"}, ERR_PARSE, 7},
        {{"Upload-Offset", "12x"}, ERR_PARSE, 7},
        {{"Upload-Offset", ""}, ERR_PARSE, 7},
        {{"Upload-Offset", "0x10"}, ERR_PARSE, 7},
        {{"Upload-Offset", "18446744073709551616"}, ERR_PARSE, 7},
        {{"Upload-Length", "1000"}, ERR_PARSE, 7},
        {{"Upload-Offset", "10", "Upload-Length", "2000"}, ERR_EXISTS, 7},
        {{"Upload-Offset", "10", "Upload-Length", "none"}, 0, 10},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct net_answer answer = answer_with(cases[i].pairs);
        struct err err = ERR_INIT;
        int64_t offset = 7;
        assert_int_equal(tus_read_offset(&answer, 1000, &offset, &err), cases[i].code);
        assert_int_equal(offset, cases[i].offset);
        net_answer_release(&answer);
    }
}

static void metadata_is_pairs_of_a_key_and_base64(void **state)
{
    (void)state;
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    tus_add_metadata(&out, "a b,c\xC3\xA9.zip", "00ff");
    assert_string_equal(out.data,
                        "filename YSBiLGPDqS56aXA=,filetype YXBwbGljYXRpb24vemlw,sha256 MDBmZg==");
}

static void base64_has_no_seams(void **state)
{
    (void)state;
    /* "aaa" is "YWFh": a text of any length of these is that, over and over. */
    char text[3000];
    memset(text, 'a', sizeof text);
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    tus_add_base64(&out, text, sizeof text);
    assert_int_equal(out.length, 4000);
    for (size_t i = 0; i < out.length; i += 4)
        assert_memory_equal(out.data + i, "YWFh", 4);
    strbuf_clear(&out);
    tus_add_base64(&out, text, 0);
    assert_int_equal(out.length, 0);
}

static void the_end_of_a_name_tells_the_type(void **state)
{
    (void)state;
    static const struct {
        const char *name, *type;
    } cases[] = {
        {"status-report.zip", "application/zip"}, {"x.ZIP", "application/zip"},
        {"b.tar", "application/x-tar"},           {"b.tar.bz2", "application/x-bzip2"},
        {"b.tar.gz", "application/gzip"},         {"b.tar.zst", "application/zstd"},
        {".zip", "application/octet-stream"},     {"zip", "application/octet-stream"},
        {"", "application/octet-stream"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(tus_file_type(cases[i].name), cases[i].type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_are_lists_in_any_case_and_spacing),
        cmocka_unit_test(servers_of_other_versions_or_without_creation_are_refused),
        cmocka_unit_test(a_foreign_word_in_an_error_is_short_and_harmless),
        cmocka_unit_test(an_offset_is_a_number_within_the_file),
        cmocka_unit_test(metadata_is_pairs_of_a_key_and_base64),
        cmocka_unit_test(base64_has_no_seams),
        cmocka_unit_test(the_end_of_a_name_tells_the_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
