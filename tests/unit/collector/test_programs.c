/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * programs.yaml: its own examples, each in the forms in which command lines stand in logs, and what the build says to
 * somebody who writes it wrongly.
 */
#include "collector/redact/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/arena.h"
#include "common/compiler.h"
#include "common/doc.h"
#include "common/io.h"
#include "common/strbuf.h"

#define TABLE       SOURCE_DIR "/collector/redact/programs.yaml"
#define PLACEHOLDER "SECRET"

static struct strbuf with(const char *line, const char *before, const char *word, const char *after)
{
    struct strbuf out = STRBUF_INIT;
    strbuf_adds(&out, before);
    for (const char *next; (next = strstr(line, PLACEHOLDER)); line = next + strlen(PLACEHOLDER)) {
        strbuf_add(&out, line, (size_t)(next - line));
        strbuf_adds(&out, word);
    }
    strbuf_adds(&out, line);
    strbuf_adds(&out, after);
    return out;
}

static void assert_just_the_secret_goes(const char *line, const char *before, const char *after)
{
    struct strbuf input = with(line, before, "x7!=y", after);
    struct strbuf expected = with(line, before, "REMOVED", after), output = STRBUF_INIT;
    redact_text(input.data, input.length, &output);
    if (strcmp(output.data, expected.data) != 0)
        fail_msg("'%s'\nbecomes '%s'\nand not '%s'", input.data, output.data, expected.data);
    strbuf_release(&input);
    strbuf_release(&expected);
    strbuf_release(&output);
}

static const struct doc_node *load(struct arena *arena, struct strbuf *yaml)
{
    const struct doc_node *root;
    assert_int_equal(io_read_file(AT_FDCWD, TABLE, 1024 * 1024, yaml, NULL), 0);
    assert_int_equal(doc_parse(arena, TABLE, yaml->data, yaml->length, &root, NULL), 0);
    return root;
}

static void every_example_of_the_table_loses_its_secret_and_nothing_else(void **state)
{
    (void)state;
    struct strbuf yaml = STRBUF_INIT;
    struct arena *arena = arena_new(16 * 1024 * 1024);
    const struct doc_node *programs = doc_get(load(arena, &yaml), "programs");
    assert_true(programs->count > 0);
    for (size_t i = 0; i < programs->count; i++) {
        const struct doc_node *examples = doc_get(programs->items[i], "examples");
        for (size_t k = 0; k < examples->count; k++) {
            assert_just_the_secret_goes(examples->items[k]->text, "", "");
            assert_just_the_secret_goes(examples->items[k]->text, "CRON[12]: (root) CMD ", "\nb\n");
        }
    }
    arena_free(arena);
    strbuf_release(&yaml);
}

static void what_goes_into_a_program_that_reads_a_password_is_one(void **state)
{
    (void)state;
    struct strbuf yaml = STRBUF_INIT;
    struct arena *arena = arena_new(16 * 1024 * 1024);
    const struct doc_node *readers = doc_get(load(arena, &yaml), "readers");
    assert_true(readers->count > 0);
    for (size_t i = 0; i < readers->count; i++) {
        assert_just_the_secret_goes("echo SECRET | ", "", readers->items[i]->text);
        assert_just_the_secret_goes("printf SECRET|sudo ", "", readers->items[i]->text);
    }
    arena_free(arena);
    strbuf_release(&yaml);
}

/* A program stops where it stands again; what comes then is found by its second name. */
static void a_program_named_twice_is_looked_at_twice(void **state)
{
    (void)state;
    assert_just_the_secret_goes("curl -u a:SECRET -o curl.log -U b:SECRET", "", "");
    assert_just_the_secret_goes("curl curl -s curlew -u a:SECRET", "", "");
    assert_just_the_secret_goes("ldapsearch -f ldap.conf ldapmodify -wSECRET", "", "");
}

#define EXAMPLES "examples: [abcd SECRET]"

