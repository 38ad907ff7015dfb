/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Finding learnt names and addresses in text: boundaries, forms, context, cuts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "collector/obfuscate/scan.h"

static const struct key key = {"a key of thirty-two bytes, or so"};

static const struct {
    enum name_class class;
    const char *text;
} learnt[] = {
    {NAME_HOST, "xenhost7"},
    {NAME_VM, "web1"},
    {NAME_VM, "web1 old"},
    {NAME_VM, "R&D \"box\""},
    {NAME_VM, "Büro"},
    {NAME_NETWORK, "Guests (blue)"},
    {NAME_DOMAIN, "corp.example"},
    {NAME_SR, "Filer"},
    {NAME_USER, "x"},
    {NAME_VM, "1234"},
};

static int make_names(void **state)
{
    struct names *names;
    assert_int_equal(names_new(&key, &names, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(learnt); i++)
        assert_int_equal(
            names_add(names, learnt[i].class, learnt[i].text, strlen(learnt[i].text), NULL), 0);
    assert_int_equal(names_freeze(names, NULL), 0);
    *state = names;
    return 0;
}

static int free_names(void **state)
{
    names_free(*state);
    return 0;
}

/* Shows what was found: <vm web1>, <ipv4 10.0.0.1>, <label www>. */
static size_t show(void *context, const struct match *match, char out[SCAN_REPLACEMENT])
{
    static const char *const kinds[ADDRESS_KINDS] = {"ipv4", "ipv6", "mac"};
    char text[RECOGNISE_TEXT];
    (void)context;
    if (match->kind == MATCH_NAME)
        return (size_t)snprintf(out, SCAN_REPLACEMENT, "<%s %s>",
                                name_class_word(match->name->class), match->name->text);
    if (match->kind == MATCH_LABEL)
        return (size_t)snprintf(out, SCAN_REPLACEMENT, "<label %.*s>", (int)match->length,
                                match->text);
    recognise_format(match->address, &match->address->address, text, sizeof text);
    return (size_t)snprintf(out, SCAN_REPLACEMENT, "<%s %s>", kinds[match->address->address.kind],
                            text);
}

static size_t blot(void *context, const struct match *match, char out[SCAN_REPLACEMENT])
{
    (void)match;
    ++*(int *)context;
    out[0] = 'X';
    return 1;
}

static int append(void *context, const void *bytes, size_t length, struct err *err)
{
    (void)err;
    strbuf_add(context, bytes, length);
    return 0;
}

/* The text in pieces of `step` bytes, the first one of `first`. */
static char *scan(const struct names *names, const char *text, size_t first, size_t step)
{
    struct strbuf out = STRBUF_INIT;
    struct scanner scanner = {.names = names, .visit = show, .sink = append, .sink_context = &out};
    size_t length = strlen(text), n = first < length ? first : length;
    scanner_init(&scanner);
    for (size_t at = 0; at < length; at += n, n = step < length - at ? step : length - at)
        assert_int_equal(scanner_write(&scanner, text + at, n, NULL), 0);
    assert_int_equal(scanner_finish(&scanner, NULL), 0);
    scanner_release(&scanner);
    return strbuf_take(&out);
}

static void check(const struct names *names, const char *text, const char *expected)
{
    char *found = scan(names, text, strlen(text), 1);
    assert_string_equal(found, expected);
    free(found);
}

static void names_are_found_between_word_boundaries(void **state)
{
    check(*state, "web1 web12 aweb1 web1-a web1_b /web1/ web1.",
          "<vm web1> web12 aweb1 <vm web1>-a <vm web1>_b /<vm web1>/ <vm web1>.");
    check(*state, "├─web1 “web1”", "├─<vm web1> “<vm web1>”");
}

static void the_longest_name_wins(void **state)
{
    check(*state, "web1 old, web1 older, web1  old",
          "<vm web1 old>, <vm web1> older, <vm web1>  old");
}

static void only_host_names_and_domains_are_found_in_any_case(void **state)
{
    check(*state, "XENHOST7 Xenhost7 WEB1 filer Filer CORP.Example",
          "<host xenhost7> <host xenhost7> WEB1 filer <sr Filer> <domain corp.example>");
}

static void names_are_found_as_other_tools_write_them(void **state)
{
    check(*state, "R&amp;D &quot;box R&amp;D%.&quot;box R%26D%20%22box R&D \\\"box",
          "<vm R&D \"box> <vm R&D \"box> <vm R&D \"box> <vm R&D \"box>");
    check(*state, "B\\u00fcro B\\195\\188ro B%C3%BCro Büro",
          "<vm Büro> <vm Büro> <vm Büro> <vm Büro>");
    check(*state, "web1%.old web1%20old web1\\040old web1_old web1\\x20old",
          "<vm web1 old> <vm web1 old> <vm web1 old> <vm web1 old> <vm web1 old>");
}

static void an_escape_in_front_does_not_hide_a_name(void **state)
{
    check(*state, "\\nweb1 %nweb1 \\x20web1 \\040web1 %2Fweb1 \\u003dweb1 \033[31mweb1",
          "\\n<vm web1> %n<vm web1> \\x20<vm web1> \\040<vm web1> %2F<vm web1> \\u003d<vm web1> "
          "\033[31m<vm web1>");
    check(*state, "\\n10.1.2.3 %3D10.1.2.3", "\\n<ipv4 10.1.2.3> %3D<ipv4 10.1.2.3>");
}

static void names_are_found_with_numeric_entities_and_in_base64(void **state)
{
    check(*state, "web1&#32;old R&#38;D&#32;&#34;box B&#252;ro web1&#x20;old",
          "<vm web1 old> <vm R&D \"box> <vm Büro> <vm web1 old>");
    check(*state, "n=d2ViMSBvbGQ=, eGVuaG9zdDc=", "n=<vm web1 old>=, <host xenhost7>=");
}

static void punctuation_at_a_names_ends_does_not_matter(void **state)
{
    check(*state, "(Guests (blue)) Guests (blue", "(<net Guests (blue>) <net Guests (blue>");
}

static void what_is_too_short_or_a_number_is_not_learnt(void **state)
{
    check(*state, "x 1234", "x 1234");
}

static void a_long_description_is_replaced_to_its_end(void **state)
{
    struct names *names;
    struct strbuf text = STRBUF_INIT;
    (void)state;
    for (int i = 0; i < 300; i++)
        strbuf_addf(&text, "%sword%d", i ? " " : "", i);
    assert_int_equal(names_new(&key, &names, NULL), 0);
    assert_int_equal(names_add(names, NAME_TEXT, text.data, text.length, NULL), 0);
    assert_int_equal(names_freeze(names, NULL), 0);
    assert_true(names_count(names) >= 300 / 16);
    struct strbuf out = STRBUF_INIT;
    int found = 0;
    struct scanner scanner = {.names = names,
                              .visit = blot,
                              .visit_context = &found,
                              .sink = append,
                              .sink_context = &out};
    scanner_init(&scanner);
    assert_int_equal(scanner_write(&scanner, text.data, text.length, NULL), 0);
    assert_int_equal(scanner_finish(&scanner, NULL), 0);
    assert_int_equal(found, names_count(names));
    assert_null(strstr(out.data, "word"));
    scanner_release(&scanner);
    strbuf_release(&text);
    strbuf_release(&out);
    names_free(names);
}

static void labels_in_front_of_a_domain_are_hosts(void **state)
{
    check(*state, "www.eu.corp.example. xenhost7.corp.example corp.example joe@corp.example",
          "<label www>.<label eu>.<domain corp.example>. <host xenhost7>.<domain corp.example> "
          "<domain corp.example> joe@<domain corp.example>");
}

static void addresses_are_found_in_their_usual_places(void **state)
{
    check(*state, "10.0.0.1:80 [10.0.0.2] 10.0.0.0/24 ip=10.0.0.3,",
          "<ipv4 10.0.0.1>:80 [<ipv4 10.0.0.2>] <ipv4 10.0.0.0>/24 ip=<ipv4 10.0.0.3>,");
    check(*state, "by-path/ip-10.0.0.1:3260-iscsi 10.0.0.1-10.0.0.9 10.0.0.1.443",
          "by-path/ip-<ipv4 10.0.0.1>:3260-iscsi <ipv4 10.0.0.1>-<ipv4 10.0.0.9> <ipv4 "
          "10.0.0.1>.443");
    check(*state, "dhcp-192-168-0-66.lan server 10.0.0.9",
          "dhcp-<ipv4 192-168-0-66>.lan server <ipv4 10.0.0.9>");
    check(*state,
          "fe80::1%eth0 [2001:db8::1]:443 2001:DB8::A 1:2:3 ::ffff:10.0.0.1 from fe80::2: x",
          "<ipv6 fe80::1>%eth0 [<ipv6 2001:db8::1>]:443 <ipv6 2001:DB8::A> 1:2:3 ::ffff:<ipv4 "
          "10.0.0.1> from <ipv6 fe80::2>: x");
    check(*state, "00:16:3e:aa:bb:cc 00-16-3E-AA-BB-CC 0016.3eaa.bbcc addr:00:16:3e:00:00:01",
          "<mac 00:16:3e:aa:bb:cc> <mac 00-16-3E-AA-BB-CC> <mac 0016.3eaa.bbcc> addr:<mac "
          "00:16:3e:00:00:01>");
}

static void macs_are_found_in_every_form(void **state)
{
    check(*state, "-s 0:16:3E:AA:BB:CC addr:0:16:3e:1:2:3, [0:50:56:1:2:3]",
          "-s <mac 0:16:3E:AA:BB:CC> addr:<mac 0:16:3e:1:2:3>, [<mac 0:50:56:1:2:3>]");
    check(*state, "mac=00163eaabbcc lladdr 00163EAABBCC enx00163eaabbcc: up",
          "mac=<mac 00163eaabbcc> lladdr <mac 00163EAABBCC> <mac enx00163eaabbcc>: up");
    check(*state, "BOOTIF=01-00-16-3e-aa-bb-cc", "BOOTIF=01-<mac 00-16-3e-aa-bb-cc>");
    static const char benign[] = "5:1:43:80:12:34:56:78 1:2:3:4:5:6:7 a::b 00163eaabbcc "
                                 "commac=00163eaabbcc d=00163eaabbccdd eui.00163eaabbcc0001 12:34:56";
    check(*state, benign, benign);
}

static void addresses_are_found_in_names_of_dns(void **state)
{
    check(*state, "4.2.0.192.in-addr.arpa 2.0.192.IN-ADDR.arpa.",
          "<ipv4 4.2.0.192>.in-addr.arpa <ipv4 2.0.192>.IN-ADDR.arpa.");
    check(*state, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
          "<ipv6 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2>.ip6.arpa");
    check(*state, "::ffff:c0a8:1 2001:0DB8:0000:0000:0000:0000:0000:0001",
          "::<ipv6 ffff:192.168.0.1> <ipv6 2001:DB8::1>");
}

static void numbers_that_are_no_addresses_stay(void **state)
{
    static const char *const benign[] = {
        "4.19.0+1 4.19.322 1.3.6.1.4.1.2021 8.3.0 1.2.3.4.5.6 256.1.1.1 01.02.03.04",
        "version 1.2.3.4 firmware-version: 20.5.13.4 driver_version='7.0.7.99' BIOS 1.2.3.4 "
        "v1.2.3.4",
        "('product_version'%.'1.2.3.4') foo-1.2.3.4-5.el7.x86_64 foo-1.2.3.4.rpm",
        "2026-11-20 10:11:05 10:11:05.123 20-11-26-10-11-05 2026-11-20-10-11-05 00:10:20",
        "0000:04:00.0 0000:3b:00.1 8f3cf1a2-1234-5678-9012-446655440000 "
        "iqn.1994-05.com.redhat:ab12",
        "50:01:43:80:12:34:56:78 aa:bb:cc:dd:ee:ff:00:11:22:33 std::string a::b Data::Dumper "
        "dead::beef",
        "3600a098000000000000000000000004d 0x0a000001 1.5 10.2 100.0% deadbeef",
    };
    for (size_t i = 0; i < ARRAY_SIZE(benign); i++)
        check(*state, benign[i], benign[i]);
}

static void every_cut_gives_the_same_result(void **state)
{
    static const char text[] =
        "Nov 20 xenhost7 xapi: [error] VM.start web1 old 10.0.0.1:443 -> [2001:db8::1]:80 "
        "00:16:3e:aa:bb:cc version 1.2.3.4 firmware: 5.6.7.8 R&amp;D%.&quot;box "
        "www.eu.corp.example "
        "\\nweb1 ├─web1 Büro B\\u00fcro 10.0.0.1.2 dhcp-192-168-0-66 foo-1.2.3.4-5.el7 web1";
    char *whole = scan(*state, text, sizeof text, 1);
    for (size_t cut = 1; cut < sizeof text; cut++) {
        char *parts = scan(*state, text, cut, sizeof text);
        assert_string_equal(parts, whole);
        free(parts);
        parts = scan(*state, text, cut, 1 + cut % 7);
        assert_string_equal(parts, whole);
        free(parts);
    }
    free(whole);
}

static void cuts_in_long_streams_give_the_same_result(void **state)
{
    struct strbuf text = STRBUF_INIT;
    static const char line[] =
        "xenhost7 web1 old www.eu.corp.example 10.0.0.1 B\\u00fcro version 1.2.3.4 ";
    for (int i = 0; i < 400; i++) {
        strbuf_adds(&text, line);
        for (int k = 0; k < i; k++)
            strbuf_addc(&text, i % 3 ? 'z' : '-');
    }
    char *whole = scan(*state, text.data, text.length, 1);
    static const size_t steps[] = {1, 7, 63, 64, 255, 1103, 1104, 1105, 4096, 65535, 65536, 65537};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        char *parts = scan(*state, text.data, steps[i] + 13, steps[i]);
        assert_string_equal(parts, whole);
        free(parts);
    }
    free(whole);
    strbuf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_between_word_boundaries),
        cmocka_unit_test(the_longest_name_wins),
        cmocka_unit_test(only_host_names_and_domains_are_found_in_any_case),
        cmocka_unit_test(names_are_found_as_other_tools_write_them),
        cmocka_unit_test(an_escape_in_front_does_not_hide_a_name),
        cmocka_unit_test(names_are_found_with_numeric_entities_and_in_base64),
        cmocka_unit_test(macs_are_found_in_every_form),
        cmocka_unit_test(addresses_are_found_in_names_of_dns),
        cmocka_unit_test(punctuation_at_a_names_ends_does_not_matter),
        cmocka_unit_test(what_is_too_short_or_a_number_is_not_learnt),
        cmocka_unit_test(a_long_description_is_replaced_to_its_end),
        cmocka_unit_test(labels_in_front_of_a_domain_are_hosts),
        cmocka_unit_test(addresses_are_found_in_their_usual_places),
        cmocka_unit_test(numbers_that_are_no_addresses_stay),
        cmocka_unit_test(every_cut_gives_the_same_result),
        cmocka_unit_test(cuts_in_long_streams_give_the_same_result),
    };
    return cmocka_run_group_tests(tests, make_names, free_names);
}
