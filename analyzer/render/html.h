/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The parts of the web page. Each appends whole elements; html.c puts them in order.
 *
 * The page is one file without scripts, and its policy forbids everything but our one style
 * element, whose hash it names: even a hole in the escaping could not run or fetch anything. Hence
 * no style attributes.
 */
#pragma once

#include "analyzer/render/view.h"

/* Words (html_words.c): every text that is not ours goes through these. */
void html_text(struct strbuf *out, const char *text);
void html_texts(struct strbuf *out, const char *const *texts, size_t count); /* "a, b, c" */
void html_cut(struct strbuf *out, const char *text, size_t limit); /* says how much it left out */
/* The same, of which the `length` bytes at `start` matter: they are shown, in <b>. */
void html_around(struct strbuf *out, const char *text, size_t start, size_t length, size_t limit);
void html_abbreviate(struct strbuf *out, const char *text, size_t characters);
void html_prose(struct strbuf *out, const char *text); /* paragraphs and lists */
void html_time(struct strbuf *out, int64_t time);      /* a time element */
void html_period(struct strbuf *out, int64_t first, int64_t last);
void html_link(struct strbuf *out,
               const char *url); /* a link only when it is a plain https:// address */
void html_badge(struct strbuf *out, enum severity severity);

/* The class of a score's colour: "good", "fair", "poor" or "bad"; "none" when nothing was judged.
 */
const char *html_score_class(const struct view *view, int score);

/* A bar for a score, and one for the shares of the coverage. */
void html_score_bar(struct strbuf *out, const struct view *view, int score);

/* Whether html_timeline() will have something to show. */
bool html_has_timeline(const struct view *view);

/* Sections. Those without content append nothing. */
void html_summary(const struct view *view, struct strbuf *out);
void html_quality(const struct view *view, struct strbuf *out);
void html_findings(const struct view *view, struct strbuf *out);
void html_timeline(const struct view *view, struct strbuf *out);
void html_components(const struct view *view, struct strbuf *out);
void html_hosts(const struct view *view, struct strbuf *out);
void html_changes(const struct view *view, struct strbuf *out);
void html_unknown(const struct view *view, struct strbuf *out);
void html_suppressed(const struct view *view, struct strbuf *out);
