/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The answer to --capabilities: XML that XAPI hands on unchanged to XenCenter and to the bash
 * completion of xe, which needs one element a line and an attribute before `key`: hence
 * alphabetical attributes.
 */
#pragma once

#include "collector/catalog/catalog.h"
#include "common/strbuf.h"

void capability_xml_write(const struct catalog *catalog, struct strbuf *out);
