/* SPDX-License-Identifier: LGPL-2.1-only */
#include "analyzer/verdict/excerpt.h"

#define MARK_LENGTH (sizeof EXCERPT_MARK - 1)

/* Of the room, for what follows the match: numbers and causes often stand there. */
#define TAIL_SHARE 4

struct excerpt excerpt_around(size_t total, size_t start, size_t length, size_t room)
{
    if (total <= room)
        return (struct excerpt){0, total};
    if (room <= 2 * MARK_LENGTH)
        return (struct excerpt){0, room};
    size_t end = start + length < total ? start + length : total;
    size_t tail = total - end < room / TAIL_SHARE ? total - end : room / TAIL_SHARE;
    if (!length || end + tail + MARK_LENGTH <= room)
        return (struct excerpt){0, room - MARK_LENGTH};
    size_t inner = room - MARK_LENGTH, to = end + tail;
    if (to < total)
        inner -= MARK_LENGTH;
    if (to - start <= inner)
        return (struct excerpt){to - inner, to};
    /* Match and tail together are too long: the match counts, from its beginning on. */
    inner = room - 2 * MARK_LENGTH;
    if (start + inner + MARK_LENGTH >= total)
        return (struct excerpt){total - (room - MARK_LENGTH), total};
    return start > MARK_LENGTH ? (struct excerpt){start, start + inner}
                               : (struct excerpt){0, room - MARK_LENGTH};
}

static size_t character_start(const char *text, size_t place)
{
    while (place > 0 && ((unsigned char)text[place] & 0xc0) == 0x80)
        place--;
    return place;
}

struct excerpt excerpt_of(const char *text, size_t total, size_t start, size_t length, size_t room)
{
    struct excerpt excerpt = excerpt_around(total, start, length, room);
    while (excerpt.from > 0 && excerpt.from < excerpt.to &&
           ((unsigned char)text[excerpt.from] & 0xc0) == 0x80)
        excerpt.from++;
    if (excerpt.to < total)
        excerpt.to = character_start(text, excerpt.to);
    if (excerpt.to < excerpt.from)
        excerpt.to = excerpt.from;
    return excerpt;
}

void excerpt_add(struct strbuf *out, const char *text, size_t total, const struct excerpt *excerpt)
{
    strbuf_adds(out, excerpt->from > 0 ? EXCERPT_MARK : "");
    strbuf_add(out, text + excerpt->from, excerpt->to - excerpt->from);
    strbuf_adds(out, excerpt->to < total ? EXCERPT_MARK : "");
}
