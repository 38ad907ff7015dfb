/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What S3 servers say in XML, and what nobody should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/strbuf.h"
#include "upload/protocols/s3_xml.h"

#define NAMESPACE " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

static int parse(const char *xml, struct s3_reply *ret, struct err *err)
{
    return s3_reply_parse(xml, strlen(xml), ret, err);
}

static void refuses(const char *xml, int code, const char *word)
{
    struct s3_reply reply = {.next_marker = 77};
    struct err err = ERR_INIT;
    assert_int_equal(parse(xml, &reply, &err), code);
    assert_non_null(strstr(err.text, word));
    assert_int_equal(reply.next_marker, 77);
}

static void an_upload_that_began_has_an_id(void **state)
{
    (void)state;
    struct s3_reply reply CLEANUP_S3_REPLY = {0};
    assert_int_equal(
        parse("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InitiateMultipartUploadResult" NAMESPACE
              "><Bucket>b</Bucket><Key>a &amp; b</Key><UploadId>VXBs/b2+Q=&lt;</UploadId>"
              "</InitiateMultipartUploadResult>",
              &reply, NULL),
        0);
    assert_string_equal(reply.root, "InitiateMultipartUploadResult");
    assert_string_equal(reply.upload_id, "VXBs/b2+Q=<");
}

static void a_list_of_parts_has_numbers_sizes_and_tags_without_quotes(void **state)
{
    (void)state;
    struct s3_reply reply CLEANUP_S3_REPLY = {0};
    assert_int_equal(
        parse(
            "<s3:ListPartsResult xmlns:s3=\"x\"><s3:UploadId>u</s3:UploadId><Initiator><ID>i</ID>"
            "<ETag>of nobody</ETag></Initiator><IsTruncated>true</IsTruncated>"
            "<NextPartNumberMarker>2</NextPartNumberMarker>"
            "<Part><PartNumber>1</PartNumber><LastModified>2010-11-10T20:48:34.000Z</LastModified>"
            "<ETag>&quot;7778aef83f66abc1fa1e8477f296d394&quot;</ETag><Size>10485760</Size></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>plain</ETag><Size>5</Size>"
            "<ChecksumCRC64NVME>x</ChecksumCRC64NVME></Part></s3:ListPartsResult>",
            &reply, NULL),
        0);
    assert_string_equal(reply.root, "ListPartsResult");
    assert_true(reply.truncated);
    assert_int_equal(reply.next_marker, 2);
    assert_int_equal(reply.count, 2);
    assert_int_equal(reply.parts[0].number, 1);
    assert_int_equal(reply.parts[0].size, 10485760);
    assert_string_equal(reply.parts[0].etag, "7778aef83f66abc1fa1e8477f296d394");
    assert_string_equal(reply.parts[1].etag, "plain");
    assert_string_equal(reply.etag, "");
}

static void an_error_has_a_code_and_names_the_region(void **state)
{
    (void)state;
    struct s3_reply reply CLEANUP_S3_REPLY = {0};
    assert_int_equal(parse("<Error><Code>AuthorizationHeaderMalformed</Code><Message>The region "
                           "'us-east-1' is wrong; expecting 'eu-west-1'</Message>"
                           "<Region>eu-west-1</Region></Error>",
                           &reply, NULL),
                     0);
    assert_string_equal(reply.root, "Error");
    assert_string_equal(reply.code, "AuthorizationHeaderMalformed");
    assert_string_equal(reply.region, "eu-west-1");
    assert_non_null(strstr(reply.message, "expecting 'eu-west-1'"));
}

static void blanks_before_the_xml_are_a_server_that_is_still_at_work(void **state)
{
    (void)state;
    struct s3_reply reply CLEANUP_S3_REPLY = {0};
    assert_int_equal(parse("  \r\n  <?xml version=\"1.0\"?><CompleteMultipartUploadResult>"
                           "<ETag>\"x-2\"</ETag></CompleteMultipartUploadResult>",
                           &reply, NULL),
                     0);
    assert_string_equal(reply.etag, "x-2");
}

