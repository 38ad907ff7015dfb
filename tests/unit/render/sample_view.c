/* SPDX-License-Identifier: LGPL-2.1-only */
#include "sample_view.h"

#define DAY  86400
#define NOON ((int64_t)1762084800) /* 2025-11-02 12:00:00 */

#define MAX_HOSTS    4
#define MAX_EVIDENCE 4

/* Findings in the form that is easiest to write down. */
struct plain_evidence {
    const char *host, *path;
    int64_t line, ago; /* seconds before NOON; 0: no time */
    const char *text;
};

struct plain_finding {
    const char *rule, *title, *component;
    enum severity severity;
    enum confidence confidence;
    const char *hosts[MAX_HOSTS];
    int64_t count, first_ago, last_ago;
    const char *explanation, *advice, *link, *suppressed;
    int explained_by, cost;
    struct plain_evidence evidence[MAX_EVIDENCE];
};

static const struct plain_finding plain_findings[] = {
    {"storage-sr-path-lost",
     "Storage repository iSCSI-SAN-01 lost all paths to its LUN",
     "storage",
     SEVERITY_CRITICAL,
     CONFIDENCE_HIGH,
     {"xcp-fra-01", "xcp-fra-02"},
     412,
     7 * 3600,
     1800,
     "All paths to the LUN 3600a098038304437415d4b6a59676d51 failed at the same time on several "
     "hosts, so the "
     "fault is in the array or the switch, not in a host. While no path is left, virtual machines "
     "on this "
     "storage repository wait for their disks.",
     "Repair the way to the storage first; the other findings about this storage repository follow "
     "from it.\n"
     "\n"
     "1. Look at the array's event log at the time given here.\n"
     "2. Check the switch ports that both hosts share.\n"
     "3. On each host run\n"
     "   multipath -ll\n"
     "   and expect every path to be active again.\n"
     "\n"
     "Then check the file systems of the virtual machines that were running.",
     "https://docs.xcp-ng.org/storage/multipathing/",
     NULL,
     -1,
     21,
     {{"xcp-fra-01", "var/log/kern.log", 18234, 7 * 3600,
       "Nov  2 05:00:00 xcp-fra-01 kernel: [1093822.412938] device-mapper: multipath: Failing path "
       "8:48."},
      {"xcp-fra-01", "var/log/daemon.log", 90211, 6 * 3600 + 3590,
       "Nov  2 05:00:10 xcp-fra-01 multipathd: 3600a098038304437415d4b6a59676d51: remaining active "
       "paths: 0"},
      {"xcp-fra-02", "var/log/kern.log.1", 771, 1800,
       "Nov  2 11:30:00 xcp-fra-02 kernel: [884120.000131] sd 2:0:0:1: [sdd] tag#12 FAILED Result: "
       "hostbyte=DID_TRANSPORT_DISRUPTED driverbyte=DRIVER_OK cmd_age=30s "
       "cdb="
       "2a00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
       "0"}}},
    {"dom0-oom-kill",
     "Control domain ran out of memory and killed xapi",
     "memory",
     SEVERITY_CRITICAL,
     CONFIDENCE_HIGH,
     {"xcp-fra-03"},
     3,
     2 * DAY,
     DAY,
     "The control domain has 4.0 GiB of memory for 61 virtual machines.",
     "- Give the control domain more memory: 8 GiB is right for this number of machines.\n"
     "- Restart the toolstack when no task is running.",
     NULL,
     NULL,
     -1,
     21,
     {{"xcp-fra-03", "var/log/kern.log", 552, 2 * DAY,
       "Nov  1 12:00:00 xcp-fra-03 kernel: Out of memory: Kill process 1419 (xapi) score 5 or "
       "sacrifice child"},
      {"xcp-fra-03", "var/log/kern.log", 1204, DAY,
       "Nov  1 12:00:00 xcp-fra-03 kernel: Killed process 1419 (xapi) total-vm:812340kB"}}},
    {"sm-vdi-io-error",
     "Virtual disks of iSCSI-SAN-01 got input/output errors",
     "storage",
     SEVERITY_ERROR,
     CONFIDENCE_HIGH,
     {"xcp-fra-01", "xcp-fra-02"},
     96,
     6 * 3600,
     1700,
     "tapdisk could not read or write; the virtual machine sees a broken disk.",
     "Repair the storage, then restart the virtual machines named here.",
     NULL,
     NULL,
     0,
     0,
     {{"xcp-fra-01", "var/log/SMlog", 4411, 6 * 3600,
       "tapdisk[18222]: ERROR: errno -5 at __tapdisk_vbd_complete_td_request: req 0x7f21"}}},
    {"ha-statefile-lost",
     "High availability lost its state file",
     "ha",
     SEVERITY_ERROR,
     CONFIDENCE_MEDIUM,
     {"xcp-fra-02"},
     2,
     6 * 3600,
     5 * 3600,
     "The state file lies on the storage repository that failed.",
     "Nothing of its own; it comes back with the storage.",
     NULL,
     NULL,
     0,
     0,
     {{"xcp-fra-02", "var/log/xha.log", 310, 6 * 3600,
       "Nov 02 06:00:00 BST 2025 [info] statefile: lost access, waiting for self fencing"}}},
    {"root-fs-full",
     "Root file system is 97 % full",
     "storage",
     SEVERITY_ERROR,
     CONFIDENCE_HIGH,
     {"xcp-fra-03"},
     1,
     0,
     0,
     "Below 5 % free space the toolstack cannot write its database.",
     "Look for what grew:\n\n    du -xsh /var/log/* | sort -h | tail\n\nand remove old logs.",
     "https://docs.xcp-ng.org/troubleshooting/",
     NULL,
     -1,
     10,
     {{"xcp-fra-03", "df-alT.out", 4, 0, "/dev/sda1 ext3 18455844 17902168 553676 97% /"}}},
    {"bond-member-down",
     "Bond bond0 runs on one leg: eth1 is down",
     "network",
     SEVERITY_WARNING,
     CONFIDENCE_HIGH,
     {"xcp-fra-01"},
     1,
     0,
     0,
     "One more failure and the network is gone.",
     "Check cable and switch port of eth1.",
     NULL,
     NULL,
     -1,
     3,
     {{"xcp-fra-01", "ovs-appctl-bond%show-bond0.out", 14, 0, "slave eth1: disabled"}}},
    {"pool-bios-differs",
     "Hosts of the pool run different BIOS versions",
     "firmware",
     SEVERITY_WARNING,
     CONFIDENCE_MEDIUM,
     {"xcp-fra-01", "xcp-fra-02", "xcp-fra-03"},
     3,
     0,
     0,
     "Migration between them can fail or hide features.",
     "Bring all hosts to the newest version.",
     NULL,
     NULL,
     -1,
     3,
     {{"xcp-fra-01", "dmidecode.out", 12, 0, "Version: 2.19.1"},
      {"xcp-fra-03", "dmidecode.out", 12, 0, "Version: 2.10.2"}}},
    {"clock-offset",
     "Clock is 4.2 s away from its reference",
     "time",
     SEVERITY_WARNING,
     CONFIDENCE_HIGH,
     {"xcp-fra-03"},
     1,
     0,
     0,
     "Tokens and high availability depend on the clock.",
     "Check chrony's sources.",
     NULL,
     NULL,
     -1,
     3,
     {{"xcp-fra-03", "chronyc-tracking.out", 5, 0,
       "System time : 4.203331 seconds slow of NTP time"}}},
    {"smart-prefail",
     "Disk /dev/sdb reports 24 reallocated sectors",
     "hardware",
     SEVERITY_WARNING,
     CONFIDENCE_LOW,
     {"xcp-fra-02"},
     1,
     0,
     0,
     "The disk still works but is wearing out.",
     "Plan its replacement.",
     NULL,
     NULL,
     -1,
     3,
     {{"xcp-fra-02", "smartctl-H-i-A-sdb.out", 31, 0,
       "  5 Reallocated_Sector_Ct   0x0033   098   098   010    Pre-fail  Always       -       "
       "24"}}},
    {"xapi-db-slow",
     "Toolstack waited for its database for more than 10 s",
     "xapi",
     SEVERITY_WARNING,
     CONFIDENCE_MEDIUM,
     {"xcp-fra-03"},
     18,
     3 * DAY,
     3600,
     "Follows from a full or slow disk.",
     "See the root file system.",
     NULL,
     NULL,
     4,
     0,
     {{"xcp-fra-03", "var/log/xensource.log.2", 118, 3 * DAY,
       "xapi: [ warn|xcp-fra-03|12 |dbsync|db_cache] flush took 11.2s"}}},
    {"nic-driver-old",
     "Driver i40e 2.9.21 is older than its firmware",
     "network",
     SEVERITY_WARNING,
     CONFIDENCE_LOW,
     {"xcp-fra-01", "xcp-fra-02"},
     2,
     0,
     0,
     "",
     "Update the driver pack.",
     NULL,
     NULL,
     -1,
     3,
     {{"xcp-fra-01", "ethtool-i-eth0.out", 2, 0, "version: 2.9.21"}}},
    {"multipath-policy",
     "Multipath policy is failover",
     "storage",
     SEVERITY_WARNING,
     CONFIDENCE_MEDIUM,
     {"xcp-fra-01"},
     1,
     0,
     0,
     "Chosen on purpose here.",
     "",
     NULL,
     "array vendor asks for it",
     -1,
     0,
     {{"xcp-fra-01", "etc/multipath.conf", 8, 0, "path_grouping_policy failover"}}},
    {"updates-pending",
     "14 updates are available",
     "updates",
     SEVERITY_INFO,
     CONFIDENCE_HIGH,
     {"xcp-fra-01", "xcp-fra-02", "xcp-fra-03"},
     14,
     0,
     0,
     "None of them is about security.",
     "Install them in the next maintenance window.",
     NULL,
     NULL,
     -1,
     0,
     {{"xcp-fra-01", "yum-check-update.out", 3, 0, "xapi-core.x86_64 25.6.0-1 xcp-ng-updates"}}},
    {"secure-login-root",
     "Direct root logins over SSH",
     "security",
     SEVERITY_INFO,
     CONFIDENCE_HIGH,
     {"xcp-fra-01"},
     7,
     5 * DAY,
     2 * 3600,
     "Logins by name are easier to follow.",
     "",
     NULL,
     NULL,
     -1,
     0,
     {{"xcp-fra-01", "var/log/secure", 77, 2 * 3600,
       "Nov  2 10:00:00 xcp-fra-01 sshd[2211]: Accepted publickey for root from 192.0.2.17 port "
       "51122"}}},
};

