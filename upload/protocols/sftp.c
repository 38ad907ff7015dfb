/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A file to a server over SFTP. It grows as .NAME.DIGITS.part beside its place, the digits being of
 * its digest, so that it is found again without a record, and gets its name when it is whole.
 *
 * SFTP has no digests, no transactions, and (in libcurl) no word for "it is on disk". A server that
 * works on several requests at once may have gaps near the end of a part, so an upload goes on only
 * when the last bytes of what is there are read back as ours. One that crashed may have lost any
 * bytes of it, so a part that was not written in one go is read back as a whole before it gets its
 * name, in pieces, as the link that cut the one may cut the other. libcurl opens
 * what it goes on with for appending, so what counts is the end of the file when the first byte
 * comes, not what we computed: a server that is still writing what came before the cut is waited
 * for, and no file gets its name that is not exactly as long as ours.
 *
 * A file under the final name is never written over: it may be somebody else's. When it is as long
 * as ours it is read back, and if it is the same, we are done: that is what a kill between the
 * renaming and its confirmation leaves. Where it cannot be read (folders to drop files into), it
 * counts as ours only if the record says that we were about to rename.
 */
#include <strings.h>

#include "common/percent.h"
#include "common/units.h"
#include "upload/protocols/transfer.h"

#define LOOK_BYTES   (256 << 10) /* read back of what is there: as much as libcurl has under way */
#define CHECK_BYTES  (16 << 20)  /* of one piece that is read back */
#define TAG_DIGITS   16          /* of the digest in the part's name */
#define SHA256_BYTES 32

/* Names in the record. */
#define R_PART     "part"
#define R_RENAMING "renaming"
#define R_CHECKED  "checked" /* bytes of the whole part, from its beginning, that were read back */

struct place {
    struct strbuf path, part; /* on the server */
    struct strbuf url, part_url, folder_url;
};

#define PLACE_INIT                                                                                 \
    {                                                                                              \
        STRBUF_INIT, STRBUF_INIT, STRBUF_INIT, STRBUF_INIT, STRBUF_INIT                            \
    }

static const char *const sftp_schemes[] = {"sftp", NULL};

static void place_release(struct place *place)
{
    strbuf_release(&place->path);
    strbuf_release(&place->part);
    strbuf_release(&place->url);
    strbuf_release(&place->part_url);
    strbuf_release(&place->folder_url);
}

static int check_path(const struct strbuf *path, struct err *err)
{
    for (size_t i = 0; i < path->length; i++)
        if ((unsigned char)path->data[i] < 0x20 || path->data[i] == 0x7f)
            return err_set(err, ERR_USAGE, "the URL's path holds control characters");
    return 0;
}

static void set_url(const struct target *target, const char *path, size_t length,
                    struct strbuf *url)
{
    const char *host = strstr(target->url, "://") + 3;
    strbuf_add(url, target->url, (size_t)(host - target->url) + strcspn(host, "/?"));
    percent_encode(url, path, length, true);
}

/* `tag` is the source's digest; a path that ends in a slash is a folder and takes `name`. */
static int find_place(const struct target *target, const char *name, const char *tag,
                      struct place *place, struct err *err)
{
    const char *host = strstr(target->url, "://") + 3, *path = host + strcspn(host, "/?");
    if (strchr(path, '?'))
        return err_set(err, ERR_USAGE,
                       "sftp:// takes no query: write %%3F for a question mark in the path");
    if (!*path)
        return err_set(err, ERR_USAGE,
                       "the URL has no path: write sftp://HOST/FOLDER/ (sftp://HOST/ is the "
                       "server's topmost folder)");
    int r = percent_decode(path, &place->path, err);
    if (r == 0)
        r = check_path(&place->path, err);
    if (r < 0)
        return r;
    if (place->path.data[place->path.length - 1] == '/')
        strbuf_adds(&place->path, name);
    size_t folder = (size_t)(strrchr(place->path.data, '/') + 1 - place->path.data);
    strbuf_add(&place->part, place->path.data, folder);
    strbuf_addf(&place->part, ".%s.%.*s.part", place->path.data + folder, TAG_DIGITS, tag);
    set_url(target, place->path.data, place->path.length, &place->url);
    set_url(target, place->part.data, place->part.length, &place->part_url);
    set_url(target, place->path.data, folder, &place->folder_url);
    bool good = strbuf_ok(&place->path) && strbuf_ok(&place->part) && strbuf_ok(&place->url) &&
                strbuf_ok(&place->part_url) && strbuf_ok(&place->folder_url);
    return good ? 0 : err_nomem(err);
}

static int find_place_of(const struct transfer *transfer, struct place *place, struct err *err)
{
    return find_place(transfer->target, transfer_name(transfer), source_sha256(transfer->source),
                      place, err);
}

