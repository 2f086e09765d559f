"""The two downloads that tell when parcels arrived: 배송현황 and 구매확정 내역."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from examples.generator.smartstore_shop import SEOUL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from examples.generator.smartstore_files import Cell
    from examples.generator.smartstore_orders import Line, Milestones, Order, State

# Made a little before the newest 발주발송관리, which therefore has the last word on every line.
SINCE = datetime(2026, 10, 1, tzinfo=SEOUL)
CONFIRMED_UNTIL = datetime(2026, 10, 31, 8, 50, tzinfo=SEOUL)
SHIPPED_UNTIL = datetime(2026, 10, 31, 8, 55, tzinfo=SEOUL)

_NOT_SENT = frozenset({"결제대기", "미결제취소", "결제완료", "발송대기", "취소"})


def shipped(orders: Iterable[Order]) -> list[dict[str, Cell]]:
    """Return 배송현황: every line on its way or arrived, with the buyer's phone."""
    return [
        _shared(order, line, state)
        | {
            "발송처리일": _wall(passed.dispatched, SHIPPED_UNTIL),
            "클레임상태": state.detail if state.status in ("반품", "교환") else None,
            "상품별 할인액": line.discount_of(state.quantity),
            "상품별 총 주문금액": line.total_of(state.quantity),
            "배송완료일": _wall(passed.delivered, SHIPPED_UNTIL),
            "문제송장 여부": "N",
            "수취인 연락처1": order.recipient_phone,
            "배송지": " ".join(order.address[:2]),
            "구매자 연락처": order.buyer_phone,
            "우편번호": order.address[2],
        }
        for order, line, state, passed in _lines(orders, SHIPPED_UNTIL)
        if state.status not in _NOT_SENT
    ]


def confirmed(orders: Iterable[Order]) -> list[dict[str, Cell]]:
    """Return 구매확정 내역: the lines that buyers keep; it tells no phone."""
    return [
        _shared(order, line, state)
        | {
            "구매확정일": _wall(passed.closed, CONFIRMED_UNTIL),
            "발송처리일": _wall(passed.dispatched, CONFIRMED_UNTIL),
            "배송완료일": _wall(passed.delivered, CONFIRMED_UNTIL),
            "최종 상품별 할인액": line.discount_of(state.quantity),
            "최초 상품별 할인액": line.discount,
            "최초 상품별 총 주문금액": line.total_of(line.quantity),
            "최종 상품별 총 주문금액": line.total_of(state.quantity),
        }
        for order, line, state, passed in _lines(orders, CONFIRMED_UNTIL)
        if state.status == "구매확정"
    ]


def _lines(
    orders: Iterable[Order], until: datetime
) -> Iterator[tuple[Order, Line, State, Milestones]]:
    for order in orders:
        if SINCE <= order.ordered_at <= until and order.milestones is not None:
            for line in order.lines:
                yield order, line, line.at(until), order.milestones


def _shared(order: Order, line: Line, state: State) -> dict[str, Cell]:
    """Return the cells that both downloads have, under the names that both give them."""
    return {
        "상품주문번호": line.id,
        "주문번호": order.id,
        "주문상태": state.status,
        "배송속성": "일반배송",
        "배송방법": "택배,등기,소포",
        "택배사": "초록택배",
        "판매채널": "선물하기" if order.gift else "스마트스토어",
        "구매자명": order.buyer_name,
        "구매자ID": order.buyer.masked_id,
        "수취인명": order.recipient,
        "상품번호": line.product.id,
        "상품명": line.product.name,
        "옵션정보": line.option or None,
        "수량": state.quantity,
        "상품가격": line.product.price,
        "옵션가격": line.surcharge,
        "결제일": _wall(order.milestones.paid, SHIPPED_UNTIL) if order.milestones else None,
        "판매자 상품코드": line.product.code,
    }


def _wall(instant: datetime, until: datetime) -> datetime | None:
    """Drop the zone, as the shop does; what has not happened yet is blank."""
    return instant.replace(tzinfo=None) if instant <= until else None
