// SPDX-License-Identifier: LGPL-2.1-only
// s3rver of npm on a free port of the loopback interface; ends when its standard input does.
// Its one argument is JSON: {folder, bucket, access_key, secret_key}. Prints the port.
'use strict';
const path = require('node:path');
const s3rver = path.join(__dirname, '..', 'node', 'node_modules', '@20minutes', 's3rver');
const S3rver = require(s3rver);
const { DUMMY_ACCOUNT } = require(path.join(s3rver, 'lib', 'models', 'account'));

const options = JSON.parse(process.argv[2]);
DUMMY_ACCOUNT.createKeyPair(options.access_key, options.secret_key);
const server = new S3rver({
    directory: options.folder, address: '127.0.0.1', port: 0, silent: true, vhostBuckets: false,
    configureBuckets: [{ name: options.bucket }],
});
server.run().then(({ port }) => console.log(port));
process.stdin.on('end', () => process.exit(0)).resume();
