/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A check as JSON. The file is our own, but disks lose power and people edit files: reading takes
 * nothing on trust, and what does not fit makes the whole file a damaged one.
 */
#include <limits.h>
#include <string.h>

#include "healthcheck/history/check.h"
#include "healthcheck/times/times.h"

/* A member that has the same name in JSON. */
struct field {
    size_t offset;
    const char *name;
};

#define FIELD(member)                                                                              \
    {                                                                                              \
        offsetof(struct check, member), #member                                                    \
    }

static const struct field texts[] = {
    FIELD(why), FIELD(error), FIELD(request),   FIELD(report),       FIELD(sha256),
    FIELD(url), FIELD(job),   FIELD(upload_id), FIELD(upload_error),
};
static const struct field numbers[] = {
    FIELD(score), FIELD(issues), FIELD(rules), FIELD(unknown), FIELD(hosts),
};

static json_t *time_to_json(int64_t s)
{
    char text[TIMES_SHORT_BYTES];
    return s == SCHEDULE_NEVER ? json_null() : json_string(times_write_short(s, text));
}

static json_t *findings_to_json(const struct check *check)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < check->finding_count; i++) {
        const struct check_finding *each = &check->findings[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "rule", each->rule,
                                              "severity", check_severity_names[each->severity],
                                              "title", each->title, "hosts", each->hosts));
    }
    return list;
}

static json_t *unknown_to_json(const struct check *check)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < check->unknown_count; i++)
        json_array_append_new(list, json_string(check->unknown_rules[i]));
    return list;
}

json_t *check_to_json(const struct check *check)
{
    json_t *object = json_pack(
        "{s:o, s:o, s:s, s:s, s:s, s:b, s:b, s:I, s:b, s:s, s:o}", "started",
        time_to_json(check->started_s), "finished", time_to_json(check->finished_s), "action",
        check_action_names[check->action], "step", check_step_names[check->step], "result",
        check_result_names[check->result], "pool", check->pool, "shared", check->shared, "bytes",
        (json_int_t)check->bytes, "analysed", check->analysed, "upload",
        check_upload_names[check->upload], "uploaded", time_to_json(check->uploaded_s));
    if (!object)
        return NULL;
    bool failed = false;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *text = *(char *const *)((const char *)check + texts[i].offset);
        failed |= json_object_set_new(object, texts[i].name, json_string(text)) < 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        int number = *(const int *)((const char *)check + numbers[i].offset);
        failed |= json_object_set_new(object, numbers[i].name, json_integer(number)) < 0;
    }
    json_t *counts = json_object();
    for (int i = 0; counts && i < CHECK_SEVERITIES; i++)
        failed |= json_object_set_new(counts, check_severity_names[i],
                                      json_integer(check->counts[i])) < 0;
    failed |= json_object_set_new(object, "counts", counts) < 0;
    failed |= json_object_set_new(object, "findings", findings_to_json(check)) < 0;
    failed |= json_object_set_new(object, "unknown_rules", unknown_to_json(check)) < 0;
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static int refuse(const char *name, struct err *err)
{
    return err_set(err, ERR_PARSE, "'%s' is missing or is not what it should be", name);
}

static int take_choice(const json_t *object, const char *name, const char *const *names, int *ret,
                       struct err *err)
{
    const char *text = json_string_value(json_object_get(object, name));
    for (int i = 0; text && names[i]; i++)
        if (strcmp(text, names[i]) == 0) {
            *ret = i;
            return 0;
        }
    return refuse(name, err);
}

static int take_time(const json_t *object, const char *name, int64_t *ret, struct err *err)
{
    const json_t *value = json_object_get(object, name);
    *ret = SCHEDULE_NEVER;
    if (json_is_null(value))
        return 0;
    const char *text = json_string_value(value);
    return text && times_read_short(text, ret) ? 0 : refuse(name, err);
}

static int take_integer(const json_t *object, const char *name, int64_t least, int64_t most,
                        int64_t *ret, struct err *err)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value) || json_integer_value(value) < least ||
        json_integer_value(value) > most)
        return refuse(name, err);
    *ret = json_integer_value(value);
    return 0;
}

static int take_bool(const json_t *object, const char *name, bool *ret, struct err *err)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_boolean(value))
        return refuse(name, err);
    *ret = json_is_true(value);
    return 0;
}

