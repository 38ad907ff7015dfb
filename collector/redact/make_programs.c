/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * make-programs YAML NAME OUTPUT   makes the tables of programs.h from programs.yaml, as C.
 *
 * A step of the build, not installed. NAME is what messages call the file. They are written for
 * whoever adds a program: a table that is wrong would let passwords through, so it stops the build.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "collector/redact/programs.h"
#include "common/doc.h"
#include "common/io.h"

#define FILE_MAX     (1024 * 1024)
#define NODES_MAX    (16 * 1024 * 1024)
#define MIN_NAME     4 /* what anchors.c looks for at once */
#define MAX_OPERANDS 32
#define PLACEHOLDER  "SECRET"

static int plain_text(const struct doc_node *node, const char **ret, struct err *err)
{
    int r = doc_string(node, ret, err);
    if (r < 0)
        return r;
    for (const char *p = *ret; *p; p++)
        if (!isprint((unsigned char)*p))
            return doc_fail(node, err, "only printable ASCII characters can be looked for");
    return 0;
}

static void put_string(const char *text, struct strbuf *out)
{
    strbuf_addc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            strbuf_addc(out, '\\');
        strbuf_addc(out, *text);
    }
    strbuf_addc(out, '"');
}

static int optional_bool(const struct doc_node *secret, const char *key, bool *ret, struct err *err)
{
    const struct doc_node *node = doc_get(secret, key);
    return node ? doc_bool(node, ret, err) : 0;
}

static int take_option(const struct doc_node *secret, struct program_secret *ret, struct err *err)
{
    const struct doc_node *separator = doc_get(secret, "separator");
    const char *sign = "";
    int r = plain_text(doc_get(secret, "option"), &ret->option, err);
    if (r == 0)
        r = optional_bool(secret, "attached", &ret->attached, err);
    if (r == 0)
        r = optional_bool(secret, "numbered", &ret->numbered, err);
    if (r == 0)
        r = optional_bool(secret, "unless_plain", &ret->unless_plain, err);
    if (r == 0 && separator)
        r = plain_text(separator, &sign, err);
    if (r == 0 && strlen(sign) > 1)
        r = doc_fail(separator, err, "the separator must be a single character, not '%s'", sign);
    ret->separator = *sign;
    return r;
}

static int take_operand(const struct doc_node *secret, struct program_secret *ret, struct err *err)
{
    const struct doc_node *node = doc_get(secret, "operand");
    int64_t number = 0;
    if (secret->count > 1)
        return doc_fail(secret, err, "'operand' stands alone; the other keys are for an 'option'");
    int r = doc_integer(node, &number, err);
    if (r == 0 && (number < 1 || number > MAX_OPERANDS))
        r = doc_fail(node, err, "the operand must be a number from 1 to %d", MAX_OPERANDS);
    ret->operand = (unsigned)number;
    return r;
}

static int put_secret(const struct doc_node *node, struct strbuf *out, struct err *err)
{
    static const char *const keys[] = {"option",   "operand",      "attached", "separator",
                                       "numbered", "unless_plain", NULL};
    struct program_secret secret = {0};
    int r = doc_check_keys(node, keys, err);
    if (r == 0 && !doc_get(node, "option") == !doc_get(node, "operand"))
        r = doc_fail(node, err, "say where the secret stands: either 'option' or 'operand'");
    if (r == 0)
        r = doc_get(node, "option") ? take_option(node, &secret, err)
                                    : take_operand(node, &secret, err);
    if (r < 0)
        return r;
    strbuf_adds(out, "    {");
    if (secret.option)
        put_string(secret.option, out);
    else
        strbuf_adds(out, "0");
    strbuf_addf(out, ", %u, %d, %d, %d, %d},\n", secret.operand, secret.separator, secret.attached,
                secret.numbered, secret.unless_plain);
    return 0;
}

/* Tests try them (test_programs.c); that there is one to try is seen to here. */
static int check_examples(const struct doc_node *program, struct err *err)
{
    const struct doc_node *examples = doc_get(program, "examples");
    bool planted = false;
    for (size_t i = 0; examples && examples->kind == DOC_LIST && i < examples->count; i++) {
        const char *line;
        int r = doc_string(examples->items[i], &line, err);
        if (r < 0)
            return r;
        planted = planted || strstr(line, PLACEHOLDER);
    }
    return planted ? 0
                   : doc_fail(program, err,
                              "'examples' must be a list of command lines, one at least with "
                              "%s where the secret stands",
                              PLACEHOLDER);
}

static bool begins(const char *text, const char *beginning)
{
    return strncasecmp(text, beginning, strlen(beginning)) == 0;
}

static const char *name_of(const struct doc_node *list, size_t i)
{
    return doc_get(list->items[i], "program")->text;
}

static int check_name(const struct doc_node *list, size_t number, struct err *err)
{
    const struct doc_node *node = doc_get(list->items[number], "program");
    const char *name;
    if (!node)
        return doc_fail(list->items[number], err, "'program' is missing");
    int r = plain_text(node, &name, err);
    if (r == 0 && strlen(name) < MIN_NAME)
        r = doc_fail(
            node, err,
            "'%s' is too short to be looked for: take %d characters or more, with what follows it",
            name, MIN_NAME);
    for (size_t i = 0; r == 0 && i < number; i++)
        if (strcasecmp(name, name_of(list, i)) == 0)
            r = doc_fail(node, err, "'%s' stands in line %d already: add its secrets there", name,
                         list->items[i]->line);
    return r;
}

