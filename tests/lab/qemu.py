# SPDX-License-Identifier: MIT
"""Lab kernels in qemu, without any need of hardware support: for AddressSanitizer and ThreadSanitizer, and for what user-mode-linux lacks."""
import os
import re
import socket
import subprocess

import kernel


def listening(folder, name):
    """A listening socket `name` in a folder whose path may be longer than a socket's may be. For root alone, as the folder's files are served."""
    directory = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(f"/proc/self/fd/{directory}/{name}")
        os.chmod(folder / name, 0o600)  # before anybody can connect
        server.listen(1)
        return server
    finally:
        os.close(directory)


class Qemu:
    slowness = 4  # by what time limits are multiplied
    rehearsal = "main-manual"  # run once before the others, which brings most of our code through the emulator

    def __init__(self):
        subprocess.run([kernel.TOP / "tests/lab/qemu-unpack.sh", kernel.LAB], check=True)

    def start(self, share, console, _processor):
        with listening(share, "root.sock") as root, listening(share, "share.sock") as own:
            command = [kernel.TOP / "tests/lab/qemu.sh", str(root.fileno()), str(own.fileno()), str(kernel.LAB / "qemu"), str(kernel.TOP)]
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True, cwd=share,
                                    pass_fds=[root.fileno(), own.fileno()])

    def preload(self, build):
        """The sanitizer's library, which a program of others must have loaded before the plugin of this build."""
        needed = subprocess.run(["ldd", build / ".libs/mech_ipsec.so"], capture_output=True, text=True).stdout
        found = re.search(r"=> (\S*(lib[at]san|libclang_rt\.asan)\S*)", needed)
        return found[1] if found else ""
