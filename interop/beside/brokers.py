"""Brokers and a C client to measure with."""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OUT = ROOT / "target" / "interop"
TICKS = os.sysconf("SC_CLK_TCK")
START_MAX_S = 60


def run(command, timeout=300):
    """The stdout of `command`, which must succeed."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=timeout
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def build_client():
    """Compiles the C client against the librdkafka inside the newest confluent-kafka's wheel."""

    def version(folder):
        return [int(number) for number in folder.name.rsplit("-", 1)[1].split(".")]

    wheels = sorted((OUT / "python").glob("confluent-kafka-*"), key=version)
    inside = "lib/python*/site-packages/confluent_kafka.libs/librdkafka-*.so*"
    found = sorted(wheels[-1].glob(inside)) if wheels else []
    if not found:
        sys.exit("confluent-kafka is not installed. Run `interop/install`.")
    library = found[-1]
    client = OUT / "beside-client"
    run(
        ["gcc", "-O2", "-Wall", "-Wextra", "-o", client, ROOT / "interop/beside/client.c"]
        + [library, f"-Wl,-rpath,{os.path.dirname(library)}", "-lpthread"]
    )
    return client


def free_port():
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def serves(port):
    """Whether Metadata (version 4, no topics) names a broker."""
    frame = struct.pack(">hhih", 3, 4, 1, -1) + struct.pack(">ib", 0, 0)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as stream:
            stream.sendall(struct.pack(">i", len(frame)) + frame)
            answer = stream.recv(64)
            # Length, correlation id, throttle time, count of brokers.
            return len(answer) >= 16 and struct.unpack(">i", answer[12:16])[0] > 0
    except OSError:
        return False


class Broker:
    """A broker process, and what it has used."""

    def __init__(self, command, port, log):
        self.port = port
        self.address = f"127.0.0.1:{port}"
        started = time.monotonic()
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
        while not serves(port):
            if self.process.poll() is not None or time.monotonic() - started > START_MAX_S:
                self.stop()
                sys.exit(f"{command[0]} does not serve; see {log.name}")
            time.sleep(0.005)
        self.start_s = time.monotonic() - started

    def cpu_s(self):
        """CPU seconds so far."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_mib(self):
        """The most memory that was resident."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024

    def stop(self):
        """Ends it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def start_mqd(binary, folder, log):
    """mqd with its defaults."""
    port = free_port()
    return Broker([binary, "--data-dir", folder, "--listen", f"127.0.0.1:{port}"], port, log)
