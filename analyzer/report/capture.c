/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Captures of what a report says about itself.
 *
 * These files come from the report and are as little to be trusted as the rest: each has a size
 * limit and a strict parser, and what cannot be read is a problem of the host, never an error of
 * the run.
 */
#include "analyzer/report/capture.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/report/clock.h"
#include "analyzer/report/inventory.h"
#include "analyzer/report/manifest.h"
#include "common/strbuf.h"

#define LOG_BYTES_MAX       (16u << 20)
#define LIST_BYTES_MAX      (1u << 20)
#define NAME_MAX_BYTES      255
#define TEXT_MAX_BYTES      1024
#define CAPABILITIES_MAX    512  /* the collector knows about fifty, plugins add some */
#define EXPECTED_HOSTS_MAX  1024 /* as many as hosts we read */
#define PROMISES_MAX        100000 /* a pool of 64 hosts has 60000 files; a hundred bytes each */
#define ABSENT_PATTERNS_MAX 4096 /* each is tried for each question */

struct capture {
    const struct capture_kind *kind;
    struct report_set *set;
    struct host_state *host; /* NULL: the file belongs to the bundle */
    struct inventory_parser *inventory;
    struct err failed;
    struct strbuf bytes;
};

struct capture_kind {
    const char *path; /* below the host's root */
    size_t maximum;   /* bytes kept; 0: they are parsed as they come */
    void (*finish)(struct capture *capture, bool is_complete);
};

/* --- inventory.xml */

static void on_summary(void *context, const char *hostname, const char *date, const char *uptime)
{
    struct capture *capture = context;
    struct host_state *host = capture->host;
    const char *text = set_text(capture->set, uptime, TEXT_MAX_BYTES);
    if (hostname[0] != '\0')
        host->inventory_name = set_text(capture->set, hostname, NAME_MAX_BYTES);
    host->inventory_taken = clock_from_date(date);
    if (text)
        host->report.uptime = text;
}

/* Remembers that the report had the file when it was made. XenCenter changes names that Windows does not like. */
static void add_promise(struct capture *capture, const char *path)
{
    struct report_set *set = capture->set;
    unsigned host = capture->host->report.index;
    if (path[0] == '\0' || strpbrk(path, "<>:\"|?*") || set->promises.count >= PROMISES_MAX ||
        !key_set_add(&set->promised, host, path))
        return;
    const char *text = set_text(set, path, NAME_MAX_BYTES);
    struct promise *slot = text ? vec_push(&set->promises) : NULL;
    if (slot)
        *slot = (struct promise){host, text};
}

static void add_capability(struct capture *capture, const char *capability)
{
    struct host_state *host = capture->host;
    size_t count = host->capabilities.count;
    /* Entries come grouped, so the last capability is the likeliest. */
    for (size_t i = count; i-- > 0;)
        if (strcmp(host->capabilities.items[i], capability) == 0)
            return;
    if (count == CAPABILITIES_MAX)
        return;
    const char *text = set_text(capture->set, capability, NAME_MAX_BYTES);
    const char **slot = text ? vec_push(&host->capabilities) : NULL;
    if (slot)
        *slot = text;
}

/* `filename` begins with the report's top folder, whatever that is called now. */
static void on_inventory_entry(void *context, const char *capability, const char *filename)
{
    const char *slash = strchr(filename, '/');
    add_capability(context, capability);
    add_promise(context, slash ? slash + 1 : filename);
}

static void finish_inventory(struct capture *capture, bool is_complete)
{
    struct host_state *host = capture->host;
    int rc = capture->failed.code;
    if (rc == ERR_OK && is_complete)
        rc = inventory_parser_finish(capture->inventory, &capture->failed);
    if (rc == ERR_OK && is_complete) {
        host->report.has_inventory = true;
        return;
    }
    host->inventory_damaged = true;
    if (is_complete) /* otherwise the reader has told already */
        set_problem(capture->set, PROBLEM_DAMAGED, (int)host->report.index, "inventory.xml",
                    "the collector's inventory cannot be read: %s", capture->failed.text);
}

