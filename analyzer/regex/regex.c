/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * PCRE2 behind a small door. Nothing but this file knows the library.
 *
 * Patterns are compiled without UTF and may not turn it on themselves: a text with a broken
 * sequence would then be refused instead of searched. The limits in the match context hold for both
 * the JIT and the interpreter; a pattern cannot raise them.
 */
#include "analyzer/regex/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct regex_name {
    char *text;
    unsigned char numbers[REGEX_GROUPS_MAX]; /* of the groups with this name */
    unsigned count;
};

struct regex {
    pcre2_code *code;
    char *pattern;
    struct regex_name *names;
    size_t name_count;
    size_t group_count;
};

struct regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    const char *text; /* of the last match */
};

void *regex_free(struct regex *regex)
{
    if (!regex)
        return NULL;
    pcre2_code_free(regex->code);
    for (size_t i = 0; i < regex->name_count; i++)
        free(regex->names[i].text);
    free(regex->names);
    free(regex->pattern);
    free(regex);
    return NULL;
}

static int name_number(struct regex *regex, const char *text, unsigned number)
{
    int index = regex_name_find(regex, text);
    if (index < 0) {
        char *copy = strdup(text);
        if (!copy)
            return ERR_NOMEM;
        index = (int)regex->name_count++;
        regex->names[index].text = copy;
    }
    struct regex_name *name = &regex->names[index];
    name->numbers[name->count++] = (unsigned char)number;
    return 0;
}

/* The library sorts its table of names by text; ours is in the order of the groups. */
static int read_names(struct regex *regex)
{
    uint32_t count = 0, size = 0;
    PCRE2_SPTR table = NULL;
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
    regex->names = calloc(count ? count : 1, sizeof *regex->names);
    if (!regex->names)
        return ERR_NOMEM;
    for (unsigned group = 1; group <= regex->group_count; group++) {
        for (uint32_t i = 0; i < count; i++) {
            PCRE2_SPTR entry = table + (size_t)i * size;
            if ((unsigned)(entry[0] << 8 | entry[1]) != group)
                continue;
            if (name_number(regex, (const char *)entry + 2, group) < 0)
                return ERR_NOMEM;
        }
    }
    return 0;
}

static int compile_error(int code, size_t position, const char *pattern, size_t length,
                         struct err *err)
{
    if (code == PCRE2_ERROR_HEAP_FAILED || code == PCRE2_ERROR_NOMEMORY)
        return err_nomem(err);
    PCRE2_UCHAR text[160] = "";
    pcre2_get_error_message(code, text, sizeof text);
    size_t from = position > length ? length : position;
    size_t left = length - from;
    if (left == 0)
        return err_set(err, ERR_PARSE, "bad regular expression: %s, at its end", text);
    return err_set(err, ERR_PARSE, "bad regular expression: %s, at character %zu, before '%.*s'",
                   text, from + 1, left > 20 ? 20 : (int)left, pattern + from);
}

static int compile(struct regex *regex, const char *pattern, size_t length, struct err *err)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context)
        return err_nomem(err);
    pcre2_set_parens_nest_limit(context, REGEX_NESTING_MAX);
    const uint32_t options =
        PCRE2_DUPNAMES | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C;
    int code = 0;
    PCRE2_SIZE position = 0;
    regex->code = pcre2_compile((PCRE2_SPTR)pattern, length, options, &code, &position, context);
    pcre2_compile_context_free(context);
    if (!regex->code)
        return compile_error(code, position, pattern, length, err);

    uint32_t groups = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (groups >= REGEX_GROUPS_MAX)
        return err_set(
            err, ERR_PARSE,
            "regular expression with %u groups; %d are allowed, write (?:...) for groups "
            "that are not read",
            (unsigned)groups, REGEX_GROUPS_MAX - 1);
    regex->group_count = groups;
    return read_names(regex) < 0 ? err_nomem(err) : 0;
}

void regex_speed_up(const struct regex *regex)
{
    /* Where the JIT is not to be had (a hardened kernel), the interpreter does the same, slower. */
    pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
}

