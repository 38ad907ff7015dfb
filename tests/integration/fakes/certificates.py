# SPDX-License-Identifier: LGPL-2.1-only
"""Certificates that are wrong in one way each. `openssl ca` makes them, because it sets any date, and signs whatever it is told."""
import pathlib
import subprocess

CONFIGURATION = """
[ca]
default_ca = it
[it]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
policy = any
copy_extensions = none
unique_subject = no
[any]
commonName = supplied
[leaf]
{extensions}
"""
EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
VALID = ("20200101000000Z", "20491231000000Z")
SERVER = "basicConstraints=critical,CA:false\nsubjectAltName={names}\n"
AUTHORITY = "basicConstraints=critical,CA:true{more}\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Certificate:
    """Signed by `issuer`, or by itself. `chain`: what a server sends; `both`: that and the key, in one file."""

    def __init__(self, folder, name, extensions, issuer=None, subject=None, valid=VALID, digest="sha256", key=EC, sends=None):
        base = pathlib.Path(folder) / name
        base.mkdir()
        self.key, self.pem, self.both = base / "key", base / "pem", base / "both"
        (base / "index").touch()
        (base / "conf").write_text(CONFIGURATION.format(folder=base, extensions=extensions))
        openssl("req", "-new", *key, "-nodes", "-sha256", "-subj", f"/CN={subject or name}", "-keyout", self.key, "-out", base / "csr")
        signer = ["-cert", issuer.pem, "-keyfile", issuer.key] if issuer else ["-selfsign", "-keyfile", self.key]
        openssl("ca", "-batch", "-notext", "-config", base / "conf", "-extensions", "leaf", "-startdate", valid[0],
                "-enddate", valid[1], "-md", digest, *signer, "-in", base / "csr", "-out", self.pem)
        self.both.touch(0o600)
        chain = "".join(other.pem.read_text() for other in sends or [])
        self.both.write_text(self.key.read_text() + self.pem.read_text() + chain)
        self.key.chmod(0o600)


def authority(folder, name, issuer=None, more="", **options):
    return Certificate(folder, name, AUTHORITY.format(more=more), issuer, **options)


def server(folder, name, issuer, names="IP:127.0.0.1,DNS:localhost", more="", **options):
    return Certificate(folder, name, SERVER.format(names=names) + more, issuer, **options)


def pin(certificate):
    """As --pin wants it."""
    public = openssl("x509", "-in", certificate.pem, "-noout", "-pubkey")
    raw = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=public, capture_output=True, check=True).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=raw, capture_output=True, check=True).stdout
    return "sha256//" + subprocess.run(["openssl", "base64", "-A"], input=digest, capture_output=True, check=True).stdout.decode()
