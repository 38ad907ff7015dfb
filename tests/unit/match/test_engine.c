/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The engine that searches all patterns must not miss a match: a missed one is a rule that passes.
 * Vectorscan 5.4.9 misses texts in short blocks when the beginning of the same text stands shortly
 * before, depending on where the block lies in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <hs/hs.h>

#include "common/compiler.h"

#define ALIGNMENT_MAX 512

static const char *const expressions[] = {
    "REDO_LOG_HEALTHY|METADATA_LUN_HEALTHY",
    "certificate has expired|_CERTIFICATE_EXPIRED",
    "MAP_DUPLICATE_KEY",
};

static const char *const blocks[] = {
    "e0jfc-k31 013de1bebj2j2h1-c132je_2k__ MAP fd0gi:f0--_b:b3ef:dMAP_DUPLICATE_KEYcf0b-i:-  kcdg",
    "_::1hjci0j:bkaabk_bf0dh3f: 2kbiekMAP_DUPLICA _ ifg3h3 j2id :2ba1hj1MAP_DUPLICATE_KEYc0_eg:bdf",
};

static int note(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                void *context)
{
    (void)from;
    (void)to;
    (void)flags;
    ((bool *)context)[id] = true;
    return 0;
}

static void a_text_is_found_wherever_it_lies_in_memory(void **state)
{
    static char memory[4096] __attribute__((aligned(4096)));
    static const unsigned flags[ARRAY_SIZE(expressions)], ids[] = {0, 1, 2};
    hs_database_t *database = NULL;
    hs_scratch_t *scratch = NULL;
    hs_compile_error_t *refused = NULL;
    (void)state;
    assert_int_equal(hs_compile_multi(expressions, flags, ids, ARRAY_SIZE(expressions),
                                      HS_MODE_BLOCK, NULL, &database, &refused),
                     HS_SUCCESS);
    assert_int_equal(hs_alloc_scratch(database, &scratch), HS_SUCCESS);
    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
        for (size_t at = 0; at < ALIGNMENT_MAX; at++) {
            bool found[ARRAY_SIZE(expressions)] = {false};
            memcpy(memory + at, blocks[i], strlen(blocks[i]));
            hs_scan(database, memory + at, (unsigned)strlen(blocks[i]), 0, scratch, note, found);
            if (!found[2])
                fail_msg("libhs %s misses '%s' in '%s'", hs_version(), expressions[2], blocks[i]);
        }
    hs_free_scratch(scratch);
    hs_free_database(database);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_found_wherever_it_lies_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
