/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/redact/anchors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/compiler.h"

#define GRAM 4

/* An anchor of every kind, as it stands in logs: with what must follow, in any case. */
static const char *const texts[] = {
    "PassWord=",  "secret",        "token",          "EFI-key",     "private",     "api_KEY=",
    "credential", "session_",      "Authorization",  "cookie",      "snmp",        "com2sec",
    "usmUser",    "createUser",    "bindpw",         "rootpw",      "requirepass", "sshpass",
    "ipmitool",   "mysql",         "curl",           "wget",        "rpcclient",   "net ads",
    "ldap",       "-----BEGIN RS", "LS0tLS1CRUdJTi", "eyJhb",       "Bearer",      "BASIC",
    "$1$abc",     "$6$salt",       "$y$j9T",         "$2b$12",      "$apr1$",      "{SSHA}",
    "{CRYPT}",    "AKIA",          "ghp_",           "github_pat_", "glpat-",      "xoxb-",
    "AIzaSy",     "sk_live_",      "http://x",       "FTP://y",     "masterauth",  "community"};

/* Every place that the anchors themselves claim is visited, and in this order. */
static void assert_none_is_passed_over(const char *bytes, size_t length)
{
    const char *end = bytes + length, *visited = anchors_candidate(bytes, end);
    const struct anchor *found[MAX_ANCHORS_AT];
    for (const char *p = bytes; p + GRAM <= end; p++) {
        while (visited && visited < p)
            visited = anchors_candidate(visited + 1, end);
        if (anchors_at(p, end, found) > 0 && visited != p)
            fail_msg("at %zu of %zu '%.12s' is passed over", (size_t)(p - bytes), length, p);
    }
}

static void an_anchor_is_found_at_every_place_of_a_block(void **state)
{
    (void)state;
    char bytes[120];
    const struct anchor *found[MAX_ANCHORS_AT];
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        for (size_t at = 0; at + strlen(texts[i]) <= sizeof bytes; at++) {
            memset(bytes, '.', sizeof bytes);
            memcpy(bytes + at, texts[i], strlen(texts[i]));
            const char *p = anchors_candidate(bytes, bytes + sizeof bytes);
            while (p && anchors_at(p, bytes + sizeof bytes, found) == 0)
                p = anchors_candidate(p + 1, bytes + sizeof bytes);
            if (!p || p > bytes + at + strlen(texts[i]))
                fail_msg("'%s' is not found at %zu", texts[i], at);
            assert_none_is_passed_over(bytes, sizeof bytes);
        }
}

static void no_anchor_is_passed_over_in_any_mixture_of_bytes(void **state)
{
    (void)state;
    char *bytes = malloc(4096);
    assert_non_null(bytes);
    srand(1);
    for (int round = 0; round < 500; round++) {
        size_t length = 1 + (size_t)rand() % 4000;
        for (size_t i = 0; i < length; i++)
            bytes[i] = (char)(round % 2 ? rand() % 256 : 'a' + rand() % 26);
        for (size_t i = 0; i + 16 < length; i += 1 + (size_t)rand() % 60) {
            const char *text = texts[(size_t)rand() % ARRAY_SIZE(texts)];
            memcpy(bytes + i, text, strlen(text));
        }
        assert_none_is_passed_over(bytes, length);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_anchor_is_found_at_every_place_of_a_block),
        cmocka_unit_test(no_anchor_is_passed_over_in_any_mixture_of_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
