"""Orders as the rows of a Smartstore order download: one per line, the buyer on every one.

Everything is invented: no Korean mobile number begins with 010-1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from benchmarks.history import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Sequence

ZONE = "Asia/Seoul"
MONEY = (
    "옵션가격", "상품가격", "최종 상품별 할인액", "최초 상품별 할인액", "판매자 부담 할인액",
    "최종 상품별 총 주문금액", "최초 상품별 총 주문금액", "배송비 합계", "제주/도서 추가배송비",
    "배송비 할인액", "네이버페이 주문관리 수수료", "매출연동 수수료", "정산예정금액",
)  # fmt: skip
_PHONES_FROM, _PHONES = 13_000_000, 7_000_000  # eight digits after 010
_PRODUCTS = 400
_FIRST_PRODUCT = 5_000_000_000
_HOUR = 3600


class _Status(NamedTuple):
    order: str
    detail: str


# What an outcome of ``history.OUTCOMES`` is called here.
_STATUSES = {
    "paid": _Status("구매확정", "구매확정"),
    "partially_refunded": _Status("배송완료", "배송완료"),
    "partially_paid": _Status("배송중", "취소철회"),
    "authorized": _Status("발송대기", "발주확인"),
    "refunded": _Status("반품", "반품완료"),
    "cancelled": _Status("취소", "구매취소"),
    "voided": _Status("취소", "직권취소"),
    "expired": _Status("미결제취소", "미결제취소"),
    "pending": _Status("결제대기", "결제대기"),
}
_OF_OUTCOME = [_STATUSES["cancelled" if one.is_cancelled else one.financial_status]
               for one in OUTCOMES]  # fmt: skip

_SENT, _UNPAID = ("구매확정", "배송완료", "배송중", "반품"), ("결제대기", "미결제취소")

_KINDS = ("유기농 녹차", "귀리 비누", "고양이 모래", "비타민 C", "원두 커피", "선크림",
          "아카시아 꿀", "강아지 사료", "콘택트렌즈", "면도날", "샴푸", "콜라겐")  # fmt: skip
_OPTIONS = (
    "용량: 250g",
    "용량: 500ml",
    "용량: 1kg",
    "구성: 3개입 + 1",
    "구성: 30포, 리필",
    "색상: 연두",
)
_FAMILY = ("김", "이", "박", "최", "정", "강", "조", "윤", "장", "임")
_GIVEN = ("민서", "지우", "서준", "하윤", "도현", "은우", "수아", "예준", "채원", "시우", "다은",
          "건우", "유나", "태오", "소율", "준호", "가온")  # fmt: skip
_CITIES = (
    "서울특별시 새싹구",
    "부산광역시 바다구",
    "대구광역시 볕뉘구",
    "초록시 나무구",
    "인천광역시 하늘구",
)
_STREETS = ("보기로", "견본대로", "예시길", "본보기로", "표본길")
_NOTES = ("문 앞에 놓아 주세요", '"경비실"에 맡겨 주세요', "부재 시 연락 주세요,\n전화는 오후에")
_COURIERS = ("초록택배", "나무택배")
_MEANS = ("신용카드", "계좌 간편결제", "네이버페이 포인트", "가상계좌")

_DRAWS = ("noted", "note", "gift", "discounted")


def rows(orders: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return what the file holds of some consecutive orders of a history.

    Args:
        orders: as ``history`` gives them, with lines_before, the lines of all orders before.
        seed: with the first order's position, it decides everything left to chance.

    Returns:
        One row per order line: numbers as integers, times as the shop's clock shows them, the rest
        as text; columns that are always blank are absent.
    """
    rng = np.random.default_rng((seed, orders["position"][0]))
    draws = rng.random((len(_DRAWS), orders.height))
    orders = orders.with_columns(
        pl.Series(name, draw) for name, draw in zip(_DRAWS, draws, strict=True)
    )
    lines = np.repeat(orders["position"].to_numpy(), orders["line_count"].to_numpy())
    quantity = 1 + rng.poisson(0.3, len(lines))
    popularity = np.cumsum(1.0 / np.arange(1, _PRODUCTS + 1))
    product = np.searchsorted(popularity, rng.random(len(lines)) * popularity[-1])
    return (
        _catalogue()[pl.Series(product)]
        .with_columns(pl.Series("position", lines), pl.Series("수량", quantity))
        .join(
            orders.select("position", "lines_before", "discounted", *_of_the_order()),
            on="position", maintain_order="left",
        )
        .with_columns(*_amounts(), _line_id())
        .drop("position", "lines_before", "discounted")
    )  # fmt: skip


