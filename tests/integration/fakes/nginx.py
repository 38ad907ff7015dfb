# SPDX-License-Identifier: LGPL-2.1-only
"""nginx with WebDAV's PUT on the loopback interface, behind TLS: where a support team takes plain uploads."""
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess

from fakes.ports import free_port, is_open
from torture import wait_until

PRCTL, PR_SET_PDEATHSIG = ctypes.CDLL(None).prctl, 1
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")

CONFIGURATION = """
{user}
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/unused1; fastcgi_temp_path {folder}/unused2;
    uwsgi_temp_path {folder}/unused3; scgi_temp_path {folder}/unused4;
    client_max_body_size 1g;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {pem}; ssl_certificate_key {pem};
        location / {{
            root {root};
            dav_methods PUT;
            create_full_put_path on;
            {location}
        }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(folder, pem, location=""):
    """Yields the port and the folder that it puts files into. `location`: more lines of configuration."""
    folder = pathlib.Path(folder)
    root = folder / "root"
    root.mkdir(parents=True)
    port = free_port()
    (folder / "nginx.conf").write_text(CONFIGURATION.format(
        user="user root;" if os.getuid() == 0 else "", folder=folder, port=port, pem=pem, root=root, location=location))
    with open(folder / "output", "wb") as output:
        server = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"],
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                  preexec_fn=lambda: PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM))  # tests may be killed
    try:
        assert wait_until(lambda: is_open(port) or server.poll() is not None)
        assert server.poll() is None, (folder / "error.log").read_text() + (folder / "output").read_text()
        yield port, root
    finally:
        server.terminate()
        server.wait()
