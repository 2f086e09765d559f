"""SOLAPI's status codes, and what each says of a message.

The first digit tells where a message stands: 1 refused when handed in, 2 at the platform, 3 at the
carrier or Kakao, 4 done. Source: https://docs.solapi.com/api-reference/message-status-codes; it
does not list the codes of Brand Messages, so what is unknown is read by its first digit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remindctl.channels.verdicts import ON_SENDING, Verdict
from remindctl.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping


_CODES_OF: Mapping[Verdict, tuple[str, ...]] = {
    Verdict.WAITING: ("2000", "3000"),
    Verdict.DELIVERED: ("4000",),
    Verdict.UNCLEAR: ("3014", "3048"),
    Verdict.LATER: (
        # A number that stands twice in one request may have its second message in another.
        "1026",
        # A server of the platform or the carrier.
        "1024", "2024", "3012", "3024",
        # The handset: busy, off, full, out of reach. The network. The hours of Kakao.
        "3040", "3041", "3042", "3043", "3044", "3045", "3046", "3051", "3053", "3056", "3057",
        "3108",
    ),
    Verdict.REFUSED: (
        # A value that is missing, of a wrong form or too long; characters outside EUC-KR.
        "1010", "1011", "1013", "1014", "1021", "1022", "1025", "1027", "1028", "1029", "1031",
        "1032", "1033", "2011", "3011",
        # The image.
        "1023", "1034", "1051",
        # Profile, template, its wording, its buttons.
        "1041", "1042", "1043", "1044", "1045", "1046", "1047", "1048", "1049", "1050", "1052",
        "1053", "3101", "3103", "3105", "3106",
        # No route, taken for spam, a handset that receives none.
        "1058", "2254", "3031", "3050", "3052", "3058", "3060",
        # No friend of the channel, no KakaoTalk, no Alimtalk.
        "3102", "3104", "3107",
    ),
    Verdict.DEAD: ("3010", "3032"),
    # Blocked, refused over an 080 number or on the handset, listed at nospam.or.kr.
    Verdict.OPTED_OUT: ("1060", "1061", "2060", "2061", "3047", "3054", "3055"),
    # Password, balance, sender, a block of the whole account.
    Verdict.ACCOUNT: (
        "1020", "1030", "1062", "1064", "2062", "2063", "2064", "2230", "3013", "3059",
    ),
}  # fmt: skip

CODES: Mapping[str, Verdict] = {
    code: verdict for verdict, codes in _CODES_OF.items() for code in codes
}


def on_look_up(code: str, *, replaced: bool) -> tuple[Verdict, State]:
    """Read the code of a message that SOLAPI has.

    Args:
        code: of the message.
        replaced: a text message was sent instead of what Kakao did not deliver.
    """
    verdict = CODES.get(code)
    if verdict is None:
        verdict = Verdict.REFUSED if code[:1] in {"1", "2", "3"} else Verdict.UNCLEAR
    if code.startswith("1"):
        return verdict, ON_SENDING[verdict]
    if verdict is Verdict.DELIVERED:
        return verdict, State.DELIVERED
    if verdict in {Verdict.WAITING, Verdict.UNCLEAR} or (replaced and code.startswith("31")):
        return Verdict.WAITING, State.SENT
    return verdict, State.UNDELIVERED
