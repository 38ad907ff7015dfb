// SPDX-License-Identifier: LGPL-2.1-only
// The tus server of npm behind TLS, on a free port of the loopback interface; ends when its standard input does.
// Its one argument is JSON: {folder, pem, token, expires (ms), max, location: "absolute"|"relative"|"foreign"}.
// Prints the port, then a JSON line a request when it has ended.
'use strict';
const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const packages = path.join(__dirname, '..', 'node', 'node_modules', '@tus');
const { Server } = require(path.join(packages, 'server'));
const { FileStore } = require(path.join(packages, 'file-store'));

const options = JSON.parse(process.argv[2]);
const store = new FileStore({ directory: options.folder, expirationPeriodInMilliseconds: options.expires || 0 });
const tus = new Server({
    path: '/files',
    datastore: store,
    maxSize: options.max,
    relativeLocation: options.location === 'relative',
    generateUrl: options.location === 'relative' ? undefined
        : (request, { host, path: base, id }) =>
            `https://${options.location === 'foreign' ? 'localhost:1' : host}${base}/${id}`,
});

let count = 0;
const pem = fs.readFileSync(options.pem);
const server = https.createServer({ key: pem, cert: pem, minVersion: 'TLSv1.2' }, (request, response) => {
    const allowed = !options.token || request.headers.authorization === `Bearer ${options.token}`;
    const number = count++;
    response.on('close', () => {
        console.log(JSON.stringify({
            number, method: request.method, url: request.url, allowed, status: response.statusCode,
            offset: request.headers['upload-offset'], metadata: request.headers['upload-metadata'],
        }));
    });
    if (!allowed) {
        response.writeHead(401).end();
        return;
    }
    tus.handle(request, response);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