static const struct view_host plain_hosts[] = {
    {"xcp-fra-01", "fra-pool-2025-11-02.zip", "XCP-ng", "8.3.0", "4.17.5-6", "4.19.0+1",
     "Dell Inc. PowerEdge R640", "2.19.1, 06/04/2024",
     "64 x Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz", "384.0 GiB, control domain 8.0 GiB", "master",
     NOON, true, 412, 88123456, 58},
    {"xcp-fra-02", "fra-pool-2025-11-02.zip", "XCP-ng", "8.3.0", "4.17.5-6", "4.19.0+1",
     "Dell Inc. PowerEdge R640", "2.19.1, 06/04/2024",
     "64 x Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz", "384.0 GiB, control domain 8.0 GiB", "slave",
     NOON + 14, true, 398, 71300211, 66},
    {"xcp-fra-03", "fra-pool-2025-11-02.zip", "XCP-ng", "8.2.1", "4.13.5-9", "4.19.0+1",
     "Dell Inc. PowerEdge R640", "2.10.2, 02/24/2021",
     "64 x Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz", "384.0 GiB, control domain 4.0 GiB", "slave",
     NOON - 30, false, 377, 64100999, 42},
};

static const struct view_problem plain_problems[] = {
    {.kind = "truncated",
     .host = 1,
     .subject = "xcp-fra-02",
     .source = "fra-pool-2025-11-02.zip",
     .path = "var/log/xensource.log",
     .text = "the archive ends in the middle of this file; what stood behind it is lost"},
    {.kind = "timeout",
     .host = 2,
     .subject = "xcp-fra-03",
     .source = "fra-pool-2025-11-02.zip",
     .path = "vgs.out",
     .text = "the command did not end within 60 s: storage may hang"},
    {.kind = "missing-host",
     .host = 0,
     .subject = "fra-pool-2025-11-02.zip",
     .source = "fra-pool-2025-11-02.zip",
     .path = "",
     .text = "the bundle lists host xcp-fra-04, but holds no report of it"},
};

