/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * XAPI's family tree: {pid: {'children': {...}, 'cmdline': '...', 'fds': {n: link}}}, one key a
 * line, so that Python's literal_eval() and people can read it.
 *
 * /proc is a moving target: a process that goes away while it is looked at has no files.
 */
#include "collector/sources/xapi_functions.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>

#include "common/io.h"
#include "common/vec.h"

#define XAPI_PROGRAM  "/opt/xensource/bin/xapi"
#define MAX_PROCESSES 32768
#define MAX_FILES     4096 /* shown of one process; xapi leaks them by the hundred when it is ill */
#define MAX_DEPTH     16

struct process {
    int pid, parent;
};

typedef VEC(struct process) process_list;

static int read_parent(DIR *proc, const char *pid)
{
    char path[32], bytes[512];
    snprintf(path, sizeof path, "%s/stat", pid);
    CLEANUP_FD int fd = openat(dirfd(proc), path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, bytes, sizeof bytes - 1);
    bytes[length < 0 ? 0 : length] = '\0';
    const char *end = strrchr(bytes, ')'); /* names may hold anything, parentheses too */
    int parent;
    return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

static int by_pid(const void *left, const void *right)
{
    const struct process *a = left, *b = right;
    return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static void list_processes(DIR *proc, process_list *list)
{
    struct dirent *entry;
    while ((entry = readdir(proc)) && list->count < MAX_PROCESSES) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        struct process *process = vec_push(list);
        if (!process)
            return;
        process->pid = (int)strtol(entry->d_name, NULL, 10);
        process->parent = read_parent(proc, entry->d_name);
    }
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, by_pid);
}

static void read_command_line(DIR *proc, int pid, char *ret, size_t size)
{
    char path[32];
    snprintf(path, sizeof path, "%d/cmdline", pid);
    CLEANUP_FD int fd = openat(dirfd(proc), path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, ret, size - 1);
    length = length < 0 ? 0 : length;
    for (ssize_t i = 0; i < length; i++)
        if (ret[i] == '\0')
            ret[i] = ' ';
    while (length > 0 && ret[length - 1] == ' ')
        length--;
    ret[length] = '\0';
}

static void print_quoted(const char *text)
{
    putchar('\'');
    for (; *text; text++)
        if (isprint((unsigned char)*text) && *text != '\'' && *text != '\\')
            putchar(*text);
        else
            printf("\\x%02x", (unsigned char)*text);
    putchar('\'');
}

static void print_files(DIR *proc, int pid, int indent)
{
    char folder[32];
    snprintf(folder, sizeof folder, "%d/fd", pid);
    int fd = openat(dirfd(proc), folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_DIR DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !stream)
        close(fd);
    struct dirent *entry;
    printf("%*s'fds': {", indent, "");
    for (int i = 0; stream && i < MAX_FILES && (entry = readdir(stream));) {
        char target[PATH_MAX];
        ssize_t length = readlinkat(dirfd(stream), entry->d_name, target, sizeof target - 1);
        if (length < 0)
            continue;
        target[length] = '\0';
        printf("%s\n%*s'%s': ", i++ ? "," : "", indent + 4, "", entry->d_name);
        print_quoted(target);
    }
    putchar('}');
}

static void print_process(DIR *proc, const process_list *list, int pid, int depth);

static void print_children(DIR *proc, const process_list *list, int parent, int depth)
{
    const char *separator = "";
    for (size_t i = 0; depth < MAX_DEPTH && i < list->count; i++)
        if (list->items[i].parent == parent) {
            printf("%s\n", separator);
            print_process(proc, list, list->items[i].pid, depth);
            separator = ",";
        }
}

static void print_process(DIR *proc, const process_list *list, int pid, int depth)
{
    char line[4096];
    int indent = 8 * depth;
    read_command_line(proc, pid, line, sizeof line);
    printf("%*s'%d': {\n%*s'children': {", indent + 4, "", pid, indent + 8, "");
    print_children(proc, list, pid, depth + 1);
    printf("},\n%*s'cmdline': ", indent + 8, "");
    print_quoted(line);
    printf(",\n");
    print_files(proc, pid, indent + 8);
    putchar('}');
}

int run_xapi_subprocesses(void *context, int argc, const char *const *argv)
{
    (void)context;
    (void)argc;
    (void)argv;
    CLEANUP_DIR DIR *proc = opendir("/proc");
    process_list list = {0};
    if (proc)
        list_processes(proc, &list);
    const char *separator = "";
    putchar('{');
    for (size_t i = 0; i < list.count; i++) {
        char line[sizeof XAPI_PROGRAM];
        if (list.items[i].parent != 1)
            continue;
        read_command_line(proc, list.items[i].pid, line, sizeof line);
        if (strcmp(line, XAPI_PROGRAM) != 0)
            continue;
        printf("%s\n", separator);
        print_process(proc, &list, list.items[i].pid, 0);
        separator = ",";
    }
    puts("}");
    vec_free(&list);
    return fflush(stdout) == 0 ? 0 : 1;
}
