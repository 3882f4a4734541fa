"""The load generator: a process of its own that plays requests made beforehand, each client one after the other.

`python -m tests.bench.load` reads a plan from its standard input, JSON: {"port", "seconds", "clients": [[request, …],
…]}, each request the bytes of an HTTP request in Latin-1. It prints JSON: {"seconds", "good", "bad", "latencies"}, the
latencies in seconds. A client that has played all its requests is done.
"""

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Played:
    """`latencies`: seconds of each answered request, sorted. `bad`: answers that were not 200."""

    seconds: float
    good: int
    bad: int
    latencies: list[float]

    @property
    def rate(self) -> float:
        return self.good / self.seconds

    def percentile(self, share: float) -> float:
        return self.latencies[min(int(share * len(self.latencies)), len(self.latencies) - 1)]


def play(port: int, clients: list[list[bytes]], seconds: float) -> Played:
    """Play the clients' requests for some seconds, all clients at once, in another process."""
    plan = {"port": port, "seconds": seconds, "clients": [[each.decode("latin-1") for each in all] for all in clients]}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"], input=json.dumps(plan), capture_output=True, text=True, check=True
    )
    return Played(**json.loads(done.stdout))


def request(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """An HTTP/1.1 request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()] + [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


async def _client(port: int, requests: list[bytes], until: float, latencies: list[float], bad: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for each in requests:
        begun = time.perf_counter()
        if begun > until:
            break
        writer.write(each)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        latencies.append(time.perf_counter() - begun)
        if not head.startswith(b"HTTP/1.1 200"):
            bad.append(head)
        if b"connection: close" in head.lower():
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def _main() -> None:
    plan = json.load(sys.stdin)
    clients = [[each.encode("latin-1") for each in all] for all in plan["clients"]]
    latencies: list[float] = []
    bad: list[bytes] = []
    begun = time.perf_counter()
    until = begun + plan["seconds"]
    await asyncio.gather(*(_client(plan["port"], requests, until, latencies, bad) for requests in clients))
    seconds = time.perf_counter() - begun
    good = len(latencies) - len(bad)
    print(json.dumps({"seconds": seconds, "good": good, "bad": len(bad), "latencies": sorted(latencies)}))


if __name__ == "__main__":
    asyncio.run(_main())