static const struct unknown_rule plain_unknown[] = {
    {"lvm-vg-missing", "no vgs.out on any host: the command timed out", "vgs.out", NULL},
    {"lvm-vg-full", "no vgs.out on any host: the command timed out", "vgs.out", NULL},
    {"nvme-wear", "no nvme-smart-log-*.out: capability firmware was not collected",
     "nvme-smart-log-{device}.out", NULL},
    {"nvme-critical-warning", "no nvme-smart-log-*.out: capability firmware was not collected",
     "nvme-smart-log-{device}.out", NULL},
    {"nvme-firmware-old", "no nvme-smart-log-*.out: capability firmware was not collected",
     "nvme-smart-log-{device}.out", NULL},
    {"ovs-flow-table-full", "no ovs-dpctl-show.out", "ovs-dpctl-show.out", "xcp-fra-02"},
};

static struct score plain_components[] = {{"storage", 48}, {"memory", 50},   {"ha", 100},
                                          {"network", 85}, {"firmware", 92}, {"time", 92},
                                          {"hardware", 92}};

/* Rules that found nothing. */
static const struct judged_rule plain_rules[] = {
    {.rule = "kernel-panic",
     .title = "The kernel stopped: {reason}",
     .component = "kernel",
     .severity = SEVERITY_CRITICAL,
     .outcome = OUTCOME_PASS},
    {.rule = "gpu-xid",
     .title = "The GPU reported Xid {xid}",
     .component = "gpu",
     .severity = SEVERITY_ERROR,
     .outcome = OUTCOME_NOT_APPLICABLE},
};

