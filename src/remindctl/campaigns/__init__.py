"""Campaign files: YAML → ``model.Campaign``, with every problem of every file at its line."""

from remindctl.campaigns.check import problems
from remindctl.campaigns.load import load_campaigns

__all__ = ["load_campaigns", "problems"]
