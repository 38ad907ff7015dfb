# SPDX-License-Identifier: LGPL-2.1-only
"""What made-up HTTP servers share: a free port of the loopback interface, TLS, clients that hang up, and an end."""
import http.server
import threading

from fakes.tls import server_context


class Handler(http.server.BaseHTTPRequestHandler):
    """Keeps quiet. The server that it works for is self.server.fake."""

    protocol_version = "HTTP/1.1"
    timeout = 120
    disable_nagle_algorithm = True  # 40 ms an answer

    def log_message(self, *_):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True


class Server:
    """Serves until its block ends, with TLS when there is a certificate (a file with its key)."""

    def __init__(self, handler, pem=None):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads, self.server.fake = True, self
        if pem:
            self.server.socket = server_context(pem).wrap_socket(self.server.socket, server_side=True,
                                                                 do_handshake_on_connect=False)
        self.port = self.server.server_port
        self.origin = f"http{'s' * bool(pem)}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