def _catalogue() -> pl.DataFrame:
    number = pl.int_range(_PRODUCTS, eager=True).alias("number")
    return pl.select(
        (_FIRST_PRODUCT + number * 7919).cast(pl.String).alias("상품번호"),
        pl.concat_str(_chosen(_KINDS, number), pl.lit(" "), number, pl.lit("호")).alias("상품명"),
        pl.lit("조합형옵션상품").alias("상품종류"),
        _chosen(_OPTIONS, number).alias("옵션정보"),
        pl.concat_str(pl.lit("GREEN-"), 1000 + number).alias("판매자 상품코드"),
        pl.concat_str(pl.lit("OPT-"), 1000 + number).alias("옵션관리코드"),
        (3_900 + number * 7919 % 56_000 // 100 * 100).alias("상품가격"),
        (number % 3 * 500).alias("옵션가격"),
    )


def _of_the_order() -> list[pl.Expr]:
    """Return what stands on each line of an order."""
    customer = pl.col("customer")
    recipient = customer + (pl.col("gift") < 0.07)
    named = pl.col("has_email") | pl.col("has_phone")
    paid, sent, done = _time(90), _time(20 * _HOUR), _time(120 * _HOUR)
    went_out, unpaid = _status_in(_SENT), _status_in(_UNPAID)
    day = _time(0).dt.strftime("%Y%m%d")
    order_id = pl.concat_str(day, (50_000_000 + pl.col("position")).cast(pl.String))
    return [
        order_id.alias("주문번호"),
        _time(0).alias("주문일시"),
        pl.when(~unpaid).then(paid).alias("결제일"),
        sent.alias("발주확인일"),
        pl.when(went_out).then(sent).alias("발송처리일"),
        pl.when(went_out).then(sent).alias("발송일"),
        done.alias("발송기한"),
        pl.when(went_out).then(_chosen(_COURIERS, customer)).alias("택배사"),
        pl.when(went_out).then(
            (pl.col("position") * 104_729 % 10**12).cast(pl.String).str.zfill(12)
        ).alias("송장번호"),
        pl.lit("일반배송").alias("배송속성"),
        pl.lit("택배,등기,소포").alias("배송방법"),
        pl.lit("택배,등기,소포").alias("배송방법(구매자 요청)"),
        pl.lit("스마트스토어").alias("판매채널"),
        _of_outcome(_Status._fields.index("order")).alias("주문상태"),
        _of_outcome(_Status._fields.index("detail")).alias("주문세부상태"),
        pl.lit("N").alias("수량클레임 여부"),
        _chosen(("MOBILE", "PC"), customer).alias("결제위치"),
        _person(customer).alias("구매자명"),
        pl.concat_str(_chosen(("gre", "nam", "sae", "bad"), customer), pl.lit("*****"))
        .alias("구매자ID"),
        pl.when(named).then(_phone(customer)).otherwise(pl.lit("010-0000-0000"))
        .alias("구매자연락처"),
        _person(recipient).alias("수취인명"),
        _phone(recipient).alias("수취인연락처1"),
        *_address(recipient),
        pl.when(pl.col("noted") < 0.4).then(_chosen(_NOTES, pl.col("note") * 3))
        .alias("배송메세지"),
        pl.lit("초록시 나무구 새싹로 1").alias("출고지"),
        _chosen(_MEANS, customer).alias("결제수단"),
        pl.lit("선결제").alias("배송비 형태"),
        pl.lit("조건부무료").alias("배송비 유형"),
        order_id.str.tail(14).alias("배송비 묶음번호"),
    ]  # fmt: skip


def _amounts() -> list[pl.Expr]:
    gross = (pl.col("상품가격") + pl.col("옵션가격")) * pl.col("수량")
    discount = pl.when(pl.col("discounted") < 0.2).then(gross // 100 * 10).otherwise(0)
    total = gross - discount
    fee, sales_fee = total * 363 // 10_000, total // 50
    return [
        discount.alias("최종 상품별 할인액"),
        discount.alias("최초 상품별 할인액"),
        discount.alias("판매자 부담 할인액"),
        total.alias("최종 상품별 총 주문금액"),
        total.alias("최초 상품별 총 주문금액"),
        pl.when(total < 30_000).then(3_000).otherwise(0).alias("배송비 합계"),
        pl.lit(0).alias("제주/도서 추가배송비"),
        pl.lit(0).alias("배송비 할인액"),
        fee.alias("네이버페이 주문관리 수수료"),
        sales_fee.alias("매출연동 수수료"),
        (total - fee - sales_fee).alias("정산예정금액"),
    ]


def _line_id() -> pl.Expr:
    nth = pl.int_range(pl.len()) - pl.int_range(pl.len()).min().over("position")
    number = 10_000_000 + pl.col("lines_before") + nth
    return pl.concat_str(pl.col("주문번호").str.head(8), number.cast(pl.String)).alias(
        "상품주문번호"
    )


def _status_in(those: Sequence[str]) -> pl.Expr:
    return pl.col("outcome").is_in([n for n, one in enumerate(_OF_OUTCOME) if one.order in those])


def _of_outcome(field: int) -> pl.Expr:
    return pl.lit(pl.Series([one[field] for one in _OF_OUTCOME])).gather("outcome")


def _person(number: pl.Expr) -> pl.Expr:
    return pl.concat_str(_chosen(_FAMILY, number), _chosen(_GIVEN, number))


def _phone(person: pl.Expr) -> pl.Expr:
    number = (_PHONES_FROM + person * 1_299_709 % _PHONES).cast(pl.String)
    return pl.concat_str(pl.lit("010-"), number.str.head(4), pl.lit("-"), number.str.tail(4))


def _address(person: pl.Expr) -> list[pl.Expr]:
    base = pl.concat_str(
        _chosen(_CITIES, person), pl.lit(" "), _chosen(_STREETS, person), pl.lit(" "),
        1 + person * 37 % 980,
    )  # fmt: skip
    detail = pl.concat_str(1 + person % 20, pl.lit("동 "), 101 + person % 1900, pl.lit("호"))
    return [
        pl.concat_str(base, pl.lit(" "), detail).alias("통합배송지"),
        base.alias("기본배송지"),
        detail.alias("상세배송지"),
        (10_000 + person % 50_000).cast(pl.String).alias("우편번호"),
    ]


def _time(later: int) -> pl.Expr:
    """Return when the order was made, or so many seconds later, by the shop's clock."""
    instant = pl.from_epoch(pl.col("seconds") + later).dt.replace_time_zone("UTC")
    return instant.dt.convert_time_zone(ZONE).dt.replace_time_zone(None)


def _chosen(texts: Sequence[str], number: pl.Expr | pl.Series) -> pl.Expr:
    number = pl.lit(number) if isinstance(number, pl.Series) else number
    return pl.lit(pl.Series(texts)).gather(number.cast(pl.Int64) % len(texts))
