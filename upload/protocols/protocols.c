/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The list of protocols, in the order in which --help shows them.
 */
#include "upload/protocols/protocol.h"

const struct protocol *const protocols[] = {
    &protocol_tus,
    &protocol_cis,
    &protocol_s3,
    &protocol_sftp,
    &protocol_https,
    &protocol_file,
    NULL,
};
