/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Pseudonyms of addresses: what they preserve, and that the key turns them back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "collector/obfuscate/address.h"

static const struct key key = {"a key of thirty-two bytes, or so"};
static const struct key other_key = {"another key of thirty-two bytes!"};

static struct address ipv4(const char *text)
{
    struct address address = {.kind = ADDRESS_IPV4};
    assert_int_equal(inet_pton(AF_INET, text, address.bytes), 1);
    return address;
}

static struct address ipv6(const char *text)
{
    struct address address = {.kind = ADDRESS_IPV6};
    assert_int_equal(inet_pton(AF_INET6, text, address.bytes), 1);
    return address;
}

static struct address mac(unsigned a, unsigned b, unsigned c, unsigned d, unsigned e, unsigned f)
{
    return (struct address){
        ADDRESS_MAC, {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d, (uint8_t)e, (uint8_t)f}};
}

static bool same(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, ADDRESS_BYTES) == 0;
}

/* A row of numbers that is the same in each run. */
static uint32_t next_number(void)
{
    static uint64_t state = 42;
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(state >> 32);
}

static struct address random_in(const char *network, int bits)
{
    struct address address = ipv4(network);
    uint32_t low = next_number() & (bits ? 0xffffffffU >> bits : 0xffffffffU);
    for (int i = 0; i < 4; i++)
        address.bytes[i] |= (uint8_t)(low >> (24 - 8 * i));
    return address;
}

static int shared_bits(const struct address *a, const struct address *b, int limit)
{
    int n = 0;
    while (n < limit && !((a->bytes[n / 8] ^ b->bytes[n / 8]) >> (7 - n % 8) & 1))
        n++;
    return n;
}

static void every_pseudonym_is_turned_back_by_the_key(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct address address = random_in("0.0.0.0", 0);
        struct address image = address_map(&key, &address), back = address_unmap(&key, &image);
        assert_true(same(&address, &back));
        struct address six = {.kind = i % 2 ? ADDRESS_IPV6 : ADDRESS_MAC};
        for (int k = 0; k < (i % 2 ? 16 : 6); k++)
            six.bytes[k] = (uint8_t)next_number();
        if (i % 2)
            six.bytes[0] = i % 4 == 1 ? 0x20 : 0xfd;
        image = address_map(&key, &six);
        back = address_unmap(&key, &image);
        assert_true(same(&six, &back));
    }
}

static void no_two_hosts_of_a_network_have_one_pseudonym(void **state)
{
    (void)state;
    bool taken[65536] = {false};
    for (int i = 0; i < 65536; i++) {
        struct address address = ipv4("192.168.0.0");
        address.bytes[2] = (uint8_t)(i >> 8);
        address.bytes[3] = (uint8_t)i;
        struct address image = address_map(&key, &address);
        assert_int_equal(image.bytes[0], 192);
        assert_int_equal(image.bytes[1], 168);
        bool *place = &taken[image.bytes[2] << 8 | image.bytes[3]];
        assert_false(*place);
        *place = true;
    }
}

static void addresses_keep_their_class(void **state)
{
    (void)state;
    static const struct {
        const char *network;
        int bits;
    } blocks[] = {{"10.0.0.0", 8},     {"172.16.0.0", 12}, {"192.168.0.0", 16},
                  {"169.254.0.0", 16}, {"100.64.0.0", 10}, {"224.0.0.0", 4}};
    for (size_t b = 0; b < ARRAY_SIZE(blocks); b++)
        for (int i = 0; i < 500; i++) {
            struct address address = random_in(blocks[b].network, blocks[b].bits);
            struct address image = address_map(&key, &address);
            assert_true(shared_bits(&address, &image, 32) >= blocks[b].bits);
            assert_true(address_is_private_ipv4(&image));
        }
}

static void a_public_address_never_becomes_a_special_one(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct address address = random_in("0.0.0.0", 0);
        if (address_is_kept(&address) || address_is_private_ipv4(&address))
            continue;
        struct address image = address_map(&key, &address);
        assert_false(address_is_kept(&image));
        assert_false(address_is_private_ipv4(&image));
    }
}

static void prefixes_are_preserved_bit_by_bit(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++) {
        int bits = 16 + i % 9; /* up to 24: behind that only nearly, see address.h */
        struct address a = random_in("10.0.0.0", 8), b = a;
        b.bytes[(bits - 1) / 8] ^= (uint8_t)(0x80 >> (bits - 1) % 8);
        struct address x = address_map(&key, &a), y = address_map(&key, &b);
        assert_int_equal(shared_bits(&x, &y, 24), bits - 1);
        a = random_in("8.0.0.0", 6);
        b = a;
        b.bytes[3] ^= 0x10;
        x = address_map(&key, &a);
        y = address_map(&key, &b);
        assert_int_equal(shared_bits(&x, &y, 24), 24);
    }
}

