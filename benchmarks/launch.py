"""Run one command and write what it cost, as JSON, to stdout.

Run as ``python -I -S launch.py OUTPUT MEMORY COMMAND…``; the command's own stdout goes to the file
OUTPUT, and it may have MEMORY bytes of writable memory (0: as many as there are).

It is a process of its own, and small, because on Linux a child's peak memory starts at that of the
process that started it: a parent that has polars loaded would hide what a small child needs.
"""

import json
import os
import resource
import sys
import time

if __name__ == "__main__":
    output, memory, *command = sys.argv[1:]
    if int(memory):
        resource.setrlimit(resource.RLIMIT_DATA, (int(memory), int(memory)))
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    started = time.perf_counter()
    pid = os.posix_spawn(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, file, 1)]
    )
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    cost = {
        "wall_seconds": wall,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * unit,
    }
    print(json.dumps({"exit_code": os.waitstatus_to_exitcode(status), "cost": cost}))