/* 0, or ERR_EXISTS when the bytes there are others. */
static int compare(struct transfer *transfer, const char *url, int64_t offset, int64_t length,
                   struct err *err)
{
    unsigned char ours[DIGEST_BYTES], theirs[DIGEST_BYTES];
    size_t size;
    int r = source_digest(transfer->source, SOURCE_SHA256, offset, length, ours, &size, err);
    if (r == 0)
        r = net_sftp_digest(transfer->net, url, offset, length, theirs, err);
    if (r < 0)
        return r;
    return memcmp(ours, theirs, SHA256_BYTES) == 0 ? 0 : ERR_EXISTS;
}

static bool is_folder(struct transfer *transfer, const struct place *place)
{
    CLEANUP(strbuf_release) struct strbuf url = STRBUF_INIT;
    strbuf_addf(&url, "%s/", place->url.data);
    return strbuf_ok(&url) && net_sftp_is_folder(transfer->net, url.data);
}

static int is_taken(struct transfer *transfer, const struct place *place, struct err *err)
{
    if (is_folder(transfer, place))
        return err_set(err, ERR_EXISTS,
                       "'%s' is a folder on the server: end the URL with / to put the file into it",
                       place->path.data);
    return err_set(err, ERR_EXISTS,
                   "there is another file '%s' on the server, which is not written over: choose "
                   "another name with --name, or remove it",
                   place->path.data);
}

/* 0: our file is there under its name. ERR_NOTFOUND: none is. ERR_EXISTS: another one is. */
static int look_at_final(struct transfer *transfer, const struct place *place, struct err *err)
{
    struct err reason = ERR_INIT;
    int64_t ours = source_size(transfer->source);
    bool is_as_long;
    int r = net_sftp_has_size(transfer->net, place->url.data, ours, &is_as_long, &reason);
    if (r == 0 && !is_as_long)
        return is_taken(transfer, place, err);
    if (r == 0)
        r = compare(transfer, place->url.data, 0, ours, &reason);
    if (r == ERR_EXISTS)
        return is_taken(transfer, place, err);
    if (r == ERR_UNSUPPORTED && record_get(transfer->record, R_RENAMING)) {
        transfer_say(transfer, "the file is there and cannot be read back; it was about to get its "
                               "name when the last attempt ended");
        return 0;
    }
    if (r == ERR_UNSUPPORTED && is_folder(transfer, place))
        return is_taken(transfer, place, err);
    if (r == ERR_UNSUPPORTED)
        return err_set(err, ERR_EXISTS,
                       "there may be a file '%s' on the server, which cannot be read and is not "
                       "written over (%s)",
                       place->path.data, reason.text);
    return err_pass(err, r, &reason);
}

/* Where to go on: 0 when there is no part, or none that is ours. */
static int find_offset(struct transfer *transfer, const struct place *place, int64_t *ret,
                       struct err *err)
{
    struct err reason = ERR_INIT;
    const char *url = place->part_url.data;
    int64_t there = 0;
    bool is_settled = true;
    int r = net_sftp_size(transfer->net, url, &there, &reason);
    if (r == 0 && there > source_size(transfer->source))
        r = ERR_EXISTS;
    if (r == 0 && there > 0) {
        int64_t look = there < LOOK_BYTES ? there : LOOK_BYTES;
        r = compare(transfer, url, there - look, look, &reason);
        if (r == 0)
            r = net_sftp_has_size(transfer->net, url, there, &is_settled, &reason);
    }
    if (r == ERR_EXISTS)
        transfer_say(transfer, "what the server has of the file is not right; it begins anew");
    else if (r < 0 && r != ERR_NOTFOUND && r != ERR_UNSUPPORTED)
        return err_pass(err, r, &reason);
    if (!is_settled)
        return err_set(err, ERR_AGAIN, "the server is still writing what came before the cut");
    *ret = r == 0 ? there : 0;
    return 0;
}

static int note(struct transfer *transfer, const char *name, const char *value, struct err *err)
{
    int r = record_set(transfer->record, name, value, err);
    return r < 0 ? r : record_save(transfer->record, err);
}

static int put(struct transfer *transfer, const struct place *place, int64_t offset,
               struct err *err)
{
    struct err reason = ERR_INIT;
    int64_t size = source_size(transfer->source);
    bool is_whole = false;
    int r = 0;
    transfer_confirm(transfer, offset);
    if (offset < size || size == 0)
        r = net_sftp_put(transfer->net, place->part_url.data, transfer->source, offset,
                         transfer_sending, transfer, &reason);
    if (r == ERR_NOTFOUND && offset == 0)
        return err_set(err, ERR_NOTFOUND,
                       "there is no folder '%.*s' on the server, which must exist: make it, or "
                       "choose another",
                       (int)(strrchr(place->path.data, '/') + 1 - place->path.data),
                       place->path.data);
    if (r == ERR_DENIED && offset == 0) /* to make the file: there is nothing to go on with */
        record_set(transfer->record, R_PART, NULL, NULL);
    if (r < 0)
        return err_pass(err, r, &reason);
    r = net_sftp_has_size(transfer->net, place->part_url.data, size, &is_whole, err);
    if (r < 0)
        return r;
    if (!is_whole)
        return err_set(err, ERR_AGAIN,
                       "the server does not have all %lld bytes though it took them",
                       (long long)size);
    transfer_confirm(transfer, size);
    return 0;
}

