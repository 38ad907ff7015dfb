# SPDX-License-Identifier: LGPL-2.1-only
"""An S3 server on the loopback interface: s3rver of npm stores the objects, and what it lacks stands in front of it.

The front verifies every signature with an implementation of its own (so does s3rver), the digests of bodies, which s3rver
does not look at, and the clock. It lists parts, aborts uploads, and refuses to complete what does not fit. Tests make it
odd: `odd` gets each request before it is carried out and returns an answer or None; `after` gets it with the answer and
returns the answer that is sent, or None to hang up.
"""
import base64
import contextlib
import dataclasses
import datetime
import hashlib
import hmac
import http.client
import json
import pathlib
import subprocess
import threading
import urllib.parse
from xml.sax.saxutils import escape

from fakes import serving

HERE = pathlib.Path(__file__).parent
SAFE = "-_.~"
STATUS = {"NoSuchUpload": 404, "NoSuchBucket": 404, "InvalidPart": 400, "BadDigest": 400, "XAmzContentSHA256Mismatch": 400,
          "AuthorizationHeaderMalformed": 400, "EntityTooSmall": 400, "MissingContentLength": 411, "InternalError": 500,
          "SlowDown": 503, "NotImplemented": 501}


class Refused(Exception):
    def __init__(self, code, message="refused by the test", **fields):
        super().__init__(code)
        self.code, self.message, self.fields = code, message, fields

    def answer(self, status=None):
        inner = "".join(f"<{name}>{escape(str(value))}</{name}>"
                        for name, value in {"Code": self.code, "Message": self.message, **self.fields}.items())
        return Answer(status or STATUS.get(self.code, 403), f"<?xml version=\"1.0\"?>\n<Error>{inner}</Error>".encode())


@dataclasses.dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Request:
    method: str
    path: str  # as it was sent
    query: dict
    headers: dict  # names in small letters
    body: bytes
    raw_query: str

    @property
    def step(self):
        if "uploads" in self.query:
            return "create"
        if "uploadId" in self.query:
            return {"PUT": "part", "POST": "complete", "GET": "list", "DELETE": "abort"}[self.method]
        return {"PUT": "put", "HEAD": "look", "GET": "get"}[self.method]

    @property
    def number(self):
        return int(self.query["partNumber"])


def keyed(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def encode(text, safe=SAFE):
    return urllib.parse.quote(text, safe=safe)


def verify(request, access_key, secret_key, session_token, region, now):
    """By the book: "Authenticating Requests (AWS Signature Version 4)" of the Amazon S3 API Reference."""
    algorithm, _, rest = request.headers.get("authorization", "").partition(" ")
    if algorithm != "AWS4-HMAC-SHA256":
        raise Refused("AccessDenied", "no signature of version 4")
    fields = dict(word.strip().split("=", 1) for word in rest.split(","))
    key, day, asked, service, end = fields["Credential"].split("/")
    if key != access_key:
        raise Refused("InvalidAccessKeyId")
    if request.headers.get("x-amz-security-token") != session_token:
        raise Refused("InvalidToken")
    if asked != region:
        raise Refused("AuthorizationHeaderMalformed", f"the region '{asked}' is wrong; expecting '{region}'", Region=region)
    date = request.headers["x-amz-date"]
    time = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    if abs((time - now).total_seconds()) > 900:
        raise Refused("RequestTimeTooSkewed", ServerTime=now.isoformat())
    signed = fields["SignedHeaders"].split(";")
    wanted = {"host", *(name for name in request.headers if name.startswith("x-amz-") or name == "content-md5")}
    if signed != sorted(signed) or not wanted <= set(signed):
        raise Refused("SignatureDoesNotMatch", f"{wanted - set(signed)} not signed")
    path = encode(urllib.parse.unquote(request.path, errors="strict"), SAFE + "/")
    if path != request.path:
        raise Refused("SignatureDoesNotMatch", f"'{request.path}' is not the canonical form '{path}'")
    pairs = urllib.parse.parse_qsl(request.raw_query, keep_blank_values=True, strict_parsing=bool(request.raw_query))
    query = "&".join(sorted(f"{encode(name)}={encode(value)}" for name, value in pairs))
    lines = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in signed)
    canonical = "\n".join([request.method, path, query, lines, ";".join(signed), request.headers["x-amz-content-sha256"]])
    scope = f"{day}/{asked}/{service}/{end}"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret_key}".encode()
    for word in (date[:8], region, "s3", "aws4_request"):
        key = keyed(key, word)
    if not hmac.compare_digest(keyed(key, text).hex(), fields["Signature"]):
        raise Refused("SignatureDoesNotMatch")
    if request.headers["x-amz-content-sha256"] != hashlib.sha256(request.body).hexdigest():
        raise Refused("XAmzContentSHA256Mismatch")
    digest = base64.b64encode(hashlib.md5(request.body).digest()).decode()
    if request.body and request.headers.get("content-md5") != digest:
        raise Refused("BadDigest")


class Handler(serving.Handler):
    def handle_any(self):
        server = self.server.fake
        path, _, raw_query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        request = Request(self.command, path, dict(urllib.parse.parse_qsl(raw_query, keep_blank_values=True)),
                          {name.lower(): value for name, value in self.headers.items()}, body, raw_query)
        if len(body) < int(self.headers.get("content-length", 0)):
            self.close_connection = True  # the client was cut: S3 keeps nothing of it
            return
        with server.lock:
            server.requests.append(request)
        answer = server.answer(request, self.path)
        if server.after:
            answer = server.after(request, answer)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any