static int take_texts(const json_t *object, struct check *check, struct err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++) {
        const char *text = json_string_value(json_object_get(object, texts[i].name));
        r = text ? check_set((char **)((char *)check + texts[i].offset), text, err)
                 : refuse(texts[i].name, err);
    }
    /* It is a name in our folder and nothing else. */
    if (r == 0 && (strchr(check->report, '/') || check->report[0] == '.'))
        r = refuse("report", err);
    return r;
}

static int take_numbers(const json_t *object, struct check *check, struct err *err)
{
    int64_t value = 0;
    int r = take_integer(object, "bytes", 0, INT64_MAX, &check->bytes, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(numbers); i++) {
        r = take_integer(object, numbers[i].name, -1, INT_MAX, &value, err);
        *(int *)((char *)check + numbers[i].offset) = (int)value;
    }
    if (r == 0 && check->score > 100)
        r = refuse("score", err);
    const json_t *counts = json_object_get(object, "counts");
    for (int i = 0; r == 0 && i < CHECK_SEVERITIES; i++) {
        r = take_integer(counts, check_severity_names[i], 0, INT_MAX, &value, err);
        check->counts[i] = (int)value;
    }
    return r;
}

static int take_finding(const json_t *object, struct check *check, struct err *err)
{
    const char *rule = json_string_value(json_object_get(object, "rule"));
    const char *title = json_string_value(json_object_get(object, "title"));
    const char *hosts = json_string_value(json_object_get(object, "hosts"));
    int severity;
    int r = take_choice(object, "severity", check_severity_names, &severity, err);
    if (r < 0)
        return r;
    if (!rule || !title || !hosts)
        return refuse("findings", err);
    return check_add_finding(check, rule, title, hosts, (enum check_severity)severity, err);
}

static int take_findings(const json_t *object, struct check *check, struct err *err)
{
    const json_t *findings = json_object_get(object, "findings"), *each;
    const json_t *unknown = json_object_get(object, "unknown_rules");
    size_t i;
    int r = json_is_array(findings) && json_is_array(unknown) ? 0 : refuse("findings", err);
    json_array_foreach(findings, i, each) r = r < 0 ? r : take_finding(each, check, err);
    json_array_foreach(unknown, i, each)
    {
        const char *rule = json_string_value(each);
        if (r == 0)
            r = rule ? check_add_unknown(check, rule, err) : refuse("unknown_rules", err);
    }
    return r;
}

static int take_choices(const json_t *object, struct check *check, struct err *err)
{
    int action = 0, step = 0, result = 0, upload = 0;
    int r = take_choice(object, "action", check_action_names, &action, err);
    r = r < 0 ? r : take_choice(object, "step", check_step_names, &step, err);
    r = r < 0 ? r : take_choice(object, "result", check_result_names, &result, err);
    r = r < 0 ? r : take_choice(object, "upload", check_upload_names, &upload, err);
    check->action = (enum check_action)action;
    check->step = (enum check_step)step;
    check->result = (enum check_result)result;
    check->upload = (enum check_upload)upload;
    return r;
}

int check_from_json(const json_t *object, struct check *ret, struct err *err)
{
    if (!check_init(ret))
        return err_nomem(err);
    int r = take_choices(object, ret, err);
    r = r < 0 ? r : take_time(object, "started", &ret->started_s, err);
    r = r < 0 ? r : take_time(object, "finished", &ret->finished_s, err);
    r = r < 0 ? r : take_time(object, "uploaded", &ret->uploaded_s, err);
    r = r < 0 ? r : take_bool(object, "pool", &ret->pool, err);
    r = r < 0 ? r : take_bool(object, "shared", &ret->shared, err);
    r = r < 0 ? r : take_bool(object, "analysed", &ret->analysed, err);
    r = r < 0 ? r : take_texts(object, ret, err);
    r = r < 0 ? r : take_numbers(object, ret, err);
    r = r < 0 ? r : take_findings(object, ret, err);
    if (r == 0 && ret->started_s == SCHEDULE_NEVER)
        r = refuse("started", err);
    return r;
}

int check_copy(const struct check *check, struct check *ret, struct err *err)
{
    json_auto_t *json = check_to_json(check);
    memset(ret, 0, sizeof *ret);
    return json ? check_from_json(json, ret, err) : err_nomem(err);
}
