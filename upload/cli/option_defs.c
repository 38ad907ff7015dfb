/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The table of options, in the order of --help.
 */
#include <stddef.h>

#include "common/units.h"
#include "upload/cli/options.h"

#define AT(member)  .offset = offsetof(struct options, member)
#define KEPT        (SCOPE_SETTING | SCOPE_JOB)
#define MAX_SECONDS (366 * 86400LL)
#define MAX_CASE    999999999   /* the Health Check protocol's */
#define MAX_CHUNK   (5LL << 30) /* the largest part of S3 */

static const char *const methods[] = {"PUT", "POST", NULL};
static const char *const progress_words[] = {"bar", "json", "none", NULL};
static const char *const formats[] = {"text", "json", NULL};
static const char *const digits[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", NULL};

const struct option_def option_defs[] = {
    {"token", "FILE", "the whole FILE is the token", OPTION_PATH, KEPT | SCOPE_SECRET, AT(token)},
    {"credentials", "FILE",
     "lines token=, username=, password=, access_key=, secret_key=, session_token=", OPTION_PATH,
     KEPT | SCOPE_SECRET, AT(credentials)},
    {"credential", "NAME", "such a file in $CREDENTIALS_DIRECTORY, or in --credentials-dir",
     OPTION_TEXT, KEPT | SCOPE_SECRET, AT(credential)},
    {"credentials-dir", "DIR", "where --credential looks", OPTION_PATH, SCOPE_SETTING,
     AT(credentials_dir)},
    {"origin", "ORIGIN", "give the credentials to this server only, as https://HOST[:PORT]",
     OPTION_TEXT, KEPT, AT(origin)},
    {"proxy", "URL", "http://HOST:PORT or socks5h://HOST:PORT; never from the environment",
     OPTION_TEXT, KEPT, AT(net.proxy)},
    {"proxy-credentials", "FILE", "username= and password= for the proxy", OPTION_PATH, KEPT,
     AT(net.proxy_credentials)},
    {"cacert", "FILE", "trust these certificates (PEM) instead of the system's", OPTION_PATH, KEPT,
     AT(net.cacert)},
    {"pin", "sha256//BASE64", "the server's public key, besides all other checks", OPTION_TEXT,
     KEPT, AT(net.pin)},
    {"cert", "FILE", "our certificate (PEM)", OPTION_PATH, KEPT, AT(net.cert)},
    {"key", "FILE", "its private key (PEM), mode 0600", OPTION_PATH, KEPT, AT(net.key)},
    {"known-hosts", "FILE", "host keys of SFTP servers", OPTION_PATH, KEPT, AT(net.known_hosts)},
    {"identity", "FILE", "private key for SFTP, mode 0600", OPTION_PATH, KEPT, AT(net.identity)},
    {"rate", "BYTES", "send at most so many bytes a second", OPTION_BYTES, KEPT, AT(net.rate),
     .least = 1},
    {"timeout", "DURATION", "give up a connection on which nothing moves for so long (default: 1m)",
     OPTION_SECONDS, KEPT, AT(net.patience_s), .least = 1, .most = 3600},
    {"allow-plain", NULL, "http:// to a server on this machine may be used", OPTION_FLAG, KEPT,
     AT(net.allow_plain)},
    {"chunk-size", "BYTES", "bytes of one request, where the protocol has chunks", OPTION_BYTES,
     KEPT, AT(transfer.chunk_bytes), .least = 1, .most = MAX_CHUNK},
    {"method", "METHOD", "PUT (default) or POST, for https://", OPTION_WORD, KEPT,
     AT(transfer.method), .words = methods},
    {"name", "NAME", "what the server shall call the file", OPTION_TEXT, KEPT, AT(transfer.name)},
    {"endpoint", "URL", "server for s3://, as https://HOST[:PORT]", OPTION_TEXT, KEPT,
     AT(transfer.s3_endpoint)},
    {"region", "NAME", "region of the bucket", OPTION_TEXT, KEPT, AT(transfer.s3_region)},
    {"verbosity", "N", "of a Health Check upload: 2 of a schedule, 9 of a person", OPTION_WORD,
     KEPT, AT(transfer.cis_verbosity), .words = digits},
    {"case", "N", "number of the support case, for a Health Check upload", OPTION_NUMBER, KEPT,
     AT(transfer.cis_case), .least = 1, .most = MAX_CASE},
    {"state", "DIR",
     "what is known of unfinished uploads (default: /var/lib/xenhealth/upload for root, else "
     "below $XDG_STATE_HOME)",
     OPTION_PATH, SCOPE_SETTING, AT(state)},
    {"give-up-after", "DURATION", "try for so long (default: 1h); 0: one attempt", OPTION_SECONDS,
     SCOPE_SETTING, AT(give_up_s), .least = 0, .most = MAX_SECONDS},
    {"retry-wait", "DURATION", "wait about so long before the second attempt (default: 1s)",
     OPTION_MILLISECONDS, SCOPE_SETTING, AT(retry_wait_ms), .least = 1, .most = 3600 * 1000},
    {"abandon", NULL, "tell the server that the rest will not come, and forget it", OPTION_FLAG, 0,
     AT(abandon)},
    {"progress", "[=HOW]", "bar, json or none (default: a bar on a terminal, else lines)",
     OPTION_WORD, SCOPE_SETTING, AT(progress), .words = progress_words, .may_stand_alone = true},
    {"dry-run", NULL, "say what would be sent where, and do nothing", OPTION_FLAG, 0, AT(dry_run)},
    {"receipt", "FILE", "write down there (JSON) what was sent", OPTION_PATH, 0, AT(receipt)},
    {"settings", "FILE", "options in YAML (default: /etc/xenhealth/upload.yaml if it exists)",
     OPTION_PATH, 0, AT(settings)},
    {"queue", "DIR", "send the files of this spool", OPTION_PATH, 0, AT(queue)},
    {"add", NULL, "put FILE into the spool instead, and print the job's id", OPTION_FLAG, 0,
     AT(add)},
    {"list", NULL, "show the spool instead", OPTION_FLAG, 0, AT(list)},
    {"format", "FORMAT", "of --list: text or json", OPTION_WORD, 0, AT(format), .words = formats},
    {"drop", NULL, "forget what waits in the spool: it is not sent", OPTION_FLAG, 0, AT(drop)},
    {"retry-denied", NULL, "jobs that were refused wait again: the credentials are new",
     OPTION_FLAG, 0, AT(retry_denied)},
    {"max-jobs", "N", "the spool keeps at most so many jobs", OPTION_NUMBER, SCOPE_SETTING,
     AT(limits.max_jobs), .least = 1},
    {"max-bytes", "BYTES", "and so many bytes", OPTION_BYTES, SCOPE_SETTING, AT(limits.max_bytes),
     .least = 1},
    {"max-age", "DURATION", "and for so long", OPTION_SECONDS, SCOPE_SETTING, AT(limits.max_age_s),
     .least = 1},
    {"drop-oldest", NULL, "a full spool drops what waits longest for what is added", OPTION_FLAG,
     SCOPE_SETTING, AT(limits.drop_oldest)},
    {"grant", "URL", "get tokens from a Health Check service", OPTION_TEXT, 0, AT(grant)},
    {"output", "FILE", "where the tokens go, as JSON of mode 0600", OPTION_PATH, 0, AT(output)},
    {"expires", "DURATION", "how long the tokens shall be good for (default: for ever)",
     OPTION_SECONDS, 0, AT(expires_s), .least = 60, .most = MAX_SECONDS},
    {"product-key", "KEY", "as whom we ask for them (default: as XenCenter)", OPTION_TEXT, 0,
     AT(product_key)},
    {"version", NULL, "print the version", OPTION_FLAG, 0, AT(version)},
    {"help", NULL, "this help", OPTION_FLAG, 0, AT(help)},
    {.name = NULL},
};

const struct option_def *option_find(const char *name)
{
    for (const struct option_def *def = option_defs; def->name; def++)
        if (strcmp(def->name, name) == 0)
            return def;
    return NULL;
}

static uint64_t bit(const struct option_def *def)
{
    return UINT64_C(1) << (def - option_defs);
}

bool option_given(const struct options *options, const struct option_def *def)
{
    return options->given & bit(def);
}

static int set_number(const struct option_def *def, const char *label, const char *text,
                      int64_t *slot, struct err *err)
{
    static const struct {
        bool (*read)(const char *text, int64_t *ret);
        const char *form;
    } forms[] = {
        [OPTION_BYTES] = {units_bytes, "a size such as 500K or 8M"},
        [OPTION_SECONDS] = {units_seconds, "a time such as 90s, 10m or 1h"},
        [OPTION_MILLISECONDS] = {units_milliseconds, "a time such as 500ms, 2s or 1m"},
        [OPTION_NUMBER] = {units_integer, "a number"},
    };
    int64_t value;
    if (!forms[def->kind].read(text, &value))
        return err_set(err, ERR_USAGE, "%s needs %s, not '%.60s'", label, forms[def->kind].form,
                       text);
    if (value < def->least || (def->most && value > def->most))
        return err_set(err, ERR_USAGE, "%s cannot be '%.60s': it is too %s", label, text,
                       value < def->least ? "small" : "large");
    *slot = value;
    return 0;
}

static int set_word(const struct option_def *def, const char *label, const char *text,
                    const char **slot, struct err *err)
{
    char known[100] = "";
    for (const char *const *word = def->words; *word; word++) {
        size_t used = strlen(known);
        if (strcmp(*word, text) == 0) {
            *slot = *word;
            return 0;
        }
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", *word);
    }
    return err_set(err, ERR_USAGE, "%s needs one of %s, not '%.60s'", label, known, text);
}

int option_set(struct options *options, const struct option_def *def, const char *label,
               const char *text, struct err *err)
{
    void *slot = (char *)options + def->offset;
    int r = 0;
    switch (def->kind) {
    case OPTION_FLAG:
        *(bool *)slot = strcmp(text, "true") == 0;
        if (!*(bool *)slot && strcmp(text, "false") != 0)
            r = err_set(err, ERR_USAGE, "%s needs true or false, not '%.60s'", label, text);
        break;
    case OPTION_TEXT:
    case OPTION_PATH:
        *(const char **)slot = text;
        if (!*text)
            r = err_set(err, ERR_USAGE, "%s needs a value that is not empty", label);
        break;
    case OPTION_WORD:
        r = set_word(def, label, text, slot, err);
        break;
    default:
        r = set_number(def, label, text, slot, err);
    }
    if (r == 0)
        options->given |= bit(def);
    return r;
}

void option_text(const struct options *options, const struct option_def *def, struct strbuf *out)
{
    const void *slot = (const char *)options + def->offset;
    switch (def->kind) {
    case OPTION_FLAG:
        strbuf_adds(out, *(const bool *)slot ? "true" : "false");
        break;
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_WORD:
        strbuf_adds(out, *(const char *const *)slot);
        break;
    default:
        strbuf_addf(out, "%lld", (long long)*(const int64_t *)slot);
        if (def->kind == OPTION_MILLISECONDS)
            strbuf_adds(out, "ms");
    }
}