static const struct past_finding plain_past[] = {
    {.rule = "nic-link-flaps",
     .title = "Link of eth3 went down 12 times",
     .severity = SEVERITY_WARNING},
    {.rule = "lvm-vg-full",
     .title = "Volume group of the SR local is 96 % full",
     .severity = SEVERITY_ERROR,
     .lost = "no vgs.out in the report"},
};

static const struct difference plain_differences[] = {
    {"xcp-fra-01", "packages", "kernel", "4.19.19-8.0.37", "4.19.19-8.0.38"},
    {"xcp-fra-02", "firmware", "eth0", NULL, "22.5.7"},
    {"xcp-fra-03", "configuration", "log_destination", "192.0.2.9", NULL},
};

/* The text with the payload behind it; what is not there stays so. */
static const char *tainted(struct view *view, const char *text, const char *payload)
{
    if (!text || !*text)
        return text;
    const char *both = arena_printf(view->arena, "%s%s", text, payload);
    return both ? both : "";
}

static int64_t moment(int64_t ago)
{
    return ago ? NOON - ago : TIME_UNKNOWN;
}

static void fill_finding(struct view *view, struct finding *to, const struct plain_finding *from,
                         const char *payload)
{
    const char **hosts = arena_array(view->arena, MAX_HOSTS + 1, sizeof *hosts);
    const char **links = arena_array(view->arena, 2, sizeof *links);
    struct evidence *evidence = arena_array(view->arena, MAX_EVIDENCE, sizeof *evidence);
    struct finding_value *values = arena_array(view->arena, 1, sizeof *values);
    if (!hosts || !links || !evidence || !values)
        return;
    *to = (struct finding){
        .rule = tainted(view, from->rule, payload),
        .title = tainted(view, from->title, payload),
        .severity = from->severity,
        .component = from->component,
        .confidence = from->confidence,
        .hosts = hosts,
        .count = from->count,
        .first_seen = moment(from->first_ago),
        .last_seen = moment(from->last_ago),
        .explanation = tainted(view, from->explanation, payload),
        .advice = tainted(view, from->advice, payload),
        .links = links,
        .values = values,
        .value_count = 1,
        .evidence = evidence,
        .suppressed = tainted(view, from->suppressed, payload),
        .suppressed_owner = from->suppressed ? tainted(view, "J. Doe", payload) : NULL,
        .suppressed_until = from->suppressed ? tainted(view, "2026-06-30", payload) : NULL,
        .explained_by = from->explained_by,
        .cost = from->cost,
    };
    while (to->host_count < MAX_HOSTS && from->hosts[to->host_count]) {
        hosts[to->host_count] = tainted(view, from->hosts[to->host_count], payload);
        to->host_count++;
    }
    links[0] = tainted(view, from->link ? from->link : "", payload);
    if (!*links[0])
        links[0] = NULL;
    values[0] =
        (struct finding_value){tainted(view, "device", payload), tainted(view, "sdb", payload)};
    for (; to->evidence_count < MAX_EVIDENCE && from->evidence[to->evidence_count].path;
         to->evidence_count++) {
        const struct plain_evidence *plain = &from->evidence[to->evidence_count];
        evidence[to->evidence_count] = (struct evidence){
            .host = tainted(view, plain->host, payload),
            .path = tainted(view, plain->path, payload),
            .line = plain->line,
            .time = moment(plain->ago),
            .text = tainted(view, plain->text, payload),
            .before = "",
            .after = "",
        };
        struct evidence *filled = &evidence[to->evidence_count];
        filled->match = 4;
        filled->match_length = strlen(filled->text) - filled->match;
    }
}

