/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Arenas and vectors: memory that is zeroed, aligned, counted and limited.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/arena.h"
#include "common/vec.h"

#define PLENTY (1024 * 1024)

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena *arena = arena_new(PLENTY);
    for (size_t size = 1; size < 200; size++) {
        unsigned char *bytes = arena_alloc(arena, size);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xff, size);
    }
    assert_null(arena_free(arena));
}

static void early_pointers_survive_later_and_larger_requests(void **state)
{
    (void)state;
    struct arena *arena = arena_new(PLENTY);
    char *first = arena_strdup(arena, "first");
    char *large = arena_alloc(arena, 300 * 1024);
    assert_non_null(large);
    memset(large, 'x', 300 * 1024);
    for (int i = 0; i < 1000; i++)
        assert_non_null(arena_printf(arena, "text number %d", i));
    assert_string_equal(first, "first");
    arena_free(arena);
}

static void the_ceiling_is_a_hard_limit(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1000);
    assert_null(arena_alloc(arena, 1001));
    assert_non_null(arena_alloc(arena, 900));
    assert_null(arena_alloc(arena, 200));
    assert_true(arena_used(arena) <= 1000);
    arena_free(arena);
}

static void a_product_that_overflows_is_refused(void **state)
{
    (void)state;
    struct arena *arena = arena_new(SIZE_MAX);
    assert_null(arena_array(arena, SIZE_MAX / 2, 3));
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_memdup(arena, "x", SIZE_MAX));
    arena_free(arena);
    assert_null(arena_free(NULL));
}

static void a_copy_of_bytes_ends_in_a_nul(void **state)
{
    (void)state;
    struct arena *arena = arena_new(PLENTY);
    assert_memory_equal(arena_memdup(arena, "a\0b", 3), "a\0b", 4);
    assert_string_equal(arena_memdup(arena, NULL, 0), "");
    assert_string_equal(arena_printf(arena, "%s=%d", "x", 7), "x=7");
    arena_free(arena);
}

static void a_vector_grows_with_zeroed_items(void **state)
{
    (void)state;
    struct pair {
        int a, b;
    };
    VEC(struct pair) pairs = {0};
    for (int i = 0; i < 1000; i++) {
        struct pair *pair = vec_push(&pairs);
        assert_non_null(pair);
        assert_int_equal(pair->a, 0);
        assert_int_equal(pair->b, 0);
        *pair = (struct pair){i, -i};
    }
    assert_int_equal(pairs.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(pairs.items[i].b, -i);
    vec_free(&pairs);
    assert_null(pairs.items);
    assert_int_equal(pairs.count, 0);
}

static void a_vector_that_cannot_grow_keeps_what_it_has(void **state)
{
    (void)state;
    char *items = NULL;
    size_t capacity = 0;
    assert_true(vec_grow((void **)&items, 0, &capacity, 1));
    assert_int_equal(capacity, 8);
    char *same = items;
    size_t huge = SIZE_MAX / 2 + 1; /* cannot be doubled */
    assert_false(vec_grow((void **)&items, huge, &huge, 1));
    assert_ptr_equal(items, same);
    assert_int_equal(huge, SIZE_MAX / 2 + 1);
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(early_pointers_survive_later_and_larger_requests),
        cmocka_unit_test(the_ceiling_is_a_hard_limit),
        cmocka_unit_test(a_product_that_overflows_is_refused),
        cmocka_unit_test(a_copy_of_bytes_ends_in_a_nul),
        cmocka_unit_test(a_vector_grows_with_zeroed_items),
        cmocka_unit_test(a_vector_that_cannot_grow_keeps_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
