/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Parameters are filled in by text, not bound to the statement: so one way of writing them serves
 * titles, SQL and numbers alike. That is safe because a value is a number, or nothing at all.
 */
#include "analyzer/rules/params.h"

#include <ctype.h>
#include <math.h>

#include "common/units.h"

/* A rule with more numbers to turn is several rules. */
#define PARAMS_MAX 16

/* "-12.5" and nothing cleverer: it goes into SQL as it is. */
static bool read_number(const char *text, double *ret)
{
    const char *p = text + (*text == '-');
    size_t digits = strspn(p, "0123456789"), fraction = 0;
    p += digits;
    if (*p == '.')
        p += 1 + (fraction = strspn(p + 1, "0123456789"));
    bool dangling = digits == 0 || digits > 15 || fraction > 15 || p[-1] == '.';
    if (*p || dangling)
        return false;
    *ret = strtod(text, NULL);
    return true;
}

static int read_value(const struct doc_node *node, bool *ret_is_time, double *ret, struct err *err)
{
    int64_t seconds;
    if (node->kind == DOC_SCALAR && read_number(node->text, ret)) {
        *ret_is_time = false;
        return 0;
    }
    if (node->kind == DOC_SCALAR && units_seconds(node->text, &seconds)) {
        *ret_is_time = true;
        *ret = (double)seconds;
        return 0;
    }
    return doc_fail(node, err, "expected a number, or a time such as 10m");
}

static int read_bound(const struct doc_node *map, const char *key, const struct rule_param *param,
                      double *value, const char **text, struct err *err)
{
    const struct doc_node *node = doc_get(map, key);
    bool is_time;
    if (!node)
        return 0;
    int r = read_value(node, &is_time, value, err);
    if (r == 0 && is_time && !param->is_time)
        r = doc_fail(node, err, "a time cannot bound a number");
    if (r == 0)
        *text = node->text;
    return r;
}

static bool is_name(const char *word)
{
    if (!islower((unsigned char)*word))
        return false;
    while (islower((unsigned char)*word) || isdigit((unsigned char)*word) || *word == '_')
        word++;
    return *word == '\0';
}

static int load_param(const struct doc_node *key, const struct doc_node *node,
                      struct rule_param *param, struct err *err)
{
    static const char *const keys[] = {"default", "min", "max", "description", NULL};
    bool is_map = node->kind == DOC_MAP;
    *param = (struct rule_param){.name = key->text,
                                 .description = "",
                                 .minimum = -INFINITY,
                                 .maximum = INFINITY,
                                 .node = key};
    if (!is_name(key->text))
        return doc_fail(key, err, "a parameter's name has lower-case letters, digits and '_' only");
    int r = is_map ? doc_check_keys(node, keys, err) : 0;
    const struct doc_node *value = is_map ? doc_get(node, "default") : node;
    const struct doc_node *description = doc_get(node, "description");
    if (r == 0 && !value)
        r = doc_fail(node, err, "the parameter needs a 'default'");
    if (r == 0)
        r = read_value(value, &param->is_time, &param->value, err);
    if (r == 0)
        r = read_bound(node, "min", param, &param->minimum, &param->least, err);
    if (r == 0)
        r = read_bound(node, "max", param, &param->maximum, &param->most, err);
    if (r == 0 && description)
        r = doc_string(description, &param->description, err);
    if (r < 0)
        return r;
    if (param->value < param->minimum || param->value > param->maximum)
        return doc_fail(value, err, "the default lies outside its own bounds");
    param->text = param->standard = value->text;
    return 0;
}

/* "between 50 and 99" and the like, for the error text. */
static void describe_bounds(const struct rule_param *param, char *text, size_t size)
{
    if (!param->least)
        snprintf(text, size, "%s at the most", param->most);
    else if (!param->most)
        snprintf(text, size, "%s at least", param->least);
    else
        snprintf(text, size, "between %s and %s", param->least, param->most);
}