int regex_compile(const char *pattern, size_t length, struct regex **ret, struct err *err)
{
    if (length == 0)
        return err_set(err, ERR_PARSE, "empty regular expression: it would match everywhere");
    if (length > REGEX_PATTERN_MAX)
        return err_set(err, ERR_PARSE, "regular expression of %zu bytes; %d are allowed", length,
                       REGEX_PATTERN_MAX);
    CLEANUP(regex_cleanup) struct regex *regex = calloc(1, sizeof *regex);
    if (!regex)
        return err_nomem(err);
    regex->pattern = strndup(pattern, length);
    if (!regex->pattern)
        return err_nomem(err);
    int r = compile(regex, pattern, length, err);
    if (r < 0)
        return r;
    *ret = TAKE(regex);
    return 0;
}

int regex_compile_node(const struct doc_node *node, struct regex **ret, struct err *err)
{
    if (node->kind != DOC_SCALAR)
        return doc_fail(node, err, "expected a regular expression");
    struct err own = ERR_INIT;
    int r = regex_compile(node->text, node->length, ret, &own);
    if (r == ERR_PARSE)
        return doc_fail(node, err, "%s", own.text);
    if (r < 0)
        return err_set(err, r, "%s", own.text);
    return 0;
}

const char *regex_pattern(const struct regex *regex)
{
    return regex->pattern;
}

size_t regex_name_count(const struct regex *regex)
{
    return regex->name_count;
}

const char *regex_name_at(const struct regex *regex, size_t index)
{
    return regex->names[index].text;
}

int regex_name_find(const struct regex *regex, const char *name)
{
    for (size_t i = 0; i < regex->name_count; i++)
        if (strcmp(regex->names[i].text, name) == 0)
            return (int)i;
    return -1;
}

size_t regex_group_count(const struct regex *regex)
{
    return regex->group_count;
}

void *regex_scratch_free(struct regex_scratch *scratch)
{
    if (!scratch)
        return NULL;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch);
    return NULL;
}

struct regex_scratch *regex_scratch_new(void)
{
    CLEANUP(regex_scratch_cleanup) struct regex_scratch *scratch = calloc(1, sizeof *scratch);
    if (!scratch)
        return NULL;
    scratch->data = pcre2_match_data_create(REGEX_GROUPS_MAX, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    if (!scratch->data || !scratch->context)
        return NULL;
    pcre2_set_match_limit(scratch->context, REGEX_MATCH_LIMIT);
    pcre2_set_depth_limit(scratch->context, REGEX_DEPTH_LIMIT);
    pcre2_set_heap_limit(scratch->context, REGEX_HEAP_LIMIT_KIB);
    /* NULL where there is no JIT: then none is needed. */
    scratch->stack = pcre2_jit_stack_create(32 * 1024, REGEX_JIT_STACK_MAX, NULL);
    if (scratch->stack)
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    return TAKE(scratch);
}

enum regex_result regex_match(const struct regex *regex, struct regex_scratch *scratch,
                              const char *text, size_t length, size_t offset)
{
    scratch->text = text;
    int r = pcre2_match(regex->code, (PCRE2_SPTR)text, length, offset, 0, scratch->data,
                        scratch->context);
    if (r > 0)
        return REGEX_MATCH;
    return r == PCRE2_ERROR_NOMATCH ? REGEX_NO_MATCH : REGEX_ABORTED;
}

bool regex_group(const struct regex *regex, const struct regex_scratch *scratch, size_t number,
                 const char **ret, size_t *ret_length)
{
    if (number > regex->group_count)
        return false;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(scratch->data);
    PCRE2_SIZE start = ends[2 * number], end = ends[2 * number + 1];
    /* \K in a look-around can put the start behind the end: such a group has no text. */
    if (start == PCRE2_UNSET || start > end)
        return false;
    *ret = scratch->text + start;
    *ret_length = end - start;
    return true;
}

bool regex_named(const struct regex *regex, const struct regex_scratch *scratch, size_t name_index,
                 const char **ret, size_t *ret_length)
{
    const struct regex_name *name = &regex->names[name_index];
    for (unsigned i = 0; i < name->count; i++)
        if (regex_group(regex, scratch, name->numbers[i], ret, ret_length))
            return true;
    return false;
}
