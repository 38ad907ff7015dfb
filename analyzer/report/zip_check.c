/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Checks of a zip file's central directory against its local headers (format: PKWARE's
 * APPNOTE.TXT 6.3).
 *
 * All members' ranges (local header, name, extra field, data) are sorted by their start; if one
 * begins before the one in front of it ends, the archive is refused. The work is one read of the
 * list and one small read a member, both limited, so it takes well under a second for the largest
 * archive we accept.
 */
#include "analyzer/report/zip_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/strbuf.h"

#define LIST_BYTES_MAX   (64LL << 20) /* 200000 members with long names; reports stay far below */
#define END_SEARCH       16384        /* how far from the end libarchive looks for the end record */
#define CONTRADICTED_MAX 1000         /* beyond it the archive as a whole is not to be trusted */

#define END_SIZE       22
#define END64_SIZE     56
#define LOCATOR64_SIZE 20
#define CENTRAL_SIZE   46
#define LOCAL_SIZE     30
#define FOLLOWER_MAX   24 /* what may stand behind a member's data: its sum and sizes again */

#define FLAG_SIZES_FOLLOW                                                                          \
    0x0008 /* sizes are zero in the local header, they stand behind the data */

struct zip_entry {
    int64_t offset, end; /* of the local header and the data, in the file */
    int64_t packed, unpacked;
    const unsigned char *name; /* in the list */
    unsigned name_length, method, flags;
    const unsigned char *record; /* in the list */
};

struct checker {
    int fd;
    int64_t size;
    const struct report_limits *limits;
    struct zip_check *result;
    int64_t list_start;
    uint64_t declared_entries;
    unsigned char *list;
    int64_t list_length;
    struct zip_entry *entries;
    size_t count;
};

