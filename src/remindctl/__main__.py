"""``python -m remindctl``."""

from remindctl.cli import main

main()
