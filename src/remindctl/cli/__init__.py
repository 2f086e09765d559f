"""The shell: reads arguments, wires the world to the line, picks the exit code.

Importing this package must stay cheap: ``--help`` waits for it. Commands import what they need.
"""

from __future__ import annotations

from remindctl.cli.app import main

__all__ = ["main"]
