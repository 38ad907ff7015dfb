/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * YAML documents from strangers: the tree must be whole wherever parsing succeeds, and an error
 * must have a text.
 */
#include <stdint.h>

#include "common/doc.h"

static size_t walk(const struct doc_node *node)
{
    size_t bytes = node->kind == DOC_SCALAR ? strlen(node->text) : 0;
    if (node->line < 1 || node->column < 1 || (node->kind == DOC_SCALAR && bytes != node->length))
        __builtin_trap();
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == DOC_MAP && !doc_get(node, node->keys[i]->text))
            __builtin_trap();
        bytes += walk(node->items[i]);
    }
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(64 * 1024 * 1024);
    const struct doc_node *root = NULL;
    struct err err = ERR_INIT;
    if (!arena)
        return 0;
    if (doc_parse(arena, "fuzz", (const char *)data, size, &root, &err) < 0) {
        if (root || !err.text[0])
            __builtin_trap();
    } else {
        walk(root);
    }
    arena_free(arena);
    return 0;
}