/* Reads the whole part back. ERR_EXISTS: it is not our file. */
static int read_back(struct transfer *transfer, const struct place *place, struct err *err)
{
    int64_t size = source_size(transfer->source);
    int64_t at = transfer_recall(transfer, R_CHECKED, 0);
    int r = 0;
    if (at < 0 || at > size)
        at = 0;
    transfer_say(transfer, "reading back what was not sent in one go");
    while (r == 0 && at < size) {
        int64_t length = size - at < CHECK_BYTES ? size - at : CHECK_BYTES;
        r = compare(transfer, place->part_url.data, at, length, err);
        at += length;
        if (r == 0)
            r = transfer_remember(transfer, R_CHECKED, at, err);
        if (r == 0)
            r = record_save(transfer->record, err);
    }
    return r;
}

static int send_rest(struct transfer *transfer, const struct place *place, struct err *err)
{
    struct err reason = ERR_INIT;
    int64_t offset = 0, size = source_size(transfer->source);
    int r = find_offset(transfer, place, &offset, err);
    if (r == 0 && offset < size) /* what was read back was of an earlier part */
        r = note(transfer, R_CHECKED, NULL, err);
    if (r == 0)
        r = put(transfer, place, offset, err);
    if (r < 0)
        return r;
    r = offset > 0 ? read_back(transfer, place, &reason) : 0;
    if (r == ERR_EXISTS) {
        transfer_say(transfer, "the server has damaged what was sent before; it begins anew");
        r = note(transfer, R_CHECKED, NULL, err);
        return r < 0 ? r : put(transfer, place, 0, err);
    }
    return err_pass(err, r, &reason);
}

static int give_name(struct transfer *transfer, const struct place *place, struct err *err)
{
    struct err reason = ERR_INIT;
    int r = note(transfer, R_RENAMING, "yes", err);
    if (r < 0)
        return r;
    r = net_sftp_rename(transfer->net, place->folder_url.data, place->part.data, place->path.data,
                        &reason);
    if (r != ERR_IO)
        return err_pass(err, r, &reason);
    /* Refused: so it was not our renaming that put a file there. */
    r = note(transfer, R_RENAMING, NULL, err);
    if (r == 0)
        r = look_at_final(transfer, place, err);
    if (r != ERR_NOTFOUND)
        return r;
    err_clear(err);
    return err_set(err, ERR_AGAIN, "%s", reason.text);
}

static int sftp_send(struct transfer *transfer, struct err *err)
{
    struct place place CLEANUP(place_release) = PLACE_INIT;
    struct err none = ERR_INIT;
    int r = find_place_of(transfer, &place, err);
    if (r < 0)
        return r;
    r = look_at_final(transfer, &place, &none);
    if (r == 0) {
        transfer_say(transfer, "the server has the file already");
        transfer_confirm(transfer, source_size(transfer->source));
        return source_check(transfer->source, err);
    }
    if (r != ERR_NOTFOUND)
        return err_pass(err, r, &none);
    r = record_set(transfer->record, R_RENAMING, NULL, err);
    if (r == 0)
        r = note(transfer, R_PART, "yes", err);
    if (r == 0)
        r = send_rest(transfer, &place, err);
    if (r == 0)
        r = source_check(transfer->source, err);
    return r < 0 ? r : give_name(transfer, &place, err);
}

static void sftp_abandon(struct transfer *transfer)
{
    struct place place CLEANUP(place_release) = PLACE_INIT;
    if (find_place_of(transfer, &place, NULL) == 0)
        net_sftp_remove(transfer->net, place.folder_url.data, place.part.data, NULL);
}

static int sftp_check(const struct target *target, const struct transfer_options *options,
                      struct err *err)
{
    struct place place CLEANUP(place_release) = PLACE_INIT;
    return find_place(target, options->name ? options->name : "name", "0123456789abcdef", &place,
                      err);
}

static void sftp_describe(const struct transfer *transfer, struct strbuf *out)
{
    struct place place CLEANUP(place_release) = PLACE_INIT;
    char size[16];
    if (find_place_of(transfer, &place, NULL) < 0)
        return;
    units_format_bytes(source_size(transfer->source), size, sizeof size);
    strbuf_addf(out, "look whether %s is there\n", place.path.data);
    strbuf_addf(out, "write %s (%s)\n", place.part.data, size);
    strbuf_addf(out, "rename it to %s\n", place.path.data);
}

const struct protocol protocol_sftp = {
    .name = "sftp",
    .schemes = sftp_schemes,
    .summary = "a file over SSH, with the host's key known (sftp://HOST/PATH, sftp://HOST/FOLDER/)",
    .auth = NET_AUTH_SSH,
    .check = sftp_check,
    .describe = sftp_describe,
    .send = sftp_send,
    .abandon = sftp_abandon,
};
