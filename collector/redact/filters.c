/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * All filters, by the names the catalog uses.
 */
#include "collector/redact/filter.h"
#include "collector/redact/json.h"
#include "collector/redact/lines.h"
#include "collector/redact/packed.h"
#include "collector/redact/redact.h"
#include "collector/redact/xapi_db.h"

#define LINE_FILTER(filter_name, open_function)                                                    \
    {                                                                                              \
        .name = (filter_name), .open = (open_function), .write = lines_write,                      \
        .finish = lines_finish, .free = lines_free                                                 \
    }
#define JSON_FILTER(filter_name, open_function)                                                    \
    {                                                                                              \
        .name = (filter_name), .open = (open_function), .write = json_filter_write,                \
        .finish = json_filter_finish, .free = json_filter_free                                     \
    }

const struct filter_ops filters[] = {
    {.name = "xapi-db",
     .open = xapi_db_open,
     .write = xapi_db_write,
     .finish = xapi_db_finish,
     .free = xapi_db_free},
    JSON_FILTER("xapi-clusterd", json_open_clusterd),
    JSON_FILTER("snmp-xs", json_open_snmp),
    LINE_FILTER("xenstore", lines_open_xenstore),
    LINE_FILTER("snmpd-xs", lines_open_snmpd),
    LINE_FILTER("snmpd", lines_open_snmpd),
    {.name = REDACT_SECRETS,
     .open = packed_open,
     .write = packed_write,
     .finish = packed_finish,
     .free = packed_free},
    {.name = NULL},
};
