/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Names are judged by the words in them, values never: a value that looks harmless may still be
 * somebody's password.
 */
#include "collector/redact/secrets.h"

#include <string.h>
#include <strings.h>

#include "common/compiler.h"

static const char *const words[] = {
    "password", "passwd", "passphrase", "secret", "token", "private_key", "EFI-variables",
};

/* About the token of a cluster's heartbeat, which is no secret; support needs these. */
static const char *const harmless[] = {"token_timeout", "token_coefficient", "token_retransmit"};

#define UUID_LENGTH 36
#define REFERENCE   "OpaqueRef:"

static bool contains(const char *text, size_t length, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= length; i++)
        if (strncasecmp(text + i, word, n) == 0)
            return true;
    return false;
}

bool secret_name(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
        if (contains(name, length, harmless[i]))
            return false;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (contains(name, length, words[i]))
            return true;
    return false;
}

static bool is_uuid(const char *value, size_t length)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    if (length != UUID_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? value[i] != '-' : !value[i] || !strchr(digits, value[i]))
            return false;
    }
    return true;
}

bool secret_is_reference(const char *value, size_t length)
{
    size_t prefix = strlen(REFERENCE);
    if (length > prefix && memcmp(value, REFERENCE, prefix) == 0) {
        value += prefix;
        length -= prefix;
    }
    return is_uuid(value, length) || (length == 4 && memcmp(value, "NULL", length) == 0);
}
