/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What goes from the run into the archive, all by the main thread. What finds no room on the disk
 * is left out before a byte of it is written, so the archive stays whole.
 */
#include "collector/run/deliver.h"

#include "collector/run/member.h"
#include "collector/run/own_member.h"

#define LAST_MEMBERS (256 * 1024) /* room for manifest, inventory and log */

int64_t run_modified(const struct run *run, int64_t modified)
{
    return run->newest >= 0 && modified > run->newest ? run->newest : modified;
}

static int add_member(struct run *run, const char *name, int64_t modified, struct stage *stage,
                      struct err *err)
{
    struct strbuf member = STRBUF_INIT;
    int r = member_name(run, name, &member, err);
    if (r == 0 && run->leaks)
        r = member_search(run, member.data, stage, err);
    if (r == 0)
        r = bundle_add(run->bundle, member.data, run_modified(run, modified), stage, err);
    strbuf_release(&member);
    return r;
}

static int find_pack(struct run *run, const char *name, struct pack **ret, struct err *err)
{
    for (size_t i = 0; i < run->packs.count; i++)
        if (strcmp(pack_name(run->packs.items[i]), name) == 0) {
            *ret = run->packs.items[i];
            return 0;
        }
    struct pack **slot = vec_push(&run->packs);
    if (!slot)
        return err_nomem(err);
    int r = pack_new(&run->stage, name, slot, err);
    if (r < 0)
        run->packs.count--;
    else
        *ret = *slot;
    return r;
}

static int add_packed(struct run *run, const struct plan_entry *entry, struct stage *stage,
                      struct err *err)
{
    struct pack *pack = NULL;
    struct strbuf member = STRBUF_INIT;
    int r = member_name(run, entry->name, &member, err);
    if (r == 0)
        r = find_pack(run, entry->item->pack, &pack, err);
    if (r == 0)
        r = pack_add(pack, member.data, run_modified(run, entry->modified), stage, err);
    strbuf_release(&member);
    return r;
}

int run_finish_packs(struct run *run, bool add, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < run->packs.count; i++) {
        struct pack *pack = run->packs.items[i];
        struct stage *stage;
        if (add && r == 0)
            r = pack_finish(pack, &stage, err);
        if (add && r == 0)
            r = add_member(run, pack_name(pack), time(NULL), stage, err);
        pack_free(pack);
    }
    vec_free(&run->packs);
    return r;
}

/* What the packs will take when they are added, and what waits in their memory for their files. */
static int64_t bytes_of_packs(const struct run *run)
{
    int64_t bytes = 0, memory = (int64_t)run->stage.memory_bytes;
    for (size_t i = 0; i < run->packs.count; i++) {
        int64_t size = pack_size(run->packs.items[i]);
        bytes += size + (size < memory ? size : memory);
    }
    return bytes;
}

static int has_room(struct run *run, const struct plan_entry *entry, const struct stage *stage,
                    bool *ret, struct err *err)
{
    /* What is packed is in the pack first and in the archive later. */
    int64_t bytes = stage_encoded_size(stage) * (entry->item->pack ? 2 : 1);
    return bundle_find_room(run->bundle, run->room, bytes + bytes_of_packs(run) + LAST_MEMBERS, ret,
                            err);
}

int deliver(struct run *run, struct plan_entry *entry, struct stage *stage, struct err *err)
{
    bool fits = true;
    int r = stage ? has_room(run, entry, stage, &fits, err) : 0;
    if (r < 0 || !fits) {
        outcome_set(&entry->outcome, OUTCOME_OMITTED, ROOM_FULL);
        entry->bytes = 0;
        entry->md5[0] = entry->sha256[0] = '\0';
        stage = stage_free(stage);
    }
    if (stage) {
        struct err why = ERR_INIT;
        r = entry->item->pack ? add_packed(run, entry, stage, &why)
                              : add_member(run, entry->name, entry->modified, stage, &why);
        entry->archived = r == 0;
        if (r == ERR_USAGE) { /* a name that no archive may have costs the entry alone */
            outcome_set(&entry->outcome, OUTCOME_FAILED, "%s", why.text);
            r = 0;
        }
        r = r < 0 ? err_pass(err, r, &why) : 0;
        stage_free(stage);
    }
    run_log_entry(run->log, entry);
    bool child = entry->argv && !entry->path;
    if (child && entry->outcome.status == OUTCOME_TIMEOUT)
        progress_line(run->progress, "'%s' timed out", entry->source);
    /* On a terminal the many programs that a host does not have would drown the rest; the log has
     * them. */
    if (child && entry->archived && entry->outcome.status == OUTCOME_MISSING &&
        !run->progress->terminal)
        progress_line(run->progress, "'%s' failed: %s", entry->source, entry->outcome.reason);
    progress_step(run->progress, entry);
    return r;
}

int run_add_stage(struct run *run, const char *name, struct stage *stage, struct err *err)
{
    return add_member(run, name, time(NULL), stage, err);
}

int run_add_text(struct run *run, const char *name, const void *bytes, size_t length,
                 struct err *err)
{
    struct own_member member;
    int r = own_member_start(run, name, &member, err);
    if (r < 0)
        return r;
    strbuf_add(own_member_text(&member), bytes, length);
    return own_member_end(&member, err);
}
