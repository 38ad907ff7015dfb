/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Everything here is read without starting a program: a report of a sick host must not hang in its
 * own head.
 */
#include "collector/run/host.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/utsname.h>

#include "common/io.h"

/* First line of a file below the root; false when there is none. */
static bool first_line(const char *root, const char *path, char *ret, size_t size)
{
    char full[PATH_MAX];
    struct strbuf text = STRBUF_INIT;
    snprintf(full, sizeof full, "%s%s", strcmp(root, "/") == 0 ? "" : root, path);
    bool there = io_read_file(AT_FDCWD, full, 64 * 1024, &text, NULL) == 0 && text.length > 0;
    if (there)
        snprintf(ret, size, "%.*s", (int)strcspn(text.data, "\n"), text.data);
    strbuf_release(&text);
    return there;
}

bool host_inventory_value(const char *root, const char *key, char *ret, size_t size)
{
    char full[PATH_MAX];
    struct strbuf text = STRBUF_INIT;
    snprintf(full, sizeof full, "%s/etc/xensource-inventory", strcmp(root, "/") == 0 ? "" : root);
    ret[0] = '\0';
    bool found = false;
    char *save = NULL;
    if (io_read_file(AT_FDCWD, full, 1024 * 1024, &text, NULL) == 0 && text.length)
        for (char *line = strtok_r(text.data, "\n", &save); line;
             line = strtok_r(NULL, "\n", &save)) {
            size_t length = strlen(key);
            if (strncmp(line, key, length) != 0 || line[length] != '=')
                continue;
            found = true;
            const char *value = line + length + 1;
            value += *value == '\'' || *value == '"';
            snprintf(ret, size, "%.*s", (int)strcspn(value, "'\""), value);
        }
    strbuf_release(&text);
    return found;
}

static void describe_product(const char *root, struct host *ret)
{
    char brand[60], version[60];
    host_inventory_value(root, "PRODUCT_BRAND", brand, sizeof brand);
    host_inventory_value(root, "PRODUCT_VERSION", version, sizeof version);
    snprintf(ret->product, sizeof ret->product, "%s%s%s", brand, brand[0] && version[0] ? " " : "",
             version);
}

/* In the words of `uptime`, without the number of users. */
static void describe_uptime(int64_t now, struct host *ret)
{
    char load[128] = "", seconds_text[64] = "0";
    struct tm local;
    time_t clock = (time_t)now;
    first_line("/", "/proc/uptime", seconds_text, sizeof seconds_text);
    first_line("/", "/proc/loadavg", load, sizeof load);
    double one = 0, five = 0, fifteen = 0;
    if (sscanf(load, "%lf %lf %lf", &one, &five, &fifteen) != 3)
        one = five = fifteen = 0;
    long minutes = strtol(seconds_text, NULL, 10) / 60;
    localtime_r(&clock, &local);
    char days[40] = "";
    if (minutes >= 24 * 60)
        snprintf(days, sizeof days, "%ld day%s, ", minutes / (24 * 60),
                 minutes >= 2 * 24 * 60 ? "s" : "");
    snprintf(ret->uptime, sizeof ret->uptime,
             " %02d:%02d:%02d up %s%2ld:%02ld,  load average: %.2f, %.2f, %.2f", local.tm_hour,
             local.tm_min, local.tm_sec, days, minutes / 60 % 24, minutes % 60, one, five, fifteen);
}

static void describe_live(int64_t now, struct host *ret)
{
    struct utsname machine;
    if (uname(&machine) == 0) {
        snprintf(ret->name, sizeof ret->name, "%s", machine.nodename);
        snprintf(ret->uname, sizeof ret->uname, "%s %s %s %s %s ", machine.sysname,
                 machine.nodename, machine.release, machine.version, machine.machine);
    }
    describe_uptime(now, ret);
    const char *user = getenv("SUDO_USER");
    user = user ? user : getenv("USER");
    snprintf(ret->user, sizeof ret->user, "%s", user ? user : "");
}

static void describe_recorded(const char *root, struct host *ret)
{
    char date[64] = "";
    struct tm parts = {0};
    if (!first_line(root, "/.commands/hostname", ret->name, sizeof ret->name))
        first_line(root, "/etc/hostname", ret->name, sizeof ret->name);
    first_line(root, "/.commands/uname", ret->uname, sizeof ret->uname);
    first_line(root, "/.commands/uptime", ret->uptime, sizeof ret->uptime);
    if (first_line(root, "/.commands/date", date, sizeof date) &&
        strptime(date, "%Y-%m-%dT%H:%M:%S", &parts))
        ret->taken = timegm(&parts);
}

void host_describe(const char *root, int64_t now, struct host *ret)
{
    *ret = (struct host){.taken = now >= 0 ? now : time(NULL),
                         .utc = now >= 0 || strcmp(root, "/") != 0};
    if (strcmp(root, "/") == 0)
        describe_live(ret->taken, ret);
    else
        describe_recorded(root, ret);
    describe_product(root, ret);
}