static const struct {
    const char *programs, *error;
} mistakes[] = {
    {"- {program: abcd, secrets: [{optoin: -p}], " EXAMPLES "}", "t:2:30: unknown key 'optoin'; did you mean 'option'?"},
    {"- {program: abcd, secrets: [], " EXAMPLES "}", "t:2:28: 'secrets' must be a list that says where passwords stand"},
    {"- {program: abcd, " EXAMPLES "}", "t:2:3: 'secrets' must be a list that says where passwords stand"},
    {"- {secrets: [{option: -p}], " EXAMPLES "}", "t:2:3: 'program' is missing"},
    {"- {program: abc, secrets: [{option: -p}], " EXAMPLES "}", "t:2:13: 'abc' is too short to be looked for"},
    {"- {program: \"ab\\tcd\", secrets: [{option: -p}], " EXAMPLES "}", "t:2:13: only printable ASCII characters"},
    {"- {program: abcd, secrets: [{attached: true}], " EXAMPLES "}", "t:2:29: say where the secret stands"},
    {"- {program: abcd, secrets: [{option: -p, operand: 1}], " EXAMPLES "}", "t:2:29: say where the secret stands"},
    {"- {program: abcd, secrets: [{operand: 0}], " EXAMPLES "}", "t:2:39: the operand must be a number from 1 to 32"},
    {"- {program: abcd, secrets: [{operand: 1, attached: true}], " EXAMPLES "}", "t:2:29: 'operand' stands alone"},
    {"- {program: abcd, secrets: [{option: -p, attached: 1}], " EXAMPLES "}", "t:2:52: expected true or false"},
    {"- {program: abcd, secrets: [{option: -p, separator: '::'}], " EXAMPLES "}", "t:2:53: the separator must be a single"},
    {"- {program: abcd, secrets: [{option: -p}]}", "t:2:3: 'examples' must be a list of command lines"},
    {"- {program: abcd, secrets: [{option: -p}], examples: [abcd -p]}", "one at least with SECRET where"},
    {"- {program: abcd, secrets: [{option: -p}], " EXAMPLES "}\n- {program: ABCD, secrets: [{option: -p}], " EXAMPLES "}",
     "t:3:13: 'ABCD' stands in line 2 already"},
    {"  {}", "'programs' must be a list of at most"},
    {"- [", "t:"},
};

static void write_table(const char *path, const char *programs)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "programs:\n%s\nreaders: [passwd]\n", programs);
    fclose(file);
}

/* What make-programs says about a table, which lies in `folder`; returns its exit status. */
static int make(const char *folder, const char *programs, char *ret_message, size_t size)
{
    char table[256], output[256];
    int pipe_fds[2], status;
    snprintf(table, sizeof table, "%s/t.yaml", folder);
    snprintf(output, sizeof output, "%s/t.c", folder);
    write_table(table, programs);
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipe_fds[1], STDERR_FILENO);
        execl(MAKE_PROGRAMS, MAKE_PROGRAMS, table, "t", output, (char *)NULL);
        _exit(127);
    }
    close(pipe_fds[1]);
    FILE *said = fdopen(pipe_fds[0], "r");
    assert_non_null(said);
    ret_message[fread(ret_message, 1, size - 1, said)] = '\0';
    fclose(said);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_mistake_in_the_table_stops_the_build_and_is_named_with_its_place(void **state)
{
    (void)state;
    char folder[] = "/tmp/xenhealth-programs-XXXXXX", message[1024], path[256];
    assert_non_null(mkdtemp(folder));
    assert_int_equal(make(folder, "- {program: abcd, secrets: [{option: -p}], " EXAMPLES "}", message, sizeof message), 0);
    assert_string_equal(message, "");
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        int status = make(folder, mistakes[i].programs, message, sizeof message);
        if (status != 1 || !strstr(message, mistakes[i].error))
            fail_msg("%s\ngives %d '%s'\nand not '%s'", mistakes[i].programs, status, message, mistakes[i].error);
    }
    static const char *const files[] = {"t.yaml", "t.c"};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_of_the_table_loses_its_secret_and_nothing_else),
        cmocka_unit_test(what_goes_into_a_program_that_reads_a_password_is_one),
        cmocka_unit_test(a_program_named_twice_is_looked_at_twice),
        cmocka_unit_test(a_mistake_in_the_table_stops_the_build_and_is_named_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