static void a_text_for_people_shows_neither_controls_nor_what_may_be_a_token(void **state)
{
    (void)state;
    struct s3_reply reply CLEANUP_S3_REPLY = {0};
    assert_int_equal(
        parse("<Error><Code>X</Code><Message>bad\xc2\x9b token "
              "IQoJb3JpZ2luX2VjEAAaCXVzLWVhc3QtMSJHMEUCIQDexample0123456789abcdefghijkl here"
              "</Message></Error>",
              &reply, NULL),
        0);
    assert_null(strstr(reply.message, "IQoJ"));
    assert_null(strstr(reply.message, "\xc2\x9b"));
    assert_non_null(strstr(reply.message, "(...) here"));
}

static void what_is_no_xml_of_s3_is_refused(void **state)
{
    (void)state;
    refuses("", ERR_PARSE, "empty");
    refuses(" \n", ERR_PARSE, "empty");
    refuses("{\"id\":1}", ERR_PARSE, "XML");
    refuses("<Error><Code>", ERR_PARSE, "XML");
    refuses("<!DOCTYPE html><html></html>", ERR_PARSE, "document type");
    refuses("<!DOCTYPE a [<!ENTITY b \"c\">]><Error><Code>&b;</Code></Error>", ERR_PARSE,
            "document type");
}

static void numbers_and_tags_are_whole_or_not_at_all(void **state)
{
    (void)state;
    struct strbuf xml CLEANUP(strbuf_release) = STRBUF_INIT;
    refuses("<L><Part><PartNumber>10001</PartNumber></Part></L>", ERR_PARSE, "number");
    refuses("<L><Part><PartNumber>-1</PartNumber></Part></L>", ERR_PARSE, "number");
    refuses("<L><Part><Size>1e9</Size></Part></L>", ERR_PARSE, "number");
    refuses("<L><Part><Size>99999999999999999999</Size></Part></L>", ERR_PARSE, "number");
    refuses("<L><NextPartNumberMarker>x</NextPartNumberMarker></L>", ERR_PARSE, "number");
    refuses("<L><UploadId>a\nb</UploadId></L>", ERR_PARSE, "control");
    strbuf_adds(&xml, "<L><UploadId>");
    for (int i = 0; i < S3_MAX_UPLOAD_ID; i++)
        strbuf_addc(&xml, 'a');
    strbuf_adds(&xml, "</UploadId></L>");
    refuses(xml.data, ERR_PARSE, "too long");
}

static void depth_and_number_of_elements_are_limited(void **state)
{
    (void)state;
    struct strbuf xml CLEANUP(strbuf_release) = STRBUF_INIT;
    for (int i = 0; i < 13; i++)
        strbuf_adds(&xml, "<a>");
    refuses(xml.data, ERR_LIMIT, "nested");
    strbuf_clear(&xml);
    strbuf_adds(&xml, "<a>");
    for (int i = 0; i < 20000; i++)
        strbuf_adds(&xml, "<Part/>");
    refuses(xml.data, ERR_LIMIT, "too many");
    strbuf_clear(&xml);
    strbuf_adds(&xml, "<a><Message>");
    for (int i = 0; i < 3000; i++)
        strbuf_addc(&xml, 'a');
    strbuf_adds(&xml, "</Message></a>");
    refuses(xml.data, ERR_LIMIT, "too much");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upload_that_began_has_an_id),
        cmocka_unit_test(a_list_of_parts_has_numbers_sizes_and_tags_without_quotes),
        cmocka_unit_test(an_error_has_a_code_and_names_the_region),
        cmocka_unit_test(blanks_before_the_xml_are_a_server_that_is_still_at_work),
        cmocka_unit_test(a_text_for_people_shows_neither_controls_nor_what_may_be_a_token),
        cmocka_unit_test(what_is_no_xml_of_s3_is_refused),
        cmocka_unit_test(numbers_and_tags_are_whole_or_not_at_all),
        cmocka_unit_test(depth_and_number_of_elements_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
