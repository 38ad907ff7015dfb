/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * AWS's published examples ("Authenticating Requests: Using the Authorization Header", Amazon S3
 * API Reference; and cases of the test suite of Signature Version 4), and what they leave out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "upload/net/sigv4.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct sigv4 example(const char *method, const char *path, const char *query,
                            const char *const *headers)
{
    return (struct sigv4){.access_key = "AKIAIOSFODNN7EXAMPLE",
                          .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                          .region = "us-east-1",
                          .service = "s3",
                          .method = method,
                          .path = path,
                          .query = query,
                          .headers = headers};
}

static void assert_signature(const struct sigv4 *request, const char *signature)
{
    struct err err = ERR_INIT;
    struct strbuf ret = STRBUF_INIT;
    sigv4_sign(request, &ret, &err);
    assert_string_equal(err.text, "");
    const char *found = strstr(ret.data, "Signature=");
    assert_non_null(found);
    assert_string_equal(found + 10, signature);
    strbuf_release(&ret);
}

static void get_with_a_range(void **state)
{
    (void)state;
    const char *headers[] = {"Host: examplebucket.s3.amazonaws.com", "Range: bytes=0-9",
                             "x-amz-content-sha256: " EMPTY, "x-amz-date: 20130524T000000Z", NULL};
    struct sigv4 request = example("GET", "/test.txt", NULL, headers);
    struct strbuf ret = STRBUF_INIT;
    assert_int_equal(sigv4_sign(&request, &ret, NULL), 0);
    assert_string_equal(
        ret.data, "AWS4-HMAC-SHA256 "
                  "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                  "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                  "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    strbuf_release(&ret);
}

static void put_of_an_object_whose_name_needs_escapes(void **state)
{
    (void)state;
    const char *headers[] = {"x-amz-date: 20130524T000000Z",
                             "x-amz-storage-class: REDUCED_REDUNDANCY",
                             "x-amz-content-sha256: "
                             "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
                             "Date: Fri, 24 May 2013 00:00:00 GMT",
                             "Host: examplebucket.s3.amazonaws.com",
                             NULL};
    static const char signature[] =
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    struct sigv4 request = example("PUT", "/test$file.text", NULL, headers);
    assert_signature(&request, signature);
    request.path = "/test%24file.text"; /* sent escaped: the same object, the same signature */
    assert_signature(&request, signature);
    request.path = "/test%24file%2etext";
    assert_signature(&request, signature);
}

static void get_of_a_part_of_the_bucket_that_has_no_value(void **state)
{
    (void)state;
    const char *headers[] = {"Host: examplebucket.s3.amazonaws.com", "x-amz-date: 20130524T000000Z",
                             "x-amz-content-sha256: " EMPTY, NULL};
    static const char signature[] =
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
    struct sigv4 request = example("GET", "/", "lifecycle", headers);
    assert_signature(&request, signature);
    request.query = "lifecycle=";
    assert_signature(&request, signature);
}

static void get_of_a_list_with_several_parameters_in_any_order(void **state)
{
    (void)state;
    const char *headers[] = {"Host: examplebucket.s3.amazonaws.com", "x-amz-date: 20130524T000000Z",
                             "x-amz-content-sha256: " EMPTY, NULL};
    static const char signature[] =
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
    struct sigv4 request = example("GET", "/", "max-keys=2&prefix=J", headers);
    assert_signature(&request, signature);
    request.query = "prefix=J&max-keys=2";
    assert_signature(&request, signature);
    request.query = "prefix=%4a&max%2Dkeys=2";
    assert_signature(&request, signature);
}

/* get-header-value-trim and others of the suite: service "service", region us-east-1. */
static void blanks_in_headers_count_once(void **state)
{
    (void)state;
    const char *one[] = {"Host:example.amazonaws.com", "My-Header1:  a   b   c ",
                         "x-amz-date:20150830T123600Z", "x-amz-content-sha256:" EMPTY, NULL};
    const char *other[] = {"x-amz-content-sha256: " EMPTY, "my-header1: a b c",
                           "HOST: example.amazonaws.com", "X-Amz-Date: 20150830T123600Z", NULL};
    struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
    struct sigv4 request = example("GET", "/", NULL, one);
    assert_int_equal(sigv4_sign(&request, &a, NULL), 0);
    request.headers = other;
    assert_int_equal(sigv4_sign(&request, &b, NULL), 0);
    assert_string_equal(a.data, b.data);
    strbuf_release(&a);
    strbuf_release(&b);
}

static void everything_that_is_signed_matters(void **state)
{
    (void)state;
    const char *headers[] = {"host: h", "x-amz-date: 20130524T000000Z",
                             "x-amz-content-sha256: " EMPTY, NULL};
    const char *changed[] = {"host: i", "x-amz-date: 20130524T000000Z",
                             "x-amz-content-sha256: " EMPTY, NULL};
    struct sigv4 variants[8];
    for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
        variants[i] = example("PUT", "/b/k", "partNumber=1&uploadId=u", headers);
    variants[1].method = "POST";
    variants[2].path = "/b/k2";
    variants[3].query = "partNumber=2&uploadId=u";
    variants[4].headers = changed;
    variants[5].region = "us-west-1";
    variants[6].secret_key = "x";
    variants[7].path = "/b%2Fk";
    struct strbuf signatures[ARRAY_SIZE(variants)];
    for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
        signatures[i] = (struct strbuf)STRBUF_INIT;
        assert_int_equal(sigv4_sign(&variants[i], &signatures[i], NULL), 0);
    }
    for (size_t i = 1; i < 7; i++)
        assert_string_not_equal(strstr(signatures[i].data, "Signature="),
                                strstr(signatures[0].data, "Signature="));
    for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
        strbuf_release(&signatures[i]);
}

static void what_must_be_signed_must_be_there(void **state)
{
    (void)state;
    static const char *const heads[][5] = {
        {"x-amz-date: 20130524T000000Z", "x-amz-content-sha256: " EMPTY, NULL},
        {"host: h", "x-amz-content-sha256: " EMPTY, NULL},
        {"host: h", "x-amz-date: 20130524T000000Z", NULL},
        {"host: h", "x-amz-date: 2013", "x-amz-content-sha256: " EMPTY, NULL},
        {"host: h", "no colon", "x-amz-date: 20130524T000000Z", "x-amz-content-sha256: x", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
        struct strbuf ret = STRBUF_INIT;
        struct sigv4 request = example("GET", "/", NULL, heads[i]);
        assert_int_equal(sigv4_sign(&request, &ret, NULL), ERR_BUG);
        assert_int_equal(ret.length, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_with_a_range),
        cmocka_unit_test(put_of_an_object_whose_name_needs_escapes),
        cmocka_unit_test(get_of_a_part_of_the_bucket_that_has_no_value),
        cmocka_unit_test(get_of_a_list_with_several_parameters_in_any_order),
        cmocka_unit_test(blanks_in_headers_count_once),
        cmocka_unit_test(everything_that_is_signed_matters),
        cmocka_unit_test(what_must_be_signed_must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