/* --- manifest.json */

static void on_run(void *context, const char *name, const char *started)
{
    struct capture *capture = context;
    if (name[0] != '\0')
        capture->host->manifest_name = set_text(capture->set, name, NAME_MAX_BYTES);
    capture->host->manifest_taken = clock_from_iso(started);
}

/*
 * Who looked for the file of one disk had found the disk: not to get it is no proof that there is none. Where the
 * collector found no disk, its name is still a {placeholder}.
 */
static void add_sought(struct capture *capture, const char *name)
{
    struct report_set *set = capture->set;
    if (strchr(name, '{'))
        return;
    for (size_t i = 0; i < set->taught.count; i++) {
        const struct path_pattern *pattern = &set->taught.items[i].pattern;
        if (pattern->captures > 0 && path_pattern_match(pattern, name, NULL))
            key_set_add(&set->sought, capture->host->report.index, pattern->text);
    }
}

static void add_absent(struct capture *capture, const char *name)
{
    struct report_set *set = capture->set;
    unsigned host = capture->host->report.index;
    add_sought(capture, name);
    if (!strpbrk(name, "*?")) {
        key_set_add(&set->absent, host, name);
        return;
    }
    if (strchr(name, '{') || set->absent_patterns.count >= ABSENT_PATTERNS_MAX)
        return;
    struct path_pattern pattern;
    if (path_pattern_compile(set->arena, name, &pattern, NULL) < 0)
        return;
    struct absent_pattern *slot = vec_push(&set->absent_patterns);
    if (slot)
        *slot = (struct absent_pattern){host, pattern};
}

static void on_manifest_entry(void *context, const char *capability, const char *name,
                              const char *status, const char *reason)
{
    static const struct {
        const char *status;
        enum problem_kind kind;
        const char *text;
    } outcomes[] = {
        {"timeout", PROBLEM_TIMEOUT, "the collector stopped it: it did not end in time"},
        {"stuck", PROBLEM_TIMEOUT, "the collector gave it up: it could not be stopped or read"},
        {"omitted", PROBLEM_OMITTED, "the collector left it out"},
        {"truncated", PROBLEM_OMITTED, "the collector kept only a part of it"},
        {"denied", PROBLEM_OMITTED, "the collector was not allowed to read it"},
        {"failed", PROBLEM_OMITTED, "the collector could not take it"},
    };
    struct capture *capture = context;
    add_capability(capture, capability);
    if (strcmp(status, "missing") == 0) {
        add_absent(capture, name);
        return;
    }
    if (strcmp(status, "ok") == 0 || strcmp(status, "empty") == 0)
        add_promise(capture, name);
    if (strcmp(status, "empty") == 0)
        key_set_add(&capture->set->empty, capture->host->report.index, name);
    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
        if (strcmp(status, outcomes[i].status) == 0)
            set_problem_once(capture->set, outcomes[i].kind, (int)capture->host->report.index, name,
                             "%s%s%.300s", outcomes[i].text, reason[0] ? ": " : "", reason);
}

static void finish_manifest(struct capture *capture, bool is_complete)
{
    const struct manifest_listener listener = {on_run, on_manifest_entry, capture};
    if (!is_complete)
        return;
    if (!strbuf_ok(&capture->bytes))
        err_set(&capture->failed, ERR_LIMIT, "it is larger than any manifest should be");
    else
        manifest_parse(capture->bytes.data, capture->bytes.length, &listener, &capture->failed);
    if (capture->failed.code != ERR_OK)
        set_problem(capture->set, PROBLEM_DAMAGED, (int)capture->host->report.index,
                    "manifest.json", "the collector's manifest cannot be read: %s",
                    capture->failed.text);
}

/* --- Files of lines */

/* Cuts the next line out of *text, without its end; NULL after the last. */
static char *next_line(char **text)
{
    char *line = *text;
    if (*line == '\0')
        return NULL;
    size_t length = strcspn(line, "\r\n");
    *text = line + length;
    *text += strspn(*text, "\r\n");
    line[length] = '\0';
    return line;
}