static void fill_hosts(struct view *view, const char *payload)
{
    view->host_count = ARRAY_SIZE(plain_hosts);
    view->hosts = arena_array(view->arena, view->host_count, sizeof *view->hosts);
    for (size_t i = 0; i < view->host_count; i++) {
        struct view_host *host = &view->hosts[i];
        *host = plain_hosts[i];
        const char **texts[] = {&host->name, &host->source, &host->product, &host->version,
                                &host->xen,  &host->kernel, &host->machine, &host->bios,
                                &host->cpu,  &host->memory, &host->role};
        for (size_t j = 0; j < ARRAY_SIZE(texts); j++)
            *texts[j] = tainted(view, *texts[j], payload);
    }
    view->source_count = 1;
    view->sources = arena_array(view->arena, 1, sizeof *view->sources);
    view->sources[0] = view->hosts[0].source;
    view->problem_count = ARRAY_SIZE(plain_problems);
    view->problems = arena_array(view->arena, view->problem_count, sizeof *view->problems);
    for (size_t i = 0; i < view->problem_count; i++) {
        view->problems[i] = plain_problems[i];
        view->problems[i].subject = tainted(view, plain_problems[i].subject, payload);
        view->problems[i].source = tainted(view, plain_problems[i].source, payload);
        view->problems[i].path = tainted(view, plain_problems[i].path, payload);
        view->problems[i].text = tainted(view, plain_problems[i].text, payload);
    }
}

static void fill_verdict(struct view *view, struct verdict *verdict, const char *payload)
{
    verdict->finding_count = ARRAY_SIZE(plain_findings);
    verdict->findings = arena_array(view->arena, verdict->finding_count, sizeof *verdict->findings);
    for (size_t i = 0; i < verdict->finding_count; i++)
        fill_finding(view, &verdict->findings[i], &plain_findings[i], payload);
    verdict->unknown_count = ARRAY_SIZE(plain_unknown);
    verdict->unknown = arena_array(view->arena, verdict->unknown_count, sizeof *verdict->unknown);
    for (size_t i = 0; i < verdict->unknown_count; i++)
        verdict->unknown[i] = (struct unknown_rule){tainted(view, plain_unknown[i].rule, payload),
                                                    tainted(view, plain_unknown[i].reason, payload),
                                                    plain_unknown[i].path,
                                                    tainted(view, plain_unknown[i].host, payload)};
    verdict->host_score_count = view->host_count;
    verdict->host_scores = arena_array(view->arena, view->host_count, sizeof *verdict->host_scores);
    for (size_t i = 0; i < view->host_count; i++)
        verdict->host_scores[i] = (struct score){view->hosts[i].name, view->hosts[i].score};
    verdict->component_scores = plain_components;
    verdict->component_score_count = ARRAY_SIZE(plain_components);
    verdict->coverage = (struct coverage){60, 46, 14, 32, 6, 8};
    verdict->score = 21;
    verdict->packs = arena_array(view->arena, 1, sizeof *verdict->packs);
    verdict->packs[0] =
        (struct rule_pack){tainted(view, "core", payload), tainted(view, "0.1.0", payload), 60};
    verdict->pack_count = 1;
}

/* What became of the rules that the findings and the unknown rules name, and of two more. */
static void fill_rules(struct view *view, struct verdict *verdict, const char *payload)
{
    size_t passed = ARRAY_SIZE(plain_rules);
    static const char *const none[] = {NULL};
    verdict->rules =
        arena_array(view->arena, verdict->finding_count + verdict->unknown_count + passed,
                    sizeof *verdict->rules);
    for (size_t i = 0; i < verdict->finding_count; i++) {
        const struct finding *finding = &verdict->findings[i];
        verdict->rules[verdict->rule_count++] =
            (struct judged_rule){finding->rule,      finding->title,
                                 finding->component, finding->severity,
                                 CONFIDENCE_HIGH,    finding->explanation,
                                 finding->advice,    finding->links,
                                 OUTCOME_FAIL,       ""};
    }
    for (size_t i = 0; i < verdict->unknown_count; i++)
        verdict->rules[verdict->rule_count++] = (struct judged_rule){verdict->unknown[i].rule,
                                                                     "A rule that has no data",
                                                                     "hardware",
                                                                     SEVERITY_WARNING,
                                                                     CONFIDENCE_MEDIUM,
                                                                     "",
                                                                     "",
                                                                     none,
                                                                     OUTCOME_UNKNOWN,
                                                                     verdict->unknown[i].reason};
    for (size_t i = 0; i < passed; i++) {
        struct judged_rule *rule = &verdict->rules[verdict->rule_count++];
        *rule = plain_rules[i];
        rule->rule = tainted(view, rule->rule, payload);
        rule->title = tainted(view, rule->title, payload);
        rule->explanation = rule->advice = rule->reason = "";
        rule->links = none;
    }
}

