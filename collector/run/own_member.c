/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The text is handed to a stage whenever there is enough of it. A failure is kept until the end, so
 * that whoever writes records need not look for one after each.
 */
#include "collector/run/own_member.h"

#define PIECE_BYTES (64 * 1024)

static int to_stage(void *context, const void *bytes, size_t length, struct err *err)
{
    return stage_write(context, bytes, length, err);
}

int own_member_start(struct run *run, const char *name, struct own_member *ret, struct err *err)
{
    *ret = (struct own_member){.run = run, .name = name, .text = STRBUF_INIT};
    int r = stage_new(&run->stage, &ret->stage, err);
    if (r < 0 || !run->obfuscator)
        return r;
    r = obfuscation_new(run->obfuscator, name, to_stage, ret->stage, &ret->obfuscation, err);
    if (r < 0)
        stage_free(ret->stage);
    return r;
}

static void hand_on(struct own_member *member)
{
    struct err *failure = &member->failure;
    if (member->text.failed)
        err_nomem(failure);
    if (failure->code == 0 && member->obfuscation)
        obfuscation_write(member->obfuscation, member->text.data, member->text.length, failure);
    else if (failure->code == 0)
        stage_write(member->stage, member->text.data, member->text.length, failure);
    strbuf_clear(&member->text);
}

struct strbuf *own_member_text(struct own_member *member)
{
    if (member->text.length >= PIECE_BYTES)
        hand_on(member);
    return &member->text;
}

int own_member_end(struct own_member *member, struct err *err)
{
    hand_on(member);
    bool damaged;
    if (member->failure.code == 0 && member->obfuscation)
        obfuscation_finish(member->obfuscation, &damaged, &member->failure);
    int r = err_pass(err, member->failure.code, &member->failure);
    if (r == 0)
        r = stage_finish(member->stage, err);
    if (r == 0)
        r = run_add_stage(member->run, member->name, member->stage, err);
    obfuscation_free(member->obfuscation);
    stage_free(member->stage);
    strbuf_release(&member->text);
    return err_prefix(err, r, "cannot write %s", member->name);
}
