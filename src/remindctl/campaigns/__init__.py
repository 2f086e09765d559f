"""Campaign files: YAML → ``model.Campaign``, with every problem of every file at its line."""

from remindctl.campaigns.check import problems
from remindctl.campaigns.load import load_campaigns, read_campaigns
from remindctl.campaigns.schema import CampaignFile

__all__ = ["CampaignFile", "load_campaigns", "problems", "read_campaigns"]
