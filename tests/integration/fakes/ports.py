# SPDX-License-Identifier: LGPL-2.1-only
"""
Ports for servers that cannot be asked which one they got, or that go away and come back to the same one.

Two test processes that run side by side never get the same one: whoever has it holds an abstract Unix socket of that name,
which the kernel frees when the process ends, however it does.
"""
import contextlib
import pathlib
import random
import socket

LOWEST = 10000
EPHEMERAL = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
held = []


def free_port():
    """Free, and below those that the kernel gives to whoever asks for any: nobody gets it by chance in the meantime."""
    while True:
        port, name = random.SystemRandom().randrange(LOWEST, max(EPHEMERAL, 2 * LOWEST)), socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            name.bind(f"\0xenhealth-test-port-{port}")
            with socket.create_server(("127.0.0.1", port)):
                held.append(name)
                return port
        name.close()


def is_open(port):
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=60):
        return True
    return False
