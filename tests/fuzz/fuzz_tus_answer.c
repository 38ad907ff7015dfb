/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The head of a tus server's answer: an offset that is taken lies within the file, and an error
 * holds nothing that moves a cursor.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "upload/net/answer.h"
#include "upload/protocols/tus_answer.h"

#define LENGTH 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net_answer answer = {.body = STRBUF_INIT};
    struct answer_reader reader = {.answer = &answer};
    struct err errors[2] = {ERR_INIT, ERR_INIT};
    struct tus_offer offer;
    int64_t offset = 0;
    const char *next = (const char *)data, *end = next + size;
    while (next < end) {
        const char *line = memchr(next, '\n', (size_t)(end - next));
        const char *stop = line ? line + 1 : end;
        if (!answer_line(&reader, next, (size_t)(stop - next)))
            break;
        next = stop;
    }
    int r = tus_read_offset(&answer, LENGTH, &offset, &errors[0]);
    assert(r < 0 || (offset >= 0 && offset <= LENGTH));
    tus_read_offer(&answer, &offer, &errors[1]);
    for (int i = 0; i < 2; i++)
        for (const char *p = errors[i].text; *p; p++)
            assert((unsigned char)*p >= ' ' && *p != 0x7f);
    net_answer_release(&answer);
    return 0;
}
