"""A server process under test: started, watched until it answers, measured, stopped."""

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@dataclass
class Server:
    """`seconds`: from start to the first good answer."""

    process: subprocess.Popen[bytes]
    port: int
    seconds: float

    @classmethod
    def start(
        cls, command: list[str], port: int, path: str, log: Path, environment: dict[str, str] | None = None
    ) -> Self:
        """Start `command` and wait until GET `path` answers 200. Raises `TimeoutError`, `ChildProcessError`."""
        begun = time.perf_counter()
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})},
            )
        while time.perf_counter() - begun < 120:
            if process.poll() is not None:
                raise ChildProcessError(f"the server ended with status {process.returncode}: {_last_lines(log)}")
            if _answers(port, path):
                return cls(process, port, time.perf_counter() - begun)
            time.sleep(0.01)
        process.kill()
        raise TimeoutError(f"the server did not answer within two minutes: {_last_lines(log)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask it to end; if it does not within 20 seconds, end it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def helpers(self) -> int:
        """How many processes it has started that still run."""
        return len(_family(self.process.pid)) - 1

    def memory(self) -> float:
        """Resident memory in MB, of the process and its children."""
        return sum(_status(pid, "VmRSS:") for pid in _family(self.process.pid)) / 1024

    def peak_memory(self) -> float:
        """The most resident memory the process itself ever had, in MB."""
        return _status(self.process.pid, "VmHWM:") / 1024

    def written(self) -> int:
        """Bytes that the process had written to the disk."""
        return _io(self.process.pid, "write_bytes:")

    def processor_seconds(self) -> float:
        """Processor time of the process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _family(pid: int) -> list[int]:
    """A process and all below it; each thread has children of its own."""
    below = [each for file in Path(f"/proc/{pid}/task").glob("*/children") for each in file.read_text().split()]
    return [pid] + [each for child in below for each in _family(int(child))]


def _status(pid: int, key: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


def _io(pid: int, key: str) -> int:
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


def _last_lines(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-5:])
