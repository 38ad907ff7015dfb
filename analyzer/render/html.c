/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * --format html: one file that can be mailed, opened from a disk and printed, without scripts and
 * without fetching anything. Its content security policy names the hash of the style sheet below,
 * which is computed here and not written down, so that it cannot become stale.
 */
#include "analyzer/render/html.h"

#include <openssl/evp.h>

#include "common/embed.h"
#include "common/escape.h"
#include "common/version.h"

#define HASH_BYTES 32
#define HASH_TEXT  (4 * ((HASH_BYTES + 2) / 3) + 1)

extern const struct embedded_file render_assets[];

/* Base64 of the style sheet's SHA-256, as the policy wants it. */
static int style_hash(const char *style, size_t length, char ret[HASH_TEXT], struct err *err)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(style, length, hash, &size, EVP_sha256(), NULL) != 1 || size != HASH_BYTES)
        return err_set(err, ERR_BUG, "the crypto library cannot compute SHA-256");
    EVP_EncodeBlock((unsigned char *)ret, hash, HASH_BYTES);
    return 0;
}

static void add_head(const struct view *view, const char *hash, const struct embedded_file *style,
                     struct strbuf *out)
{
    strbuf_addf(out,
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<meta name=\"color-scheme\" content=\"light dark\">\n"
                "<meta name=\"referrer\" content=\"no-referrer\">\n"
                "<meta name=\"generator\" content=\"xen-analyze %s\">\n<title>",
                hash, XENHEALTH_VERSION);
    strbuf_adds(out, "Health of ");
    if (view->host_count == 1)
        html_text(out, view->hosts[0].name);
    else
        strbuf_addf(out, "%zu hosts", view->host_count);
    strbuf_adds(out, "</title>\n<style>");
    strbuf_add(out, style->data, (size_t)(style->end - style->data));
    strbuf_adds(out, "</style>\n</head>\n");
}

static void add_navigation(const struct view *view, struct strbuf *out)
{
    strbuf_adds(out, "<nav aria-label=\"Sections\"><ul>");
    if (view->problem_count)
        strbuf_adds(out, "<li><a href=\"#quality\">Data quality</a></li>");
    strbuf_adds(out, "<li><a href=\"#findings\">Findings</a></li>");
    if (view->verdict->baseline)
        strbuf_adds(out, "<li><a href=\"#changes\">Changes</a></li>");
    if (html_has_timeline(view))
        strbuf_adds(out, "<li><a href=\"#timeline\">Timeline</a></li>");
    if (view->host_count)
        strbuf_adds(out, "<li><a href=\"#hosts\">Hosts</a></li>");
    if (view->unknown_count)
        strbuf_adds(out, "<li><a href=\"#unknown\">Not judged</a></li>");
    strbuf_adds(out, "</ul></nav>\n");
}

static void add_shell_word(struct strbuf *out, const char *word)
{
    CLEANUP(strbuf_release) struct strbuf quoted = STRBUF_INIT;
    escape_shell(&quoted, word);
    html_text(out, quoted.data);
    if (!strbuf_ok(&quoted))
        out->failed = true;
}

static void add_footer(const struct view *view, struct strbuf *out)
{
    const struct verdict *verdict = view->verdict;
    strbuf_addf(out, "<footer>\n<p>Made by xen-analyze %s", XENHEALTH_VERSION);
    for (size_t i = 0; i < verdict->pack_count; i++) {
        strbuf_adds(out, i ? ", " : " with the rules ");
        html_text(out, verdict->packs[i].name);
        strbuf_adds(out, " ");
        html_text(out, verdict->packs[i].version);
        strbuf_addf(out, " (%zu)", verdict->packs[i].rules);
    }
    strbuf_adds(out, ". Times are the hosts' own clocks.</p>\n<p>The same again:</p>\n"
                     "<pre>xen-analyze --format html --output report.html");
    if (view->min_severity > SEVERITY_INFO)
        strbuf_addf(out, " --min-severity %s", severity_name(view->min_severity));
    for (size_t i = 0; verdict->baseline && i < verdict->baseline->path_count; i++) {
        strbuf_adds(out, " --baseline ");
        add_shell_word(out, verdict->baseline->paths[i]);
    }
    for (size_t i = 0; i < view->source_count; i++) {
        strbuf_adds(out, " ");
        add_shell_word(out, view->sources[i]);
    }
    strbuf_adds(out, "</pre>\n</footer>\n");
}

int view_as_html(const struct view *view, struct strbuf *out, struct err *err)
{
    const struct embedded_file *style = &render_assets[0];
    char hash[HASH_TEXT];
    int r = style_hash(style->data, (size_t)(style->end - style->data), hash, err);
    if (r < 0)
        return r;
    add_head(view, hash, style, out);
    strbuf_adds(out, "<body>\n<a class=\"skip\" href=\"#findings\">Skip to the findings</a>\n");
    html_summary(view, out);
    add_navigation(view, out);
    strbuf_adds(out, "<main>\n");
    html_quality(view, out);
    html_findings(view, out);
    html_changes(view, out);
    html_timeline(view, out);
    html_hosts(view, out);
    html_components(view, out);
    html_unknown(view, out);
    html_suppressed(view, out);
    strbuf_adds(out, "</main>\n");
    add_footer(view, out);
    strbuf_adds(out, "</body>\n</html>\n");
    return strbuf_ok(out) ? 0 : err_nomem(err);
}
