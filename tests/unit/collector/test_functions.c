/* SPDX-License-Identifier: LGPL-2.1-only */
#include "collector/sources/xapi_functions.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "collector/sources/devices.h"
#include "collector/sources/read_child.h"
#include "common/io.h"

static char root[] = "/tmp/test-functions-XXXXXX";

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_folder(const char *path, char *ret, size_t size)
{
    snprintf(ret, size, "%s%s", root, path);
    for (char *slash = strchr(ret + sizeof root, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(ret, 0755);
        *slash = '/';
    }
    mkdir(ret, 0755);
}

/* Runs a function with its output in a file; returns its exit status. */
static int run(int (*function)(void *, int, const char *const *), const char *argument,
               struct strbuf *out)
{
    struct function_context context = {.root = root};
    const char *const argv[] = {"function", argument, NULL};
    char path[] = "/tmp/test-functions-out-XXXXXX";
    int file = mkstemp(path), saved = dup(STDOUT_FILENO);
    assert_true(file >= 0 && saved >= 0);
    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    int status = function(&context, argument ? 2 : 1, argv);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    assert_int_equal(io_read_all(file, 1024 * 1024, out, path, NULL), 0);
    close(file);
    unlink(path);
    return status;
}

/* A XAPI that gives one answer, in two pieces, and keeps the question. */
struct fake {
    int listener;
    const char *first, *second;
    char asked[512];
};

static void *serve(void *context)
{
    struct fake *fake = context;
    int fd = accept(fake->listener, NULL, NULL);
    ssize_t length = read(fd, fake->asked, sizeof fake->asked - 1);
    fake->asked[length < 0 ? 0 : length] = '\0';
    if (write(fd, fake->first, strlen(fake->first)) < 0 ||
        write(fd, fake->second, strlen(fake->second)) < 0)
        fake->asked[0] = '\0';
    close(fd);
    return NULL;
}

static int ask(struct fake *fake, const char *path, struct strbuf *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[200];
    pthread_t thread;
    make_folder("/var/lib/xcp", folder, sizeof folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/xapi", folder);
    unlink(address.sun_path);
    fake->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fake->listener, 1), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve, fake), 0);
    int status = run(run_xapi_get, path, out);
    pthread_join(thread, NULL);
    close(fake->listener);
    unlink(address.sun_path);
    return status;
}

static void the_body_of_xapis_answer_is_the_output(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    struct fake fake = {.first = "HTTP/1.1 200 OK\r\nConnection: close\r\n",
                        .second = "\r\n<rrd>\r\n\r\n</rrd>"};
    assert_int_equal(ask(&fake, "/vm_rrd?uuid=1-2", &out), 0);
    assert_string_equal(out.data, "<rrd>\r\n\r\n</rrd>");
    assert_non_null(strstr(fake.asked, "GET /vm_rrd?uuid=1-2 HTTP/1.0\r\n"));
    strbuf_release(&out);
}

static void an_error_of_xapi_is_an_error_and_no_output(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    struct fake refuses = {.first = "HTTP/1.1 403 Forbidden\r\n\r\n", .second = "no"};
    assert_int_equal(ask(&refuses, "/host_rrd", &out), 1);
    struct fake hangs_up = {.first = "HTTP/1.1 200 OK\r\n", .second = ""};
    assert_int_equal(ask(&hangs_up, "/host_rrd", &out), 1);
    assert_int_equal(out.length, 0);
    strbuf_release(&out);
}

static void a_xapi_that_is_not_there_is_missing_and_odd_paths_are_refused(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    assert_int_equal(run(run_xapi_get, "/host_rrd", &out), READ_CHILD_MISSING);
    assert_int_equal(run(run_xapi_get, "/a\r\nCookie: x", &out), 2);
    assert_int_equal(run(run_xapi_get, "host_rrd", &out), 2);
    assert_int_equal(run(run_xapi_get, NULL, &out), 2);
    strbuf_release(&out);
}

static void without_xapi_there_are_no_subprocesses(void **state)
{
    (void)state;
    struct strbuf out = STRBUF_INIT;
    assert_int_equal(run(run_xapi_subprocesses, NULL, &out), 0);
    assert_string_equal(out.data, "{}\n");
    strbuf_release(&out);
}

static void add_name(void *context, const char *name)
{
    strbuf_addf(context, "%s ", name);
}

static void ports_have_classic_or_predictable_names_and_are_no_vlans(void **state)
{
    (void)state;
    char path[300];
    struct strbuf names = STRBUF_INIT;
    const char *const all[] = {"eth0",     "eth10", "eth0.5", "eno1",
                               "enp3s0f1", "lo",    "vif1.0", "br0"};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        char folder[300];
        snprintf(path, sizeof path, "/sys/class/net/%s", all[i]);
        make_folder(path, folder, sizeof folder);
    }
    device_list(root, "port", add_name, &names);
    assert_string_equal(names.data, "eno1 enp3s0f1 eth0 eth10 ");
    strbuf_release(&names);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* the service that is played here may speak to nobody any more */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_of_xapis_answer_is_the_output),
        cmocka_unit_test(an_error_of_xapi_is_an_error_and_no_output),
        cmocka_unit_test(a_xapi_that_is_not_there_is_missing_and_odd_paths_are_refused),
        cmocka_unit_test(without_xapi_there_are_no_subprocesses),
        cmocka_unit_test(ports_have_classic_or_predictable_names_and_are_no_vlans),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
