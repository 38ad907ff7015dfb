/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A map that is too large or holds something else than texts is refused as a whole: written back
 * without what we did not understand, it would be somebody else's loss.
 */
#include "healthcheck/xapi/config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/escape.h"

struct config {
    json_t *map; /* of texts */
};

struct config *config_new(void)
{
    struct config *config = calloc(1, sizeof *config);
    if (config)
        config->map = json_object();
    return config && config->map ? config : config_free(config);
}

void *config_free(struct config *config)
{
    if (config)
        json_decref(config->map);
    free(config);
    return NULL;
}

const char *config_get(const struct config *config, const char *key)
{
    return json_string_value(json_object_get(config->map, key));
}

size_t config_count(const struct config *config)
{
    return json_object_size(config->map);
}

bool config_has_value(const struct config *config, const char *value)
{
    const char *key;
    json_t *text;
    json_object_foreach(config->map, key, text)
    {
        if (strcasecmp(json_string_value(text), value) == 0)
            return true;
    }
    return false;
}

static int check(const char *key, const char *value, size_t length, struct err *err)
{
    if (!*key || strlen(key) > CONFIG_MAX_KEY || length > CONFIG_MAX_VALUE)
        return err_set(err, ERR_LIMIT,
                       "the pool's health_check_config has a key or a value beyond what we handle "
                       "(keys %d bytes, values %d): look at it with xe pool-list "
                       "params=health-check-config",
                       CONFIG_MAX_KEY, CONFIG_MAX_VALUE);
    if (strlen(value) != length)
        return err_set(err, ERR_PARSE, "a value of the pool's health_check_config holds a NUL");
    return 0;
}

static int put(struct config *config, const char *key, const char *value, struct err *err)
{
    if (config_count(config) >= CONFIG_MAX_KEYS && !config_get(config, key))
        return err_set(err, ERR_LIMIT, "the pool's health_check_config has more than %d keys",
                       CONFIG_MAX_KEYS);
    json_t *text = json_string(value);
    if (!text)
        return err_set(err, ERR_PARSE, "a value for the pool's health_check_config is no UTF-8");
    return json_object_set_new(config->map, key, text) < 0 ? err_nomem(err) : 0;
}

int config_set(struct config *config, const char *key, const char *value, struct err *err)
{
    if (!value) {
        json_object_del(config->map, key);
        return 0;
    }
    int r = check(key, value, strlen(value), err);
    return r == 0 ? put(config, key, value, err) : r;
}

int config_from_json(const json_t *object, struct config **ret, struct err *err)
{
    CLEANUP(config_cleanup) struct config *config = config_new();
    const char *key;
    json_t *value;
    if (!config)
        return err_nomem(err);
    if (!json_is_object(object))
        return err_set(err, ERR_PARSE, "the pool's health_check_config is no map");
    json_object_foreach((json_t *)object, key, value)
    {
        if (!json_is_string(value))
            return err_set(err, ERR_PARSE, "the pool's health_check_config holds more than texts");
        int r = check(key, json_string_value(value), json_string_length(value), err);
        if (r == 0)
            r = put(config, key, json_string_value(value), err);
        if (r < 0)
            return r;
    }
    *ret = TAKE(config);
    return 0;
}

json_t *config_to_json(const struct config *config)
{
    return json_deep_copy(config->map);
}

int config_read(struct xapi *xapi, struct config **ret, struct err *err)
{
    json_auto_t *map = NULL;
    int r = xapi_call(xapi, "pool.get_health_check_config",
                      json_pack("[s]", xapi_pool_reference(xapi)), &map, NULL, err);
    return r == 0 ? config_from_json(map, ret, err) : r;
}

static bool is_as(const struct config *config, const struct config_change *change)
{
    const char *now = config_get(config, change->key);
    return change->value ? now && strcmp(now, change->value) == 0 : !now;
}

static int write_whole(struct xapi *xapi, const struct config *config, struct err *err)
{
    json_auto_t *result = NULL;
    json_t *map = config_to_json(config);
    if (!map)
        return err_nomem(err);
    return xapi_call(xapi, "pool.set_health_check_config",
                     json_pack("[s, o]", xapi_pool_reference(xapi), map), &result, NULL, err);
}

int config_change(struct xapi *xapi, const struct config_change *changes, size_t count,
                  struct config **ret, struct err *err)
{
    CLEANUP(config_cleanup) struct config *config = NULL;
    bool changed = false;
    int r = config_read(xapi, &config, err);
    for (size_t i = 0; r == 0 && i < count; i++) {
        changed = changed || !is_as(config, &changes[i]);
        r = config_set(config, changes[i].key, changes[i].value, err);
    }
    if (r == 0 && changed)
        r = write_whole(xapi, config, err);
    if (r == 0 && ret)
        *ret = TAKE(config);
    return r;
}
