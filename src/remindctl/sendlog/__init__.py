"""The send log: what was sent to whom, so that no one is messaged twice.

A message is *claimed* before its request leaves and *settled* after the answer: claimed → sent,
rejected, failed or unknown; later sent → delivered or undelivered. ``control`` stands beside them,
for people who were held out. ``failed`` (surely not sent) may be claimed again, ``unknown`` (maybe
sent) never, until someone settles it. A claim that a dead run left behind becomes ``unknown``.

A claim holds keyed hashes of everything its person is known by. So whoever the files take for one
person later, or no longer, is still messaged once. A coupon's code that a claim carries stays with
its key and person, whatever becomes of the message. The log holds no addresses, codes or texts.
"""

from remindctl.sendlog.contract import SendLog, StoreLock
from remindctl.sendlog.coupons import ISSUED, CouponBook, Issued, code_hash, match_codes
from remindctl.sendlog.entries import Claim, Entry, Filter, LogError, Lost, OpenEnd, Outcome
from remindctl.sendlog.keys import Hasher, ending
from remindctl.sendlog.opening import (
    Logs,
    SendingLogs,
    look,
    open_logs,
    open_optouts,
    open_present,
)
from remindctl.sendlog.optouts import OptOut, OptOuts
from remindctl.sendlog.templates import template_problems, text_hash
from remindctl.sendlog.upkeep import Deed, Erased, Known, Tally

__all__ = [
    "ISSUED",
    "Claim",
    "CouponBook",
    "Deed",
    "Entry",
    "Erased",
    "Filter",
    "Hasher",
    "Issued",
    "Known",
    "LogError",
    "Logs",
    "Lost",
    "OpenEnd",
    "OptOut",
    "OptOuts",
    "Outcome",
    "SendLog",
    "SendingLogs",
    "StoreLock",
    "Tally",
    "code_hash",
    "ending",
    "look",
    "match_codes",
    "open_logs",
    "open_optouts",
    "open_present",
    "template_problems",
    "text_hash",
]
