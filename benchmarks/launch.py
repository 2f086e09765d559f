"""Run one command and write what it cost, as JSON, to stdout.

Run as ``python -I -S launch.py OUTPUT MEMORY COMMAND…``; the command's own stdout goes to the file
OUTPUT. With more than MEMORY bytes in use (0: no limit) it is killed.

It is a process of its own, and small, because on Linux a child's peak memory starts at that of the
process that started it: a parent that has polars loaded would hide what a small child needs.
"""

import json
import os
import signal
import sys
import threading
import time

LOOK_EVERY = 0.02  # seconds


def keep_below(pid: int, memory: int) -> None:
    """Kill a process once its own memory, without the files that it has mapped, is more."""
    while True:
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:  # noqa: PTH123 (is slow)
                used = [int(line.split()[1]) for line in file if line.startswith("RssAnon:")]
            if used and used[0] * 1024 > memory:
                os.kill(pid, signal.SIGKILL)
        except OSError:  # it has ended
            return
        time.sleep(LOOK_EVERY)


if __name__ == "__main__":
    output, memory, *command = sys.argv[1:]
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    started = time.perf_counter()
    pid = os.posix_spawn(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, file, 1)]
    )
    if int(memory):
        threading.Thread(target=keep_below, args=(pid, int(memory)), daemon=True).start()
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    cost = {
        "wall_seconds": wall,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * unit,
    }
    print(json.dumps({"exit_code": os.waitstatus_to_exitcode(status), "cost": cost}))
