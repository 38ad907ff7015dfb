/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * manifest.json by jansson.
 *
 * jansson builds a tree that may take a hundred times the memory of its text ("[{},{},..."), so the
 * values are counted before it is called: one pass over the bytes is cheaper than an out-of-memory
 * kill.
 */
#include "analyzer/report/manifest.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#define CONTAINERS_MAX 150000  /* objects and arrays: an entry is one object */
#define VALUES_MAX     2000000 /* a dozen values an entry ... */
#define VALUES_EACH    16      /* ... and no object with thousands, which cost more than text */
#define VALUES_FREE    10000

static bool has_too_many_values(const char *bytes, size_t length)
{
    size_t containers = 0, values = 0;
    for (size_t i = 0; i < length; i++) {
        containers += bytes[i] == '{' || bytes[i] == '[';
        values += bytes[i] == ',';
    }
    return containers > CONTAINERS_MAX || values > VALUES_MAX ||
           values > containers * VALUES_EACH + VALUES_FREE;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

int manifest_parse(const char *bytes, size_t length, const struct manifest_listener *listener,
                   struct err *err)
{
    if (length > MANIFEST_BYTES_MAX || has_too_many_values(bytes, length))
        return err_set(err, ERR_LIMIT, "it is larger than any manifest should be");

    json_error_t error;
    json_auto_t *root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return err_set(err, ERR_PARSE, "%s in line %d", error.text, error.line);
    const char *schema = text_of(root, "schema");
    if (strcmp(schema, "xenhealth-manifest/1") != 0)
        return err_set(err, ERR_PARSE, "its schema '%.40s' is not xenhealth-manifest/1", schema);

    listener->run(listener->context, text_of(json_object_get(root, "host"), "name"),
                  text_of(json_object_get(root, "run"), "started"));
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(root, "entries"), index, entry)
        listener->entry(listener->context, text_of(entry, "capability"), text_of(entry, "name"),
                        text_of(entry, "status"), text_of(entry, "reason"));
    return 0;
}
