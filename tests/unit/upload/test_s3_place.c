/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which URL an object has, and how a file is cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "upload/protocols/s3_place.h"
#include "upload/protocols/s3_xml.h"

static int find(const char *url, const char *endpoint, const char *region, struct s3_place *ret,
                struct err *err)
{
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", url);
    struct target target = {.url = copy};
    struct transfer_options options = {.s3_endpoint = endpoint, .s3_region = region};
    return s3_place_find(&target, &options, "report 1.zip", ret, err);
}

static void becomes(const char *url, const char *endpoint, const char *region, const char *wanted)
{
    struct s3_place place CLEANUP(s3_place_release) = {.url = NULL};
    struct err err = ERR_INIT;
    if (find(url, endpoint, region, &place, &err) != 0)
        fail_msg("%s: %s", url, err.text);
    assert_string_equal(place.url, wanted);
}

static void refuses(const char *url, const char *endpoint, const char *region, const char *word)
{
    struct s3_place place = {.url = NULL};
    struct err err = ERR_INIT;
    assert_int_equal(find(url, endpoint, region, &place, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, word));
    assert_null(place.url);
}

static void amazon_has_the_bucket_in_the_name_of_the_host(void **state)
{
    (void)state;
    becomes("s3://reports/a/b.zip", NULL, "eu-west-1",
            "https://reports.s3.eu-west-1.amazonaws.com/a/b.zip");
    becomes("s3://reports/a", NULL, NULL, "https://reports.s3.us-east-1.amazonaws.com/a");
    becomes("s3://reports/a", NULL, "cn-north-1",
            "https://reports.s3.cn-north-1.amazonaws.com.cn/a");
    becomes("s3://re.ports/a", NULL, "eu-west-1", "https://s3.eu-west-1.amazonaws.com/re.ports/a");
}

static void an_endpoint_has_the_bucket_in_the_path(void **state)
{
    (void)state;
    becomes("s3://reports/a", "https://store:9000", NULL, "https://store:9000/reports/a");
    becomes("s3://reports/a", "https://store/s3//", NULL, "https://store/s3/reports/a");
    becomes("s3://reports/a", "http://[::1]:9000/", NULL, "http://[::1]:9000/reports/a");
}

static void a_folder_gets_the_name_of_the_file(void **state)
{
    (void)state;
    becomes("s3://reports", "https://h", NULL, "https://h/reports/report%201.zip");
    becomes("s3://reports/", "https://h", NULL, "https://h/reports/report%201.zip");
    becomes("s3://reports/2026/", "https://h", NULL, "https://h/reports/2026/report%201.zip");
}

static void a_key_is_decoded_once_and_encoded_as_signatures_want_it(void **state)
{
    (void)state;
    becomes("s3://reports/a%20b+c", "https://h", NULL, "https://h/reports/a%20b%2Bc");
    becomes("s3://reports/%c3%a4", "https://h", NULL, "https://h/reports/%C3%A4");
    becomes("s3://reports/a%2fb%25", "https://h", NULL, "https://h/reports/a/b%25");
    becomes("s3://reports/a:b@c,d;e='f'", "https://h", NULL,
            "https://h/reports/a%3Ab%40c%2Cd%3Be%3D%27f%27");
    becomes("s3://reports/a%7E-_.~%3F", "https://h", NULL, "https://h/reports/a~-_.~%3F");
    becomes("s3://reports/a//b", "https://h", NULL, "https://h/reports/a//b");
}

static void what_no_server_takes_is_told_before_anything_is_sent(void **state)
{
    (void)state;
    char longest[1200] = "s3://reports/";
    memset(longest + 13, 'a', 1025);
    longest[13 + 1025] = '\0';
    refuses("s3://ab/c", NULL, NULL, "bucket");
    refuses("s3://a~c/c", NULL, NULL, "bucket");
    refuses("s3://-bc/c", NULL, NULL, "bucket");
    refuses(longest, NULL, NULL, "1024");
    refuses("s3://reports/a?b=c", NULL, NULL, "query");
    refuses("s3://reports/a%2", NULL, NULL, "%25");
    refuses("s3://reports/a%zz", NULL, NULL, "%25");
    refuses("s3://reports/a%ff", NULL, NULL, "UTF-8");
    refuses("s3://reports/a%00b", NULL, NULL, "UTF-8");
    refuses("s3://reports/a%0ab", NULL, NULL, "UTF-8");
    refuses("s3://reports/a/../b", NULL, NULL, "'..'");
    refuses("s3://reports/./b", NULL, NULL, "'.'");
    refuses("s3://reports/b/%2e%2e", NULL, NULL, "'..'");
    refuses("s3://reports/a", "store:9000", NULL, "--endpoint");
    refuses("s3://reports/a", "https://", NULL, "--endpoint");
    refuses("s3://reports/a", "https://u:p@store", NULL, "--endpoint");
    refuses("s3://reports/a", "https://store:0", NULL, "--endpoint");
    refuses("s3://reports/a", "https://store/a%20b", NULL, "--endpoint");
    refuses("s3://reports/a", "https://store?a=b", NULL, "--endpoint");
    refuses("s3://reports/a", NULL, "eu west", "--region");
    refuses("s3://reports/a", NULL, "evil.example/", "--region");
}

static void parts_are_never_too_many_and_depend_on_the_size_alone(void **state)
{
    (void)state;
    const int64_t mib = 1 << 20, gib = 1 << 30;
    assert_int_equal(s3_part_bytes(0, 0), S3_PART_BYTES);
    assert_int_equal(s3_part_bytes(gib, 0), S3_PART_BYTES);
    assert_int_equal(s3_part_bytes(gib, 5 * mib), 5 * mib);
    assert_int_equal(s3_part_bytes((int64_t)S3_MAX_PARTS * S3_PART_BYTES, 0), S3_PART_BYTES);
    assert_int_equal(s3_part_bytes((int64_t)S3_MAX_PARTS * S3_PART_BYTES + 1, 0), 9 * mib);
    for (int64_t size = 1; size < (int64_t)1 << 45; size = size * 7 + 3) {
        int64_t part = s3_part_bytes(size, 0);
        assert_true((size + part - 1) / part <= S3_MAX_PARTS);
        assert_int_equal(part % mib, 0);
    }
    assert_int_equal(s3_part_bytes((int64_t)1 << 60, 0), 5 * gib);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amazon_has_the_bucket_in_the_name_of_the_host),
        cmocka_unit_test(an_endpoint_has_the_bucket_in_the_path),
        cmocka_unit_test(a_folder_gets_the_name_of_the_file),
        cmocka_unit_test(a_key_is_decoded_once_and_encoded_as_signatures_want_it),
        cmocka_unit_test(what_no_server_takes_is_told_before_anything_is_sent),
        cmocka_unit_test(parts_are_never_too_many_and_depend_on_the_size_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
