# SPDX-License-Identifier: LGPL-2.1-only
"""The Health Check service that XenCenter of XenServer 7 talks to: tokens, chunked uploads, progress and results.

All on one origin. It behaves as XenCenter's clients need it: ids are texts, a chunk may come twice, an upload token opens
the results as well. `strict` refuses what XenCenter would never send. `misfortunes` are taken by chunks, one each, in their
order: an HTTP status (the bytes are not kept), "late" (they are kept, the answer is 500), "cut" (kept, no answer), "page"
(200 with something that is not JSON), "forget" (the bundle is gone), "stuck" (all is kept and called incomplete), a function
(called when the bytes are kept, before the answer), None.
"""
import json
import threading
import urllib.parse
import uuid

from fakes import serving

CHUNK = 1 << 20
PRODUCT_KEY = "1a2d94a4263cd016dd7a7d510bde87f058a0b75d"


class Refusal(Exception):
    """An HTTP status that ends a request."""


class Bundle:
    def __init__(self, size, name, case, verbosity):
        self.size, self.name, self.case, self.verbosity = size, name, case, verbosity
        self.chunks = {}  # by offset

    @property
    def data(self):
        """What there is without a gap."""
        whole = bytearray()
        for offset, data in sorted(self.chunks.items()):
            if offset > len(whole):
                break
            whole[offset:offset + len(data)] = data
        return bytes(whole)

    @property
    def is_complete(self):
        return len(self.data) == self.size


class Handler(serving.Handler):
    def send_error(self, code, message=None, explain=None):
        self.close_connection = True
        self.reply(code, b"<html>")

    def reply(self, status, body, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in self.server.fake.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        service = self.server.fake
        length = int(self.headers["Content-Length"] or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True  # the client was cut: nothing is kept that may overtake what it sends again
            return None
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        status, answer = 404, {}
        try:
            action = service.actions.get((self.command, url.path))
            if url.path.startswith("/AutoSupport/analysis/upload_overview/"):
                return self.reply(200, b"<!DOCTYPE html><title>Results</title>", "text/html")
            if action:
                status, answer = 200, action(self.headers, query, body)
        except Refusal as refusal:
            status = refusal.args[0]
        except (ValueError, KeyError):
            status = 400
        with service.lock:
            service.log.append((url.path, status))
        if answer is None:  # a cut
            self.close_connection = True
            return None
        return self.reply(status, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    do_GET = do_POST = serve


class HealthCheckService(serving.Server):
    def __init__(self, pem=None, user="admin", password="not-a-real-secret-password", strict=True):
        self.user, self.password, self.strict = user, password, strict
        self.tokens = {}  # token -> "identity", "grant", "upload", "diagnostic"
        self.bundles, self.progress, self.results = {}, {}, {}
        self.misfortunes, self.log, self.chunks = [], [], []  # chunks: (id, offset, length)
        self.number_ids, self.has_status, self.token_name, self.has_diagnostic = False, True, "token", True
        self.headers, self.wishes, self.lock = {}, [], threading.Lock()  # wishes: (step, body) of requests for tokens
        self.actions = {
            ("POST", "/auth/api/create_identity/"): self.create_identity,
            ("POST", "/feeds/api/create_grant/"): self.create_grant,
            ("POST", "/feeds/api/create_upload/"): self.create_upload,
            ("POST", "/diag_sdk/token_grant/"): self.create_diagnostic,
            ("POST", "/feeds/api/bundle/"): self.open_bundle,
            ("POST", "/feeds/api/upload_raw_chunk/"): self.take_chunk,
            ("GET", "/diag_sdk/analysis_progress/"): self.tell_progress,
            ("GET", "/diag_sdk/diag_results/"): self.tell_results,
        }
        super().__init__(Handler, pem)
        self.url = f"cis+{self.origin}/feeds/api/"

    # Tokens

    def token(self, kind):
        token = f"not-a-real-{kind}-token-{uuid.uuid4().hex}"
        self.tokens[token] = kind
        return token

    def issue(self, kind):
        return {self.token_name: self.token(kind)}

    def wish(self, step, headers, body):
        if self.strict and headers["Content-Type"].split(";")[0] != "application/json":
            raise Refusal(415)
        wish = json.loads(body)
        self.wishes.append((step, wish))
        return wish

    def create_identity(self, headers, _, body):
        wish = self.wish("identity", headers, body)
        if (wish["username"], wish["password"]) != (self.user, self.password):
            raise Refusal(403)
        return self.issue("identity")

    def create_grant(self, headers, _, body):
        wish = self.wish("grant", headers, body)
        if self.tokens.get(wish["identity_token"]) != "identity" or wish.get("expiration", 1) <= 0:
            raise Refusal(401)
        return self.issue("grant")

    def create_upload(self, headers, _, body):
        wish = self.wish("upload", headers, body)
        if self.tokens.get(wish["grant_token"]) != "grant" or wish["product_key"] != PRODUCT_KEY or wish["expiration"] < 0:
            raise Refusal(401)
        return self.issue("upload")

    def create_diagnostic(self, headers, _, body):
        if not self.has_diagnostic:
            raise Refusal(404)
        self.need(headers, "identity")
        wish = self.wish("diagnostic", headers, body)
        if wish["agent"] != "XenServer" or wish["max_age"] < 0:
            raise Refusal(400)
        return self.issue("diagnostic")

    def need(self, headers, *kinds):
        scheme, _, token = (headers["Authorization"] or "").partition(" ")
        if scheme != "BT" or self.tokens.get(token) not in kinds:
            raise Refusal(401)

    # Uploads

    def open_bundle(self, headers, query, body):
        self.need(headers, "upload")
        size, case = int(query["size"]), query.get("sr")
        verbosity = json.loads(body)["verbosity"]
        if self.strict and (headers["Expect"] or headers["Content-Type"].split(";")[0] != "application/json" or
                            verbosity not in ("2", "9") or not query["name"] or
                            case is not None and not 1 <= int(case) <= 999999999):
            raise Refusal(400)
        name = 1000 + len(self.bundles) if self.number_ids else str(uuid.uuid4())
        self.bundles[str(name)] = Bundle(size, query["name"], case, verbosity)
        return {"id": name}

    def take_chunk(self, headers, query, body):
        self.need(headers, "upload")
        with self.lock:
            bundle, offset = self.bundles.get(query["id"]), int(query["offset"])
            self.chunks.append((query["id"], offset, len(body)))
            fate = self.misfortunes.pop(0) if self.misfortunes else None
            if fate == "forget":
                del self.bundles[query["id"]]
            if bundle is None or fate == "forget":
                raise Refusal(404)
            if isinstance(fate, int):
                raise Refusal(fate)
            if self.strict and (headers["Content-Type"] != "application/octet-stream" or not 0 < len(body) <= CHUNK or
                                offset > len(bundle.data) or offset + len(body) > bundle.size):
                raise Refusal(400)
            bundle.chunks[offset] = body
        if callable(fate):
            fate()
        if fate == "stuck":
            return {"status": "incomplete"}
        if fate == "late":
            raise Refusal(500)
        if fate == "cut":
            return None
        if fate == "page":
            return b"<html>Log in to the hotel's network</html>"
        return {"status": "complete" if bundle.is_complete else "incomplete"} if self.has_status else {}

    # Results

    def tell_progress(self, headers, query, _):
        self.need(headers, "diagnostic", "upload")
        name = query["upload_id"]
        return {name: self.progress.get(name, 100)} if name in self.bundles else {}

    def tell_results(self, headers, query, _):
        self.need(headers, "diagnostic", "upload")
        return {"results": self.results.get(query["upload_uuid"], [])}
