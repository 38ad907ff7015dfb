/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reads the archive as anybody would who gets it, and asks the scanner what it still finds. That
 * catches what went around the replacing: a member's name, a text written by the run itself, an
 * entry without a filter.
 *
 * An address that is both an original and the pseudonym of another one proves nothing and is
 * passed.
 */
#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include "collector/obfuscate/obfuscator.h"

#define BLOCK_BYTES (64 * 1024)

static const char *const address_words[ADDRESS_KINDS] = {"IPv4 addresses", "IPv6 addresses",
                                                         "MAC addresses"};

struct leak_search {
    struct obfuscator *obfuscator;
    long long addresses[ADDRESS_KINDS], names[NAME_CLASSES];
};

static size_t count(void *context, const struct match *match, char out[SCAN_REPLACEMENT])
{
    struct leak_search *search = context;
    (void)out;
    if (match->kind == MATCH_NAME)
        search->names[match->name->class]++;
    else if (match->kind == MATCH_ADDRESS && !address_is_kept(&match->address->address) &&
             seen_is_original(search->obfuscator->seen, &match->address->address))
        search->addresses[match->address->address.kind]++;
    return SCAN_KEEP;
}

int leak_search_new(struct obfuscator *obfuscator, struct leak_search **ret, struct err *err)
{
    struct leak_search *search = calloc(1, sizeof *search);
    if (!search)
        return err_nomem(err);
    search->obfuscator = obfuscator;
    *ret = search;
    return 0;
}

void *leak_search_free(struct leak_search *search)
{
    free(search);
    return NULL;
}

static int search_text(struct leak_search *search, const char *text, struct err *err)
{
    struct obfuscation *stream;
    bool damaged;
    int r = obfuscation_new_search(search->obfuscator, "", count, search, &stream, err);
    if (r < 0)
        return r;
    r = obfuscation_write(stream, text, strlen(text), err);
    if (r == 0)
        r = obfuscation_finish(stream, &damaged, err);
    obfuscation_free(stream);
    return r;
}

int leak_search_member(struct leak_search *search, const char *name, struct obfuscation **ret,
                       struct err *err)
{
    int r = search_text(search, name, err);
    return r < 0 ? r : obfuscation_new_search(search->obfuscator, name, count, search, ret, err);
}

static int search_content(struct leak_search *search, const char *name, struct archive *archive,
                          struct err *err)
{
    struct obfuscation *stream;
    bool damaged;
    const void *bytes;
    size_t length;
    la_int64_t offset;
    int r = leak_search_member(search, name, &stream, err), a;
    if (r < 0)
        return r;
    while (r == 0 &&
           (a = archive_read_data_block(archive, &bytes, &length, &offset)) != ARCHIVE_EOF)
        r = a != ARCHIVE_OK ? err_set(err, ERR_IO, "cannot read the archive back: %s",
                                      archive_error_string(archive))
                            : obfuscation_write(stream, bytes, length, err);
    if (r == 0)
        r = obfuscation_finish(stream, &damaged, err);
    obfuscation_free(stream);
    return r;
}

static int search_members(struct leak_search *search, struct archive *archive, struct err *err)
{
    struct archive_entry *entry;
    int r = 0, a;
    while (r == 0 && (a = archive_read_next_header(archive, &entry)) != ARCHIVE_EOF) {
        const char *name = archive_entry_pathname(entry);
        if (a != ARCHIVE_OK && a != ARCHIVE_WARN)
            return err_set(err, ERR_IO, "cannot read the archive back: %s",
                           archive_error_string(archive));
        r = search_content(search, name ? name : "", archive, err);
    }
    return r;
}

int leak_search_verdict(const struct leak_search *search, struct err *err)
{
    struct strbuf text = STRBUF_INIT_MAX(400);
    const char *separator = "";
    for (int i = 0; i < ADDRESS_KINDS; i++)
        if (search->addresses[i]) {
            strbuf_addf(&text, "%s%s (%lld)", separator, address_words[i], search->addresses[i]);
            separator = ", ";
        }
    for (int i = 0; i < NAME_CLASSES; i++)
        if (search->names[i]) {
            strbuf_addf(&text, "%snames of class %s (%lld)", separator,
                        name_class_word((enum name_class)i), search->names[i]);
            separator = ", ";
        }
    int r = text.length ? err_set(err, ERR_DENIED,
                                  "originals were left in the archive, so it was given up: %s. "
                                  "Please report this; without --obfuscate it can be taken",
                                  text.data)
                        : 0;
    strbuf_release(&text);
    return r;
}

int obfuscator_search(struct obfuscator *obfuscator, int fd, struct err *err)
{
    struct leak_search search = {.obfuscator = obfuscator};
    struct archive *archive = archive_read_new();
    if (!archive)
        return err_nomem(err);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_zip(archive);
    int r = 0;
    if (lseek(fd, 0, SEEK_SET) < 0 || archive_read_open_fd(archive, fd, BLOCK_BYTES) != ARCHIVE_OK)
        r = err_set(err, ERR_IO, "cannot read the archive back: %s", archive_error_string(archive));
    if (r == 0)
        r = search_members(&search, archive, err);
    archive_read_free(archive);
    return r < 0 ? r : leak_search_verdict(&search, err);
}