/* "Omitting /var/log/xensource.log.14.gz, size constraint of xenserver-logs exceeded" */
static void finish_log(struct capture *capture, bool is_complete)
{
    static const char prefix[] = "Omitting ", middle[] = ", size constraint of ";
    (void)is_complete;
    char *text = capture->bytes.data;
    for (char *line; (line = next_line(&text));) {
        char *end = strstr(line, middle);
        if (strncmp(line, prefix, sizeof prefix - 1) != 0 || !end)
            continue;
        *end = '\0';
        char *path = line + sizeof prefix - 1;
        char *capability = end + sizeof middle - 1;
        capability[strcspn(capability, " ")] = '\0';
        set_problem_once(capture->set, PROBLEM_OMITTED, (int)capture->host->report.index,
                         path + strspn(path, "/"),
                         "the collector left it out: the size limit of %.100s was reached",
                         capability);
    }
}

/* "Server 'NAME' is a master of pool 'POOL'", "... is a stand alone server" (XenCenter) */
static void finish_bundle_list(struct capture *capture, bool is_complete)
{
    static const char prefix[] = "Server '", suffix[] = "' is a ";
    struct report_set *set = capture->set;
    (void)is_complete;
    char *text = capture->bytes.data;
    for (char *line; (line = next_line(&text));) {
        line += strncmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* Windows likes a byte order mark */
        char *end = strstr(line, suffix);
        if (strncmp(line, prefix, sizeof prefix - 1) != 0 || !end ||
            end == line + sizeof prefix - 1)
            continue;
        *end = '\0';
        const char *name = set_text(set, line + sizeof prefix - 1, NAME_MAX_BYTES);
        struct expected_host *slot =
            name && set->expected.count < EXPECTED_HOSTS_MAX ? vec_push(&set->expected) : NULL;
        if (slot)
            *slot = (struct expected_host){(unsigned)set->sources.count - 1, name};
    }
}

static const struct capture_kind kinds[] = {
    {.path = "inventory.xml", .finish = finish_inventory},
    {.path = "manifest.json", .maximum = MANIFEST_BYTES_MAX, .finish = finish_manifest},
    {.path = "xen-bugtool.log", .maximum = LOG_BYTES_MAX, .finish = finish_log},
};

static const struct capture_kind bundle_list = {.maximum = LIST_BYTES_MAX,
                                                .finish = finish_bundle_list};

static struct capture *begin(struct report_set *set, struct host_state *host,
                             const struct capture_kind *kind)
{
    struct capture *capture = calloc(1, sizeof *capture);
    if (!capture)
        return NULL;
    *capture = (struct capture){
        .kind = kind, .set = set, .host = host, .bytes = STRBUF_INIT_MAX(kind->maximum)};
    const struct inventory_listener listener = {on_summary, on_inventory_entry, capture};
    if (kind->maximum == 0 && inventory_parser_new(&listener, &capture->inventory, NULL) < 0) {
        free(capture);
        return NULL;
    }
    return capture;
}

struct capture *capture_begin(struct report_set *set, struct host_state *host, const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strcmp(path, kinds[i].path) == 0) {
            host->has_own_files = host->is_solid = true;
            return begin(set, host, &kinds[i]);
        }
    }
    return NULL;
}

struct capture *capture_begin_bundle_list(struct report_set *set)
{
    return begin(set, NULL, &bundle_list);
}

void capture_data(struct capture *capture, const char *bytes, size_t length)
{
    if (!capture->inventory)
        strbuf_add(&capture->bytes, bytes, length);
    else if (capture->failed.code == ERR_OK)
        inventory_parser_feed(capture->inventory, bytes, length, &capture->failed);
}

void capture_end(struct capture *capture, bool is_complete)
{
    if (capture)
        capture->kind->finish(capture, is_complete);
    capture_discard(capture);
}

void capture_discard(struct capture *capture)
{
    if (!capture)
        return;
    inventory_parser_free(capture->inventory);
    strbuf_release(&capture->bytes);
    free(capture);
}