static int override(struct rule_set *set, const struct doc_node *node, struct rule_param *param,
                    struct err *err)
{
    bool is_time;
    double value;
    int r = read_value(node, &is_time, &value, err);
    if (r < 0)
        return r;
    if (is_time && !param->is_time)
        return doc_fail(node, err, "'%s' is a plain number (its default is %s)", param->name,
                        param->standard);
    if (value < param->minimum || value > param->maximum) {
        char bounds[100];
        describe_bounds(param, bounds, sizeof bounds);
        return doc_fail(node, err, "'%s' must be %s", param->name, bounds);
    }
    param->value = value;
    param->text = arena_strdup(set->arena, node->text);
    param->set_at = arena_printf(set->arena, "%s:%d:%d", node->file, node->line, node->column);
    return param->text && param->set_at ? 0 : err_nomem(err);
}

static int override_all(struct rule_set *set, const struct doc_node *site,
                        struct rule_param *params, size_t count, const char *rule, struct err *err)
{
    const char *names[PARAMS_MAX + 1] = {NULL};
    for (size_t i = 0; i < count; i++)
        names[i] = params[i].name;
    if (site && site->kind == DOC_MAP && site->count && count == 0)
        return doc_fail(site, err, "rule '%s' has no parameters (`xen-analyze rules show %s`)",
                        rule, rule);
    int r = site ? doc_check_keys(site, names, err) : 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct doc_node *node = doc_get(site, names[i]);
        if (node)
            r = override(set, node, &params[i], err);
    }
    return r;
}

int params_load(struct rule_set *set, const struct doc_node *node, const struct doc_node *site,
                struct rule *rule, struct err *err)
{
    size_t count = node ? node->count : 0;
    if (node && node->kind != DOC_MAP)
        return doc_fail(node, err, "expected 'name: value' lines");
    if (count > PARAMS_MAX)
        return doc_fail(node, err, "more than %d parameters; make several rules of it", PARAMS_MAX);
    struct rule_param *params = arena_array(set->arena, count + 1, sizeof *params);
    if (!params)
        return err_nomem(err);
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = load_param(node->keys[i], node->items[i], &params[i], err);
    if (r == 0)
        r = override_all(set, site, params, count, rule->id, err);
    if (r < 0)
        return r;
    rule->params = params;
    rule->param_count = count;
    return 0;
}

static const struct rule_param *find_param(const struct rule *rule, const char *name, size_t length)
{
    for (size_t i = 0; i < rule->param_count; i++)
        if (strlen(rule->params[i].name) == length &&
            memcmp(rule->params[i].name, name, length) == 0)
            return &rule->params[i];
    return NULL;
}

static void add_value(struct strbuf *out, const struct rule_param *param, enum params_form form)
{
    char seconds[32];
    const char *text = param->text;
    if (form == PARAMS_FOR_SQL && param->is_time) {
        snprintf(seconds, sizeof seconds, "%lld", (long long)param->value);
        text = seconds;
    }
    if (form == PARAMS_FOR_SQL && param->value < 0)
        strbuf_addf(out, "(%s)", text); /* "x -{n}" must not become a comment */
    else
        strbuf_adds(out, text);
}

const char *params_expand(struct rule_set *set, const struct rule *rule, const char *text,
                          enum params_form form)
{
    CLEANUP(strbuf_release) struct strbuf out = STRBUF_INIT;
    bool found = false;
    for (const char *p = text; rule->param_count && *p;) {
        size_t length = *p == '{' ? strcspn(p + 1, "{}") : 0;
        const struct rule_param *param =
            length && p[length + 1] == '}' ? find_param(rule, p + 1, length) : NULL;
        if (param) {
            found = true;
            add_value(&out, param, form);
            p += length + 2;
        } else {
            strbuf_addc(&out, *p++);
        }
    }
    if (!strbuf_ok(&out))
        return NULL;
    return found ? arena_strdup(set->arena, out.data) : text;
}

int params_expand_node(struct rule_set *set, const struct rule *rule, const struct doc_node *node,
                       enum params_form form, const struct doc_node **ret, struct err *err)
{
    if (!node || node->kind != DOC_SCALAR || !rule->param_count) {
        *ret = node;
        return 0;
    }
    struct doc_node *copy = arena_alloc(set->arena, sizeof *copy);
    if (!copy)
        return err_nomem(err);
    *copy = *node;
    copy->text = params_expand(set, rule, node->text, form);
    if (!copy->text)
        return err_nomem(err);
    copy->length = strlen(copy->text);
    *ret = copy;
    return 0;
}