static void networks_and_broadcasts_stay_what_they_are(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct address address = random_in("10.0.0.0", 8);
        address.bytes[3] = i % 2 ? 255 : 0;
        struct address image = address_map(&key, &address);
        assert_int_equal(image.bytes[3], address.bytes[3]);
        address.bytes[3] = (uint8_t)(1 + i % 254);
        image = address_map(&key, &address);
        assert_int_not_equal(image.bytes[3], 0);
        assert_int_not_equal(image.bytes[3], 255);
    }
}

static void what_is_nobodys_is_kept(void **state)
{
    (void)state;
    static const char *const four[] = {"0.0.0.0",       "127.0.0.1",   "255.255.255.255",
                                       "255.255.255.0", "224.0.0.251", "255.255.240.0",
                                       "128.0.0.0",     "127.0.1.1",   "0.0.0.255"};
    static const char *const six[] = {"::",       "::1",    "ff02::1",
                                      "ff02::fb", "fe80::", "::ffff:127.0.0.1"};
    for (size_t i = 0; i < ARRAY_SIZE(four); i++) {
        struct address address = ipv4(four[i]), image = address_map(&key, &address);
        assert_true(same(&address, &image));
    }
    for (size_t i = 0; i < ARRAY_SIZE(six); i++) {
        struct address address = ipv6(six[i]), image = address_map(&key, &address);
        assert_true(same(&address, &image));
    }
    struct address backend = mac(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff);
    assert_true(address_is_kept(&backend));
}

static void a_mac_keeps_its_two_special_bits_and_loses_its_vendor(void **state)
{
    (void)state;
    int vendors_kept = 0;
    for (unsigned i = 0; i < 256; i += 4) {
        struct address a = mac(i, 0x16, 0x3e, i * 7 % 256, 1, 2), b = a;
        b.bytes[5] ^= 9;
        struct address x = address_map(&key, &a), y = address_map(&key, &b);
        assert_int_equal(x.bytes[0] & 3, a.bytes[0] & 3);
        assert_memory_equal(x.bytes, y.bytes, 3);
        assert_memory_not_equal(x.bytes, y.bytes, 6);
        vendors_kept += memcmp(x.bytes, a.bytes, 3) == 0;
    }
    assert_int_equal(vendors_kept, 0);
    struct address local = mac(0x02, 1, 2, 3, 4, 5), image = address_map(&key, &local);
    assert_int_equal(image.bytes[0] & 3, 2);
}

static void an_interface_identifier_follows_its_mac(void **state)
{
    (void)state;
    struct address card = mac(0, 0x16, 0x3e, 0xaa, 0xbb, 0xcc),
                   link = ipv6("fe80::216:3eff:feaa:bbcc");
    struct address x = address_map(&key, &card), y = address_map(&key, &link);
    assert_int_equal(y.bytes[0], 0xfe);
    assert_int_equal(y.bytes[1], 0x80);
    assert_int_equal(y.bytes[8] ^ 2, x.bytes[0]);
    assert_memory_equal(y.bytes + 9, x.bytes + 1, 2);
    assert_memory_equal(y.bytes + 13, x.bytes + 3, 3);
    struct address global = ipv6("2001:db8:1:2:216:3eff:feaa:bbcc"), z = address_map(&key, &global);
    assert_memory_equal(z.bytes + 8, y.bytes + 8, 8);
}

static void ipv6_keeps_its_class_and_prefixes(void **state)
{
    (void)state;
    struct address a = ipv6("2001:db8:1:2::5"), b = ipv6("2001:db8:1:3::5"), c = ipv6("fd00:1::7");
    struct address x = address_map(&key, &a), y = address_map(&key, &b), z = address_map(&key, &c);
    assert_int_equal(x.bytes[0] >> 5, 1);
    assert_int_equal(shared_bits(&x, &y, 128), 63);
    assert_int_equal(z.bytes[0], 0xfd);
    struct address mapped = ipv6("::ffff:10.1.2.3"), four = ipv4("10.1.2.3");
    x = address_map(&key, &mapped);
    y = address_map(&key, &four);
    assert_memory_equal(x.bytes + 12, y.bytes, 4);
}

static void another_key_gives_other_pseudonyms(void **state)
{
    (void)state;
    int equal = 0;
    for (int i = 0; i < 1000; i++) {
        struct address address = random_in("10.0.0.0", 8);
        struct address x = address_map(&key, &address), y = address_map(&other_key, &address);
        equal += same(&x, &y);
    }
    assert_true(equal < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pseudonym_is_turned_back_by_the_key),
        cmocka_unit_test(no_two_hosts_of_a_network_have_one_pseudonym),
        cmocka_unit_test(addresses_keep_their_class),
        cmocka_unit_test(a_public_address_never_becomes_a_special_one),
        cmocka_unit_test(prefixes_are_preserved_bit_by_bit),
        cmocka_unit_test(networks_and_broadcasts_stay_what_they_are),
        cmocka_unit_test(what_is_nobodys_is_kept),
        cmocka_unit_test(a_mac_keeps_its_two_special_bits_and_loses_its_vendor),
        cmocka_unit_test(an_interface_identifier_follows_its_mac),
        cmocka_unit_test(ipv6_keeps_its_class_and_prefixes),
        cmocka_unit_test(another_key_gives_other_pseudonyms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