static int put_program(const struct doc_node *list, size_t number, struct strbuf *secrets,
                       struct strbuf *rows, struct err *err)
{
    static const char *const keys[] = {"program", "secrets", "examples", NULL};
    const struct doc_node *program = list->items[number], *places = doc_get(program, "secrets");
    int r = doc_check_keys(program, keys, err);
    if (r == 0)
        r = check_name(list, number, err);
    if (r == 0 && (!places || places->kind != DOC_LIST || places->count == 0))
        r = doc_fail(
            places ? places : program, err,
            "'secrets' must be a list that says where passwords stand, for example [{option: -p}]");
    if (r < 0)
        return r;
    strbuf_addf(secrets, "static const struct program_secret secrets_%zu[] = {\n", number);
    for (size_t i = 0; r == 0 && i < places->count; i++)
        r = put_secret(places->items[i], secrets, err);
    strbuf_adds(secrets, "};\n");
    strbuf_adds(rows, "    {");
    put_string(name_of(list, number), rows);
    strbuf_addf(rows, ", secrets_%zu, %zu},\n", number, places->count);
    return r < 0 ? r : check_examples(program, err);
}

/* Two anchors at one place would ask the same detector twice. */
static void put_anchors(const struct doc_node *list, struct strbuf *out)
{
    strbuf_adds(out, "const struct anchor program_anchors[] = {\n");
    for (size_t i = 0; i < list->count; i++) {
        bool found_already = false;
        for (size_t k = 0; k < list->count; k++)
            found_already |= k != i && begins(name_of(list, i), name_of(list, k));
        if (found_already)
            continue;
        strbuf_adds(out, "    {");
        put_string(name_of(list, i), out);
        strbuf_adds(out, ", 0, detect_command},\n");
    }
    strbuf_adds(out, "    {0, 0, 0},\n};\n");
}

static int put_programs(const struct doc_node *list, struct strbuf *out, struct err *err)
{
    CLEANUP(strbuf_release) struct strbuf rows = STRBUF_INIT;
    if (list->kind != DOC_LIST || list->count > MAX_PROGRAMS)
        return doc_fail(list, err,
                        "'programs' must be a list of at most %d programs; more need "
                        "MAX_PROGRAMS and MAX_GRAMS of collector/redact raised",
                        MAX_PROGRAMS);
    for (size_t i = 0; i < list->count; i++) {
        int r = put_program(list, i, out, &rows, err);
        if (r < 0)
            return r;
    }
    strbuf_addf(out, "const struct program programs[] = {\n%s    {0, 0, 0},\n};\n",
                rows.data ? rows.data : "");
    put_anchors(list, out);
    return strbuf_ok(&rows) ? 0 : err_nomem(err);
}

static int put_readers(const struct doc_node *list, struct strbuf *out, struct err *err)
{
    if (list->kind != DOC_LIST)
        return doc_fail(list, err, "'readers' must be a list of programs");
    strbuf_adds(out, "const char *const password_readers[] = {\n");
    for (size_t i = 0; i < list->count; i++) {
        const char *name;
        int r = plain_text(list->items[i], &name, err);
        if (r < 0)
            return r;
        strbuf_adds(out, "    ");
        put_string(name, out);
        strbuf_adds(out, ",\n");
    }
    strbuf_adds(out, "    0,\n};\n");
    return 0;
}

static int make(const char *path, const char *name, const char *output, struct err *err)
{
    static const char *const keys[] = {"programs", "readers", NULL};
    CLEANUP(arena_cleanup) struct arena *arena = arena_new(NODES_MAX);
    CLEANUP(strbuf_release) struct strbuf yaml = STRBUF_INIT, out = STRBUF_INIT;
    const struct doc_node *root;
    if (!arena)
        return err_nomem(err);
    int r = io_read_file(AT_FDCWD, path, FILE_MAX, &yaml, err);
    if (r == 0)
        r = doc_parse(arena, name, yaml.data, yaml.length, &root, err);
    if (r == 0)
        r = doc_check_keys(root, keys, err);
    if (r == 0 && (!doc_get(root, "programs") || !doc_get(root, "readers")))
        r = doc_fail(root, err, "the lists 'programs' and 'readers' must be there");
    if (r < 0)
        return r;
    strbuf_addf(
        &out, "/* Made from %s by make-programs. */\n#include \"collector/redact/programs.h\"\n\n",
        name);
    r = put_programs(doc_get(root, "programs"), &out, err);
    if (r == 0)
        r = put_readers(doc_get(root, "readers"), &out, err);
    if (r < 0)
        return r;
    if (!strbuf_ok(&out))
        return err_nomem(err);
    CLEANUP_FD int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || io_write_all(fd, out.data, out.length) < 0)
        return err_set(err, ERR_IO, "cannot write '%s'", output);
    return 0;
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    char message[1024];
    if (argc != 4) {
        fprintf(stderr, "usage: make-programs YAML NAME OUTPUT\n");
        return 2;
    }
    if (make(argv[1], argv[2], argv[3], &err) == 0)
        return 0;
    fprintf(stderr, "%s\n", err_message(&err, message, sizeof message));
    return 1;
}