static void fill_baseline(struct view *view, struct verdict *verdict, const char *payload)
{
    struct baseline *baseline = arena_array(view->arena, 1, sizeof *baseline);
    const char **paths = arena_array(view->arena, 3, sizeof *paths);
    paths[0] = tainted(view, "fra-pool-2025-10-01.zip", payload);
    paths[1] = tainted(view, "muc-2025-10-01.zip", payload);
    *baseline = (struct baseline){
        .paths = paths,
        .path_count = 2,
        .taken = NOON - 32 * DAY,
        .past = arena_array(view->arena, ARRAY_SIZE(plain_past), sizeof *baseline->past),
        .past_count = ARRAY_SIZE(plain_past),
        .differences =
            arena_array(view->arena, ARRAY_SIZE(plain_differences), sizeof *baseline->differences),
        .difference_count = ARRAY_SIZE(plain_differences),
        .differences_dropped = 7,
    };
    for (size_t i = 0; i < baseline->past_count; i++) {
        struct past_finding *past = &baseline->past[i];
        *past = plain_past[i];
        past->rule = tainted(view, past->rule, payload);
        past->title = tainted(view, past->title, payload);
        past->lost = tainted(view, past->lost, payload);
        past->hosts = verdict->findings[0].hosts;
    }
    for (size_t i = 0; i < baseline->difference_count; i++) {
        struct difference *difference = &baseline->differences[i];
        *difference = plain_differences[i];
        const char **texts[] = {&difference->host, &difference->area, &difference->object,
                                &difference->before, &difference->now};
        for (size_t j = 0; j < ARRAY_SIZE(texts); j++)
            *texts[j] = tainted(view, *texts[j], payload);
    }
    verdict->baseline = baseline;
    for (size_t i = 0; i < verdict->finding_count; i++)
        verdict->findings[i].change = i % 3 ? CHANGE_STILL : CHANGE_NEW;
}

static void fill_notes(struct view *view, struct verdict *verdict, const char *payload)
{
    verdict->notes = arena_array(view->arena, 1, sizeof *verdict->notes);
    verdict->notes[0] =
        (struct note){tainted(view, "excused.yaml:3:5", payload),
                      tainted(view, "this suppression ended on 2025-09-30", payload)};
    verdict->note_count = 1;
}

static struct view *new_view(struct verdict **ret_verdict)
{
    struct view *view;
    struct verdict *verdict = calloc(1, sizeof *verdict);
    if (!verdict || view_new(verdict, &view, NULL) < 0) {
        free(verdict);
        return NULL;
    }
    *ret_verdict = verdict;
    return view;
}

struct view *sample_new(const char *payload, enum severity min_severity)
{
    struct verdict *verdict;
    struct view *view = new_view(&verdict);
    if (!view)
        return NULL;
    view->min_severity = min_severity;
    view->width = 100;
    fill_hosts(view, payload);
    fill_verdict(view, verdict, payload);
    sample_add_overview(view, verdict, payload);
    fill_rules(view, verdict, payload);
    fill_baseline(view, verdict, payload);
    fill_notes(view, verdict, payload);
    if (view_arrange(view, NULL) < 0 || view_weigh(view, NULL) < 0) {
        sample_free(view);
        return NULL;
    }
    return view;
}

struct view *sample_new_clean(size_t evaluated)
{
    struct verdict *verdict;
    struct view *view = new_view(&verdict);
    if (!view)
        return NULL;
    view->width = 100;
    fill_hosts(view, "");
    view->problem_count = 0;
    for (size_t i = 0; i < view->host_count; i++)
        view->hosts[i].score = 100;
    verdict->coverage = (struct coverage){60, evaluated, 0, evaluated, 60 - evaluated, 0};
    verdict->score = 100;
    sample_add_overview(view, verdict, "");
    verdict->timeline = NULL;
    if (view_arrange(view, NULL) < 0 || view_weigh(view, NULL) < 0) {
        sample_free(view);
        return NULL;
    }
    return view;
}

void sample_free(struct view *view)
{
    if (!view)
        return;
    free((struct verdict *)view->verdict);
    view_free(view);
}
