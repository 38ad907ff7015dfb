/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The packed form: the number of nodes and of links between them, then the nodes, each before what
 * is in it. A number has seven bits a byte, the last byte is below 128.
 *
 *     node:  kind, line, column, then
 *     text:  length, bytes, NUL
 *     list:  count, nodes
 *     map:   count, nodes: key, value, key, value ...
 */
#include "common/doc_packed.h"

#include <string.h>

/* Kinds of nodes in a packed document: doc_kind, and a text that is plain. */
#define PLAIN_TEXT 3

static void add_number(struct strbuf *out, size_t number)
{
    for (; number > 127; number >>= 7)
        strbuf_addc(out, (char)(number | 128));
    strbuf_addc(out, (char)number);
}

static void add_node(const struct doc_node *node, struct strbuf *out)
{
    bool is_plain = node->kind == DOC_SCALAR && node->plain;
    add_number(out, is_plain ? PLAIN_TEXT : (size_t)node->kind);
    add_number(out, (size_t)node->line);
    add_number(out, (size_t)node->column);
    if (node->kind == DOC_SCALAR) {
        add_number(out, node->length);
        strbuf_add(out, node->text, node->length + 1);
        return;
    }
    add_number(out, node->count);
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == DOC_MAP)
            add_node(node->keys[i], out);
        add_node(node->items[i], out);
    }
}

/* The nodes below and with `node`, and the entries of all their arrays. */
static void count(const struct doc_node *node, size_t *nodes, size_t *links)
{
    ++*nodes;
    *links += node->count * (node->kind == DOC_MAP ? 2 : 1);
    for (size_t i = 0; i < node->count; i++) {
        *nodes += node->kind == DOC_MAP;
        count(node->items[i], nodes, links);
    }
}

void doc_pack(const struct doc_node *root, struct strbuf *out)
{
    size_t nodes = 0, links = 0;
    count(root, &nodes, &links);
    add_number(out, nodes);
    add_number(out, links);
    add_node(root, out);
}

struct unpacker {
    const char *name, *place;
    /* What is left of the arrays that all of them are taken from. */
    struct doc_node *nodes;
    struct doc_node **links;
};

static size_t take_number(struct unpacker *unpacker)
{
    size_t number = 0;
    unsigned shift = 0;
    unsigned char byte;
    do {
        byte = (unsigned char)*unpacker->place++;
        number |= (size_t)(byte & 127) << shift;
        shift += 7;
    } while (byte > 127);
    return number;
}

static void take_text(struct unpacker *unpacker, struct doc_node *node)
{
    node->length = take_number(unpacker);
    node->text = unpacker->place;
    unpacker->place += node->length + 1;
}

static struct doc_node **take_links(struct unpacker *unpacker, size_t count)
{
    struct doc_node **links = unpacker->links;
    unpacker->links += count;
    return links;
}

static struct doc_node *take_node(struct unpacker *unpacker)
{
    struct doc_node *node = unpacker->nodes++;
    size_t kind = take_number(unpacker);
    node->file = unpacker->name;
    node->plain = kind == PLAIN_TEXT;
    node->kind = node->plain ? DOC_SCALAR : (enum doc_kind)kind;
    node->line = (int)take_number(unpacker);
    node->column = (int)take_number(unpacker);
    if (node->kind == DOC_SCALAR) {
        take_text(unpacker, node);
        return node;
    }
    node->count = take_number(unpacker);
    node->items = take_links(unpacker, node->count);
    node->keys = take_links(unpacker, node->kind == DOC_MAP ? node->count : 0);
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == DOC_MAP)
            node->keys[i] = take_node(unpacker);
        node->items[i] = take_node(unpacker);
    }
    return node;
}

int doc_unpack(struct arena *arena, const char *name, const char *bytes,
               const struct doc_node **ret_root, struct err *err)
{
    struct unpacker unpacker = {.name = arena_strdup(arena, name), .place = bytes};
    size_t nodes = take_number(&unpacker), links = take_number(&unpacker);
    unpacker.nodes = arena_array(arena, nodes, sizeof *unpacker.nodes);
    unpacker.links = arena_array(arena, links + 1, sizeof(struct doc_node *));
    if (!unpacker.name || !unpacker.nodes || !unpacker.links)
        return err_nomem(err);
    *ret_root = take_node(&unpacker);
    return 0;
}

int doc_parse_embedded(struct arena *arena, const char *name, const struct embedded_file *file,
                       const struct doc_node **ret_root, struct err *err)
{
    return file->end
               ? doc_parse(arena, name, file->data, (size_t)(file->end - file->data), ret_root, err)
               : doc_unpack(arena, name, file->data, ret_root, err);
}
