"""NHN Cloud's result codes, and what each says of a message.

The SMS and the KakaoTalk Bizmessage product number their codes independently, and each has two
lists: what became of a request to send, and what became of the message itself. Sources: the pages
"Error Code" of both products, https://docs.nhncloud.com/en/Notification/SMS/en/error-code/ and
https://docs.nhncloud.com/en/Notification/KakaoTalk%20Bizmessage/en/error-code/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.channels.verdicts import Verdict
from remindctl.model import Family

if TYPE_CHECKING:
    from collections.abc import Mapping


SUCCESS = "0"
# The idempotency key was used in the last ten minutes, so a first request with it has arrived.
ARRIVED_BEFORE = "-1005"
# The answer to a question for messages that are not there.
NO_SUCH_MESSAGES = "-1016"

_ON_SENDING_TEXT: Mapping[Verdict, tuple[str, ...]] = {
    # The queue, the server.
    Verdict.UNCLEAR: ("-2021", "-9999"),
    # An uploaded image that is gone, or an 080 number that is not registered yet.
    Verdict.LATER: ("-2004", "-2009", "-6000", "-6004"),
    Verdict.REFUSED: (
        # A value that is missing, of a wrong form or too long; characters outside EUC-KR.
        "4", "-1006", "-2000", "-2001", "-2014", "-2015", "-2016", "-2022", "-2023",
        # The image.
        "-2002", "-2003", "-2005", "-2010",
        # A long message abroad; an advertisement that does not say how to opt out.
        "-2024", "-6003",
    ),
    Verdict.DEAD: ("-2018", "-2019"),
    Verdict.OPTED_OUT: ("-6001",),
    Verdict.ACCOUNT: (
        # The app key, its project, the address (IP) that asks.
        "-1000", "-1001", "-1002", "-1003", "-1004", "-1007", "-1008",
        # The monthly quota; a sender that is not registered or blocked.
        "-2052", "-2312", "-2313",
    ),
}  # fmt: skip
_ON_SENDING_KAKAO: Mapping[Verdict, tuple[str, ...]] = {
    Verdict.UNCLEAR: (ARRIVED_BEFORE, "-9999"),
    # The template waits for approval.
    Verdict.LATER: ("-3005",),
    Verdict.REFUSED: (
        # A value that is missing, of a wrong form or too long.
        "4", "-1020", "-1028", "-2000", "-2001", "-2002", "-2003", "-2004", "-2005", "-2019",
        "-2032", "-2035", "-3002", "-3303", "-3304", "-3305", "-4000",
        # Template, its wording, its variables, its buttons.
        "-2018", "-3003", "-3004", "-3010", "-3011", "-3033", "-3048", "-3049", "-3324", "-3328",
        # Targeting, coupon, image of a Brand Message.
        "-3298", "-3313", "-3314", "-3315", "-3319", "-3326", "-4029",
        # Every recipient was refused; banned words.
        "-1031", "-8008",
    ),
    Verdict.DEAD: ("-4019",),
    Verdict.OPTED_OUT: ("-3301",),
    Verdict.ACCOUNT: (
        "-1000", "-1001", "-4004", "-4005",
        # The profile: missing, blocked, of a group; the owner's identity.
        "-1006", "-1024", "-1027", "-1030", "-2017",
        # What texts are sent with where Kakao does not deliver.
        "-1002", "-1003", "-1019", "-2502",
    ),
}  # fmt: skip

ON_SENDING: Mapping[Family, Mapping[str, Verdict]] = {
    family: {code: verdict for verdict, codes in table.items() for code in codes}
    for family, table in (
        (Family.TEXT, _ON_SENDING_TEXT),
        (Family.KAKAO, _ON_SENDING_KAKAO),
    )
}

# Of a message that was handed on: the codes that say more than that it arrived (1000) or did not.
ON_DELIVERY: Mapping[Family, Mapping[str, Verdict]] = {
    Family.TEXT: {
        # A number of a wrong form, without a subscriber, or not assigned.
        **dict.fromkeys(("1002", "3001", "3003"), Verdict.DEAD),
        "3006": Verdict.OPTED_OUT,
    },
    Family.KAKAO: {
        # Sent without an acknowledgement (it may arrive within three days), or still on its way.
        **dict.fromkeys(("3005", "4000", "4001", "4161"), Verdict.UNCLEAR),
        **dict.fromkeys(("1020", "3008"), Verdict.DEAD),
    },
}


def on_sending(family: Family, code: str) -> Verdict:
    """Read the code of a message that was handed in, or ``HTTP`` with a status that refuses it.

    NHN Cloud's errors are negative, so one that is not known refuses the message.
    """
    if code == SUCCESS:
        return Verdict.WAITING
    unknown = Verdict.UNCLEAR if code.isdecimal() else Verdict.REFUSED
    return ON_SENDING[family].get(code, unknown)
