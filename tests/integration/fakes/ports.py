# SPDX-License-Identifier: LGPL-2.1-only
"""Ports for servers that cannot be asked which one they got, or that go away and come back to the same one."""
import contextlib
import pathlib
import random
import socket

LOWEST = 10000
EPHEMERAL = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])


def free_port():
    """Free, and below those that the kernel gives to whoever asks for any: nobody gets it by chance in the meantime."""
    while True:
        port = random.SystemRandom().randrange(LOWEST, max(EPHEMERAL, 2 * LOWEST))
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