static unsigned get16(const unsigned char *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static uint32_t get32(const unsigned char *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const unsigned char *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool read_at(const struct checker *checker, int64_t offset, void *buffer, size_t length)
{
    size_t done = 0;
    if (offset < 0 || offset > checker->size)
        return false;
    while (done < length) {
        ssize_t n = pread(checker->fd, (char *)buffer + done, length - done, offset + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool stop(struct checker *checker, enum zip_state state, const char *text)
{
    checker->result->state = state;
    snprintf(checker->result->text, sizeof checker->result->text, "%s", text);
    return false;
}

/* Position of the end record, or -1. */
static int64_t find_end(const struct checker *checker, unsigned char end[END_SIZE])
{
    unsigned char tail[END_SEARCH];
    int64_t length = checker->size < END_SEARCH ? checker->size : END_SEARCH;
    int64_t start = checker->size - length;
    if (length < END_SIZE || !read_at(checker, start, tail, (size_t)length))
        return -1;
    for (int64_t i = length - END_SIZE; i >= 0; i--) {
        if (memcmp(tail + i, "PK\5\6", 4) == 0) {
            memcpy(end, tail + i, END_SIZE);
            return start + i;
        }
    }
    return -1;
}

static bool find_list(struct checker *checker)
{
    unsigned char end[END_SIZE], locator[LOCATOR64_SIZE], end64[END64_SIZE];
    int64_t end_at = find_end(checker, end);
    if (end_at < 0)
        return stop(checker, ZIP_NO_LIST, "its list of files is missing");

    int64_t behind = checker->size - end_at - END_SIZE - get16(end + 20);
    checker->result->suffix = behind > 0 ? behind : 0;
    uint64_t entries = get16(end + 10), length = get32(end + 12), offset = get32(end + 16);
    if (read_at(checker, end_at - LOCATOR64_SIZE, locator, sizeof locator) &&
        memcmp(locator, "PK\6\7", 4) == 0) {
        uint64_t end64_at = get64(locator + 8);
        if (end64_at > (uint64_t)end_at ||
            !read_at(checker, (int64_t)end64_at, end64, sizeof end64) ||
            memcmp(end64, "PK\6\6", 4) != 0)
            return stop(checker, ZIP_NO_LIST, "its list of files is damaged");
        entries = get64(end64 + 32);
        length = get64(end64 + 40);
        offset = get64(end64 + 48);
        end_at = (int64_t)end64_at;
    }
    if (entries > (uint64_t)checker->limits->entries)
        return stop(checker, ZIP_REFUSED, "it has more entries than the limit for a run");
    if (length > (uint64_t)LIST_BYTES_MAX)
        return stop(checker, ZIP_REFUSED, "its list of files is larger than 64 MiB");
    if (length > (uint64_t)end_at || offset > (uint64_t)end_at - length)
        return stop(checker, ZIP_NO_LIST, "its list of files is damaged");

    checker->declared_entries = entries;
    checker->list_length = (int64_t)length;
    checker->list_start = end_at - (int64_t)length;
    checker->result->prefix = checker->list_start - (int64_t)offset;

    /* A zip in front of a zip: what was found is the list of a member that is a zip file itself. */
    unsigned char first[4];
    if (checker->result->prefix > 0 && read_at(checker, 0, first, sizeof first) &&
        memcmp(first, "PK\3\4", 4) == 0)
        return stop(checker, ZIP_NO_LIST, "its list of files is missing");
    return true;
}

/* The 64-bit values of an extra field, for those of the three that do not fit 32 bits. */
static void apply_zip64(const unsigned char *extra, unsigned length, uint64_t *unpacked,
                        uint64_t *packed, uint64_t *offset)
{
    while (length >= 4) {
        unsigned id = get16(extra), size = get16(extra + 2);
        extra += 4;
        length -= 4;
        if (size > length)
            return;
        if (id == 1) {
            uint64_t *const values[] = {unpacked, packed, offset};
            const unsigned char *p = extra;
            for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                if (!values[i] || *values[i] != 0xffffffff)
                    continue;
                if (extra + size - p < 8)
                    return;
                *values[i] = get64(p);
                p += 8;
            }
            return;
        }
        extra += size;
        length -= size;
    }
}

static bool contradict(struct checker *checker, const void *name, size_t length)
{
    struct zip_check *result = checker->result;
    if (result->contradicted_count == CONTRADICTED_MAX)
        return stop(checker, ZIP_REFUSED,
                    "its list of files and its contents contradict each other in many places");
    char *copy = strndup(name, length);
    if (copy)
        result->contradicted[result->contradicted_count++] = copy;
    return true;
}

static bool parse_list(struct checker *checker)
{
    const unsigned char *p = checker->list, *end = p + checker->list_length;
    while (end - p >= CENTRAL_SIZE && memcmp(p, "PK\1\2", 4) == 0) {
        unsigned name_length = get16(p + 28), extra_length = get16(p + 30);
        size_t length = CENTRAL_SIZE + name_length + extra_length + get16(p + 32);
        if ((size_t)(end - p) < length || checker->count == checker->declared_entries)
            return stop(checker, ZIP_NO_LIST, "its list of files is damaged");
        uint64_t packed = get32(p + 20), unpacked = get32(p + 24), offset = get32(p + 42);
        apply_zip64(p + CENTRAL_SIZE + name_length, extra_length, &unpacked, &packed, &offset);
        uint64_t start = offset + (uint64_t)checker->result->prefix;
        if (offset > (uint64_t)checker->list_start || start > (uint64_t)checker->list_start ||
            packed > (uint64_t)checker->list_start - start)
            return stop(checker, ZIP_NO_LIST, "its list of files points outside of it");
        checker->entries[checker->count++] = (struct zip_entry){
            .offset = (int64_t)start,
            .packed = (int64_t)packed,
            .unpacked = (int64_t)unpacked,
            .name = p + CENTRAL_SIZE,
            .name_length = name_length,
            .method = get16(p + 10),
            .flags = get16(p + 8),
            .record = p,
        };
        p += length;
    }
    if (p != end || checker->count != checker->declared_entries)
        return stop(checker, ZIP_NO_LIST, "its list of files is damaged");
    return true;
}

/* Compares one member's two descriptions and finds out where it ends. */
static bool check_entry(struct checker *checker, struct zip_entry *entry)
{
    unsigned char header[LOCAL_SIZE];
    if (!read_at(checker, entry->offset, header, sizeof header) || memcmp(header, "PK\3\4", 4) != 0)
        return stop(checker, ZIP_NO_LIST,
                    "its list of files points to places where no file begins");

    unsigned name_length = get16(header + 26), extra_length = get16(header + 28);
    entry->end = entry->offset + LOCAL_SIZE + name_length + extra_length + entry->packed;

    unsigned char text[65536 + 65536]; /* two 16-bit lengths */
    if (!read_at(checker, entry->offset + LOCAL_SIZE, text, name_length + extra_length))
        return stop(checker, ZIP_NO_LIST, "it ends inside a file");
    unsigned flags = get16(header + 6);
    uint64_t packed = get32(header + 18), unpacked = get32(header + 22);
    apply_zip64(text + name_length, extra_length, &unpacked, &packed, NULL);
    bool has_sizes = !((flags | entry->flags) & FLAG_SIZES_FOLLOW);

    if (get16(header + 8) == entry->method && ((flags ^ entry->flags) & 1) == 0 &&
        name_length == entry->name_length && memcmp(text, entry->name, name_length) == 0 &&
        !memchr(text, '\0', name_length) &&
        (!has_sizes ||
         (packed == (uint64_t)entry->packed && unpacked == (uint64_t)entry->unpacked)))
        return true;
    return contradict(checker, entry->name, entry->name_length) &&
           contradict(checker, text, name_length);
}

/* Space up to `start` that belongs to no listed member: somebody may have hidden one there. */
static void note_gap(struct checker *checker, int64_t end_before, int64_t start)
{
    if (start - end_before > FOLLOWER_MAX)
        checker->result->unlisted += start - end_before;
}

static int by_offset(const void *a, const void *b)
{
    const struct zip_entry *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check(struct checker *checker)
{
    if (!read_at(checker, checker->list_start, checker->list, (size_t)checker->list_length)) {
        stop(checker, ZIP_NO_LIST, "its list of files cannot be read");
        return;
    }
    if (!parse_list(checker))
        return;
    qsort(checker->entries, checker->count, sizeof *checker->entries, by_offset);
    int64_t end_before = checker->result->prefix;
    for (size_t i = 0; i < checker->count; i++) {
        struct zip_entry *entry = &checker->entries[i];
        if (i > 0 && entry->offset < end_before) {
            stop(checker, ZIP_REFUSED, "its entries overlap each other, as in archive bombs");
            return;
        }
        if (!check_entry(checker, entry))
            return;
        note_gap(checker, end_before, entry->offset);
        end_before = entry->end;
    }
    if (checker->count > 0 && end_before > checker->list_start)
        stop(checker, ZIP_REFUSED, "its entries overlap its list of files");
    note_gap(checker, end_before, checker->list_start);
}

/* --- The members of a good archive */

#define METHOD_STORED    0
#define METHOD_DEFLATED  8
#define SYSTEM_UNIX      3
#define EXTRA_TIMES      0x5455
#define DOS_IS_DIRECTORY 0x10

/* The date of MS-DOS is a wall clock, read as if it were UTC. */
static int64_t dos_time(const unsigned char *record)
{
    unsigned time = get16(record + 12), date = get16(record + 14);
    struct tm tm = {.tm_year = (int)(date >> 9) + 80,
                    .tm_mon = (int)(date >> 5 & 15) - 1,
                    .tm_mday = (int)(date & 31),
                    .tm_hour = (int)(time >> 11),
                    .tm_min = (int)(time >> 5 & 63),
                    .tm_sec = (int)(time & 31) * 2};
    return tm.tm_mon < 0 || tm.tm_mday == 0 ? 0 : (int64_t)timegm(&tm);
}

static int64_t modified_of(const unsigned char *record)
{
    const unsigned char *extra = record + CENTRAL_SIZE + get16(record + 28);
    unsigned length = get16(record + 30);
    while (length >= 4) {
        unsigned id = get16(extra), size = get16(extra + 2);
        if (size > length - 4)
            break;
        if (id == EXTRA_TIMES && size >= 5 && extra[4] & 1)
            return (int32_t)get32(extra + 5);
        extra += 4 + size;
        length -= 4 + size;
    }
    return dos_time(record);
}

static bool is_regular(const struct zip_entry *entry)
{
    const unsigned char *record = entry->record;
    uint32_t attributes = get32(record + 38);
    if (entry->name_length == 0 || entry->name[entry->name_length - 1] == '/')
        return false;
    if (get16(record + 4) >> 8 == SYSTEM_UNIX && (attributes >> 16 & S_IFMT) != 0)
        return S_ISREG(attributes >> 16);
    return !(attributes & DOS_IS_DIRECTORY);
}

static bool list_members(const struct checker *checker, struct zip_check *ret)
{
    size_t names = 0;
    for (size_t i = 0; i < checker->count; i++)
        names += checker->entries[i].name_length + 1;
    ret->members = calloc(1, (checker->count + 1) * sizeof *ret->members + names);
    if (!ret->members)
        return false;
    char *place = (char *)(ret->members + checker->count + 1);
    ret->is_plain = true;
    for (size_t i = 0; i < checker->count; i++) {
        const struct zip_entry *entry = &checker->entries[i];
        ret->members[i] = (struct zip_member){
            .name = memcpy(place, entry->name, entry->name_length),
            .data = entry->end - entry->packed,
            .packed = entry->packed,
            .unpacked = entry->unpacked,
            .modified = modified_of(entry->record),
            .crc = get32(entry->record + 16),
            .method = entry->method,
            .is_encrypted = entry->flags & 1,
            .is_regular = is_regular(entry),
        };
        ret->is_plain = ret->is_plain && (entry->method == METHOD_STORED ||
                                          entry->method == METHOD_DEFLATED || !is_regular(entry));
        place += entry->name_length + 1;
    }
    ret->member_count = checker->count;
    return true;
}

int zip_check(int fd, int64_t size, const struct report_limits *limits, struct zip_check *ret,
              struct err *err)
{
    *ret = (struct zip_check){.state = ZIP_GOOD};
    struct checker checker = {.fd = fd, .size = size, .limits = limits, .result = ret};
    if (!find_list(&checker))
        return 0;

    checker.list = malloc((size_t)checker.list_length + 1);
    checker.entries = calloc(checker.declared_entries + 1, sizeof *checker.entries);
    ret->contradicted = calloc(CONTRADICTED_MAX, sizeof *ret->contradicted);
    if (checker.list && checker.entries && ret->contradicted)
        check(&checker);
    else
        err_nomem(err);
    bool has_memory = checker.list && checker.entries && ret->contradicted;
    if (has_memory && ret->state == ZIP_GOOD && !list_members(&checker, ret)) {
        err_nomem(err);
        has_memory = false;
    }
    free(checker.list);
    free(checker.entries);
    if (!has_memory) {
        zip_check_release(ret);
        return ERR_NOMEM;
    }
    qsort(ret->contradicted, ret->contradicted_count, sizeof *ret->contradicted, by_name);
    return 0;
}

void zip_check_release(struct zip_check *zip)
{
    for (size_t i = 0; i < zip->contradicted_count; i++)
        free(zip->contradicted[i]);
    free(zip->contradicted);
    free(zip->members);
    *zip = (struct zip_check){0};
}

bool zip_check_contradicts(const struct zip_check *zip, const char *name)
{
    return zip->contradicted_count > 0 && bsearch(&name, zip->contradicted, zip->contradicted_count,
                                                  sizeof *zip->contradicted, by_name) != NULL;
}
