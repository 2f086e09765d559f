"""remindctl: repurchase cycles and due reminders from a shop's own export files."""

__version__ = "0.1.0"