class S3Server(serving.Server):
    """`arguments` lead xen-upload here. `etags`: "md5", or "opaque" as servers have them that encrypt."""

    bucket = "reports"

    def __init__(self, folder, pem=None, access_key="test-access", secret_key="test-secret", session_token=None,
                 region="us-east-1", etags="md5", page=1000, least_part=0):
        self.folder, self.region, self.etags, self.page, self.least_part = pathlib.Path(folder), region, etags, page, least_part
        self.access_key, self.secret_key, self.session_token = access_key, secret_key, session_token
        self.folder.mkdir(parents=True, exist_ok=True)
        self.odd = self.after = None
        self.clock = datetime.timedelta()  # how far the server's is ahead
        self.requests, self.refused, self.lock = [], [], threading.Lock()
        options = {"folder": str(self.folder), "bucket": self.bucket, "access_key": access_key, "secret_key": secret_key}
        self.store = subprocess.Popen(["node", HERE / "s3_server.cjs", json.dumps(options)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)
        self.store_port = int(self.store.stdout.readline())
        super().__init__(Handler, pem)

    def arguments(self, key="", region=None):
        plain = ["--allow-plain"] if self.origin.startswith("http:") else []
        return [f"s3://{self.bucket}/{key}", "--endpoint", self.origin, "--region", region or self.region, *plain]

    def __exit__(self, *_):
        super().__exit__()
        self.store.stdin.close()
        self.store.stdout.close()
        self.store.wait()

    def forget(self):
        """What was asked so far."""
        self.requests, self.refused = [], []

    def steps(self):
        return [request.step for request in self.requests]

    def count(self, step):
        return self.steps().count(step)

    # What is stored, as s3rver has it on disk.

    def object(self, key):
        path = self.folder / self.bucket / (key + "._S3rver_object")
        return path.read_bytes() if path.exists() else None

    def keys(self):
        folder = self.folder / self.bucket
        return sorted(str(path.relative_to(folder)).removesuffix("._S3rver_object")
                      for path in folder.rglob("*._S3rver_object"))

    @property
    def uploads(self):
        folder = self.folder / self.bucket / "._S3rver_uploads"
        return {path.name: path for path in folder.iterdir()} if folder.exists() else {}

    def parts(self, upload_id):
        folder = self.uploads[upload_id]
        return {int(path.name): path for path in folder.iterdir()
                if path.name.isdigit() and (folder / f"{path.name}.md5").exists()}

    def etag_of(self, data):
        digest = hashlib.md5(data).hexdigest()
        return digest if self.etags == "md5" else hashlib.sha256(digest.encode()).hexdigest()[:32]

    # Answers.

    def list_parts(self, request):
        upload_id = request.query["uploadId"]
        marker, page = int(request.query.get("part-number-marker", 0)), min(int(request.query.get("max-parts", 1000)), self.page)
        parts = sorted((n, path) for n, path in self.parts(upload_id).items() if n > marker)
        shown = "".join(f"<Part><PartNumber>{n}</PartNumber><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                        f"<ETag>&quot;{self.etag_of(path.read_bytes())}&quot;</ETag><Size>{path.stat().st_size}</Size></Part>"
                        for n, path in parts[:page])
        more = len(parts) > page
        following = f"<NextPartNumberMarker>{parts[page - 1][0]}</NextPartNumberMarker>" if more else ""
        return Answer(200, f"<?xml version=\"1.0\"?><ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                           f"<UploadId>{upload_id}</UploadId><IsTruncated>{str(more).lower()}</IsTruncated>{following}{shown}"
                           "</ListPartsResult>".encode())

    def abort(self, request):
        folder = self.uploads[request.query["uploadId"]]
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        return Answer(204)

    def check_completion(self, request):
        parts = self.parts(request.query["uploadId"])
        texts = request.body.decode().split("<Part>")[1:]
        numbers = []
        for text in texts:
            number = int(text.split("<PartNumber>")[1].split("<")[0])
            etag = text.split("<ETag>")[1].split("<")[0].replace("&quot;", "").strip('"')
            if number not in parts or etag != self.etag_of(parts[number].read_bytes()):
                raise Refused("InvalidPart")
            numbers.append(number)
        if numbers != sorted(set(numbers)):
            raise Refused("InvalidPartOrder")
        if any(parts[n].stat().st_size < self.least_part for n in numbers[:-1]):
            raise Refused("EntityTooSmall")

    def forward(self, request, raw_path):
        connection = http.client.HTTPConnection("127.0.0.1", self.store_port, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(request.method, raw_path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                if name not in ("connection", "expect"):
                    connection.putheader(name, value)
            connection.endheaders(request.body or None)
            response = connection.getresponse()
            kept = {name: value for name, value in response.getheaders()
                    if name.lower() not in ("connection", "transfer-encoding", "keep-alive", "content-length")}
            body = response.read()
            if request.method == "HEAD":
                kept["Content-Length"] = response.getheader("Content-Length")
            return Answer(response.status, body, kept)

    def answer(self, request, raw_path):
        odd = self.odd and self.odd(request)
        if odd:
            return odd
        try:
            now = datetime.datetime.now(datetime.timezone.utc) + self.clock
            verify(request, self.access_key, self.secret_key, self.session_token, self.region, now)
            if not request.path.startswith(f"/{self.bucket}/"):
                raise Refused("NoSuchBucket")
            if "uploadId" in request.query and request.query["uploadId"] not in self.uploads:
                raise Refused("NoSuchUpload", "it may have been aborted or completed")
            if request.step == "list":
                return self.list_parts(request)
            if request.step == "abort":
                return self.abort(request)
            if request.step == "complete":
                self.check_completion(request)
        except Refused as refused:
            with self.lock:
                self.refused.append(refused.code)
            return refused.answer()
        answer = self.forward(request, raw_path)
        if request.step == "part" and self.etags != "md5":
            answer.headers["ETag"] = f'"{self.etag_of(request.body)}"'
        return answer
