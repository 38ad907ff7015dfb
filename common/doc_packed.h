/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * YAML documents that were parsed when the program was built.
 *
 * Hundreds of rules come with the analyzer, and parsing them took a quarter of the analysis of a
 * small report. So the build packs the trees (cmake/pack_documents.c, `DOCUMENTS` of
 * embed_files()), and a start only links their nodes again; what is not valid YAML does not build.
 * An unpacked tree is like a parsed one: each node knows its place in the YAML file.
 */
#pragma once

#include "common/doc.h"
#include "common/embed.h"
#include "common/strbuf.h"

/* Appends a document in packed form. */
void doc_pack(const struct doc_node *root, struct strbuf *out);

/*
 * The reverse, for bytes that the program's own build packed: they are not checked. `name` is what
 * errors call the file. Texts are not copied: `bytes` must live as long as the tree. ERR_NOMEM.
 */
int doc_unpack(struct arena *arena, const char *name, const char *bytes,
               const struct doc_node **ret_root, struct err *err);

/* A file as YAML text, or as the packed document that is embedded. Errors as of doc_parse(). */
int doc_parse_embedded(struct arena *arena, const char *name, const struct embedded_file *file,
                       const struct doc_node **ret_root, struct err *err);
