"""Whatever stands in a campaign file is read or refused at a place, never a crash."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from remindctl.campaigns import load_campaigns, problems
from remindctl.errors import Refused
from remindctl.model import Policy, Store

KEYS = re.findall(
    r"\S+",
    """
    version campaign purpose basis stores tags priority counts_for_caps audience control reentry
    data_age steps segments where exclude id due if send variants coupon facts fallback_within after
    wait within at until night max_delay per step sent not_sent control ordered_since weight when
    channel text text_file subject title html html_file layout image form targeting buttons template
    variables url show_for name kind description pool code valid_for valid_until stock max_age
    ground reason
    """,
)
WORDS = re.findall(
    r"\S+",
    """
    a one advertising informational last_order cart message delivered 30d -3d 1h cycle.median
    product_cycle.p75 customer_cycle sms lms mms alimtalk brand_message email push onsite webhook
    wide I M add_channel purchase 10% 16:00-17:00 2026-12-31 1 0 no line order ../a a.txt {{body}}
    {{nme}} #{이름} 쿠폰 쿠폰을_드려요 loyal order_id>1
    """,
)
CHANNELS = ["sms", "mms", "alimtalk", "brand_message", "email", "push", "onsite"]
TEXTS = st.sampled_from(WORDS) | st.text(max_size=6)
TREES = st.recursive(
    st.none() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=8)
    ),
    max_leaves=25,
)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Groups that are nearly right: each field as it should be, or anything, or not there."""
    return st.fixed_dictionaries(
        {}, optional={name: value | TREES for name, value in fields.items()}
    )


LEGS = st.lists(
    some(
        channel=st.sampled_from(
            ["sms", "mms", "alimtalk", "brand_message", "email", "push", "onsite"]
        ),
        text=TEXTS,
        subject=TEXTS,
        template=TEXTS,
        variables=st.dictionaries(TEXTS, TEXTS, max_size=2),
        buttons=st.lists(some(name=TEXTS, kind=TEXTS, url=TEXTS), max_size=2),
        coupon=some(title=TEXTS, description=TEXTS),
        form=st.sampled_from(["text", "image", "wide"]),
    ),
    min_size=1,
    max_size=2,
)
STEPS = some(
    id=st.sampled_from(["one", "two"]),
    due=some(after=TEXTS, wait=TEXTS, per=st.just("line"), step=st.just("one")),
    send=LEGS,
    variants=st.lists(some(id=TEXTS, send=LEGS, when=TEXTS), max_size=2),
    **{"if": some(sent=TEXTS), "coupon": some(pool=TEXTS, code=TEXTS), "facts": TREES},
)
CAMPAIGNS = some(
    campaign=st.just("a"),
    purpose=st.sampled_from(["advertising", "informational"]),
    basis=some(text=TEXTS, ground=st.just("purchase"), reason=TEXTS),
    steps=st.lists(STEPS, min_size=1, max_size=2),
)
GREEN = Store(
    key="green",
    name="초록상점",
    timezone="Asia/Seoul",
    country="KR",
    currency="KRW",
    sender={"phone": "0212345678"},
    optout={"phone": "0808880000", "url": "https://shop.example/optout"},
    policy=Policy(preset="KR"),
)


@settings(deadline=None)  # it writes files
@given(CAMPAIGNS | TREES)
def test_any_tree_is_a_campaign_or_refused_at_lines_of_its_file(tree: Any) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            (campaign,) = load_campaigns([path])
        except Refused as refused:
            found = list(refused.problems)
        else:
            found = problems(campaign, {"green": GREEN})
    lines = len(text.splitlines()) + 1
    assert all(problem.place.line <= lines and problem.what for problem in found)
