# SPDX-License-Identifier: LGPL-2.1-only
"""A tus server that goes by the book and has what the one of npm lacks: checksums, and misfortunes of the test's choice.

It refuses whatever the specification lets it refuse. `misfortunes` are taken by PATCH requests, one each, in their order:
"damage" (a byte arrives as another), "late" (the bytes are stored, the answer is 500), "lock" (423), "conflict" (409),
"short" (half of the bytes are stored and confirmed), "forget" (the upload is gone), "lose" (all bytes are gone), a function
(called before anything is stored), None.
"""
import base64
import hashlib

from fakes import serving

VERSION, TYPE = "1.0.0", "application/offset+octet-stream"


class Upload:
    def __init__(self, size, metadata):
        self.size, self.metadata, self.data = size, metadata, bytearray()


class Handler(serving.Handler):
    def reply(self, status, **headers):
        self.server.fake.log.append((self.command, status))
        self.send_response(status)
        self.send_header("Tus-Resumable", VERSION)
        self.send_header("Cache-Control", "no-store")
        if status != 204:
            self.send_header("Content-Length", "0")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def allowed(self):
        tus = self.server.fake
        if tus.token and self.headers["Authorization"] != f"Bearer {tus.token}":
            self.reply(401)
        elif self.command != "OPTIONS" and self.headers["Tus-Resumable"] != VERSION:
            self.reply(412, Tus_Version=VERSION)
        else:
            return True
        return False

    def do_OPTIONS(self):
        tus = self.server.fake
        if tus.versions != VERSION:
            return self.reply(204, Tus_Version=tus.versions)
        if self.allowed():
            self.reply(204, Tus_Version=VERSION, Tus_Extension=",".join(tus.extensions),
                       **({"Tus_Checksum_Algorithm": ",".join(tus.algorithms)} if tus.algorithms else {}),
                       **({"Tus_Max_Size": tus.max_size} if tus.max_size is not None else {}))

    def do_POST(self):
        tus = self.server.fake
        if not self.allowed():
            return None
        size, metadata = self.headers["Upload-Length"], {}
        if self.headers["Content-Length"] != "0" or not size.isdigit():
            return self.reply(400)
        for pair in self.headers["Upload-Metadata"].split(","):
            key, value = pair.split(" ")
            metadata[key] = base64.b64decode(value, validate=True).decode()
        if tus.max_size is not None and int(size) > tus.max_size:
            return self.reply(413)
        tus.created += 1
        tus.uploads[f"/files/{tus.created}"] = Upload(int(size), metadata)
        return self.reply(201, Location=f"/files/{tus.created}", Upload_Expires=tus.expires)

    def find(self):
        upload = self.allowed() and self.server.fake.uploads.get(self.path)
        if upload is None:
            self.reply(410)
        return upload

    def do_HEAD(self):
        upload = self.find()
        if upload:
            offset = len(upload.data) if self.server.fake.says is None else self.server.fake.says
            self.reply(200, Upload_Offset=offset, Upload_Length=upload.size)

    def do_DELETE(self):
        if self.find():
            del self.server.fake.uploads[self.path]
            self.reply(204)

    def matches(self, body):
        tus = self.server.fake
        if "checksum" not in tus.extensions:
            return self.headers["Upload-Checksum"] is None
        algorithm, value = self.headers["Upload-Checksum"].split(" ")
        tus.used.add(algorithm)
        return algorithm in tus.algorithms and base64.b64encode(hashlib.new(algorithm, body).digest()).decode() == value

    def do_PATCH(self):
        tus, length = self.server.fake, int(self.headers["Content-Length"])
        body = bytearray()
        while len(body) < length:
            piece = self.rfile.read(min(65536, length - len(body)))
            if not piece:
                self.close_connection = True
                return None
            body += piece
        upload = self.find()
        if not upload:
            return None
        tus.patches.append((int(self.headers["Upload-Offset"]), length))
        fate = tus.misfortunes.pop(0) if tus.misfortunes else None
        if callable(fate):
            fate()
        if fate == "forget":
            del tus.uploads[self.path]
            return self.reply(404)
        if fate == "lock":
            return self.reply(423)
        if fate == "damage":
            body[len(body) // 2] ^= 1
        if fate == "lose":
            upload.data.clear()
        if fate == "short":
            upload.data += body[:length // 2]
            return self.reply(204, Upload_Offset=len(upload.data))
        if self.headers["Content-Type"] != TYPE:
            return self.reply(415)
        if fate == "conflict" or int(self.headers["Upload-Offset"]) != len(upload.data):
            return self.reply(409)
        if len(upload.data) + length > upload.size:
            return self.reply(413)
        if not self.matches(body):
            return self.reply(460)
        upload.data += body
        return self.reply(500) if fate == "late" else self.reply(204, Upload_Offset=len(upload.data))


class StrictTus(serving.Server):
    def __init__(self, pem, token=None):
        self.token, self.uploads, self.created = token, {}, 0
        self.versions, self.extensions, self.max_size = VERSION, ["creation", "expiration", "termination", "checksum"], None
        self.algorithms, self.expires = ["md5", "sha1", "sha256"], "Fri, 25 Dec 2099 16:00:00 GMT"
        self.misfortunes, self.says = [], None  # what HEAD claims instead of the truth
        self.log, self.patches, self.used = [], [], set()
        super().__init__(Handler, pem)
        self.url = f"tus+{self.origin}/files"

    def methods(self):
        return [method for method, _ in self.log]
