# SPDX-License-Identifier: LGPL-2.1-only
"""A certification authority for the tests, made with openssl, and certificates of it for servers on the loopback interface."""
import pathlib
import ssl
import subprocess

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
LOOPBACK = "subjectAltName=IP:127.0.0.1,DNS:localhost"


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60).stdout


class Authority:
    """`pem` is what clients trust."""

    def __init__(self, folder, name="ca", subject="Authority of the tests"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.pem, self.key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        openssl("req", "-x509", *EC, "-nodes", "-sha256", "-keyout", self.key, "-out", self.pem, "-days", 30,
                "-subj", f"/CN={subject}")

    def certificate(self, name, *extensions, subject="127.0.0.1", days=30, digest="sha256", key=EC):
        """A key and its certificate in one file; without extensions it is one for 127.0.0.1 and localhost."""
        private, public = self.folder / f"{name}.key", self.folder / f"{name}.crt"
        arguments = ["req", "-x509", *key, "-nodes", f"-{digest}", "-CA", self.pem, "-CAkey", self.key, "-keyout", private,
                     "-out", public, "-days", days, "-subj", f"/CN={subject}", "-addext", "basicConstraints=critical,CA:false"]
        for extension in extensions or (LOOPBACK,):
            arguments += ["-addext", extension]
        openssl(*arguments)
        both = self.folder / f"{name}.both.pem"
        both.touch(0o600)
        both.write_text(private.read_text() + public.read_text())
        return both


def server_context(pem):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(pem)
    return context
