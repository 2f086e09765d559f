"""The order downloads of 초록상점 as Smartstore makes them, and one as Excel saves it again."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from random import Random
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msoffcrypto
from examples.generator.smartstore_shop import SEOUL, SPOON
from msoffcrypto.exceptions import DecryptionError, InvalidKeyError
from msoffcrypto.format.ooxml import OOXMLFile
from openpyxl import Workbook
from openpyxl.writer.excel import ExcelWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from examples.generator.smartstore_orders import Line, Order, State

Cell = str | int | datetime | None

SHEET = "발주발송관리"
# Invented, but beginning as the real notice does. In the csv it is one record of several lines.
NOTICE = {
    0: "◈ 다운로드 받은 파일로 '엑셀 일괄발송' 처리하는 방법\n"
    "1. 택배사와 송장번호를 적습니다.\n2. 저장한 파일을 판매자센터에 다시 올립니다.",
    3: "◈ 각 항목 입력 방법\n- 배송방법: 택배,등기,소포 / 퀵서비스 / 방문수령 / 직접전달\n"
    "- 선물하기 주문은 구매자가 아니라 수취인에게 배송을 문의해 주세요.",
}
DATE_FORMAT, MONEY_FORMAT = r"yyyy/mm/dd\ hh:mm", '"₩"#,##0'
MONEY = frozenset(
    [
        "상품가격",
        "옵션가격",
        "최종 상품별 할인액",
        "최초 상품별 할인액",
        "판매자 부담 할인액",
        "최종 상품별 총 주문금액",
        "최초 상품별 총 주문금액",
        "배송비 합계",
        "제주/도서 추가배송비",
        "배송비 할인액",
        "네이버페이 주문관리 수수료",
        "매출연동 수수료",
        "정산예정금액",
        "상품별 할인액",
        "상품별 총 주문금액",
    ]
)

_NOTES = (
    "",
    "",
    "",
    "문 앞에 놓아 주세요",
    "부재 시 경비실에, 전화는 하지 마세요",
    "배송 전에 연락 주세요",
)
_MEANS = ("신용카드", "신용카드", "계좌 간편결제", "네이버페이 포인트", "가상계좌")
_EPOCH = datetime(2026, 10, 31, 9, tzinfo=SEOUL).replace(tzinfo=None)


def rows(orders: Iterable[Order], since: datetime, until: datetime) -> list[dict[str, Cell]]:
    """Return the download made at ``until`` of all lines ordered from ``since`` on, in no order."""
    found = [
        _row(order, line, line.at(until), until)
        for order in orders
        if since <= order.ordered_at <= until
        for line in order.lines
    ]
    Random(f"green/rows/{until:%Y%m%d}").shuffle(found)
    return found


def _row(order: Order, line: Line, state: State, until: datetime) -> dict[str, Cell]:
    passed = order.milestones

    def wall(instant: datetime | None) -> datetime | None:
        """Drop the zone, as the shop does; what has not happened yet is blank."""
        return instant.replace(tzinfo=None) if instant is not None and instant <= until else None

    dispatched = state.status not in {"결제대기", "미결제취소", "결제완료", "발송대기", "취소"}
    goods = sum(other.total_of(other.quantity) for other in order.lines)
    total = line.total_of(state.quantity)
    fee, sales_fee = round(total * 0.0363), round(total * 0.02)
    random = Random(line.id)
    waybill = f"{random.randrange(10**12):012d}"
    base, detail, postcode = order.address
    bought_option = line.option and f" / {line.option}"
    return {
        "상품주문번호": line.id,
        "주문번호": order.id,
        "배송속성": "일반배송",
        "배송방법(구매자 요청)": "택배,등기,소포",
        "배송방법": "택배,등기,소포",
        "택배사": "초록택배" if dispatched else None,
        "송장번호": waybill if dispatched else None,
        "발송일": wall(passed.dispatched) if passed and dispatched else None,
        "판매채널": "선물하기" if order.gift else "스마트스토어",
        "구매자명": order.buyer_name,
        "구매자ID": order.buyer.masked_id,
        "수취인명": order.recipient,
        "주문상태": state.status,
        "주문세부상태": state.detail,
        "수량클레임 여부": "Y" if state.claimed else "N",
        "결제위치": "PC" if int(order.id) % 5 == 0 else "MOBILE",
        "결제일": wall(passed.paid) if passed else None,
        "상품번호": line.product.id,
        "상품명": line.product.name,
        "상품종류": "추가구성상품"
        if line.product is SPOON
        else "조합형옵션상품"
        if line.option
        else "단일상품",
        "옵션정보": line.option or None,
        "옵션관리코드": f"{line.product.code}{bought_option}" if line.option else None,
        "수량": state.quantity,
        "옵션가격": line.surcharge,
        "상품가격": line.product.price,
        "최종 상품별 할인액": line.discount_of(state.quantity),
        "최초 상품별 할인액": line.discount,
        "판매자 부담 할인액": line.discount_of(state.quantity),
        "최종 상품별 총 주문금액": total,
        "최초 상품별 총 주문금액": line.total_of(line.quantity),
        "발주확인일": wall(passed.accepted) if passed and state.status != "취소" else None,
        "발송기한": (passed.paid + timedelta(days=3)).replace(
            hour=23, minute=59, second=0, tzinfo=None
        )
        if passed
        else None,
        "발송처리일": wall(passed.dispatched) if passed and dispatched else None,
        "배송비 형태": "선결제",
        "배송비 묶음번호": order.id[2:],
        "배송비 유형": "조건부무료",
        "배송비 합계": 0 if goods >= 30_000 else 3000,
        "제주/도서 추가배송비": 0,
        "배송비 할인액": 0,
        "판매자 상품코드": line.product.code,
        "수취인연락처1": order.recipient_phone,
        "통합배송지": f"{base} {detail}",
        "기본배송지": base,
        "상세배송지": detail,
        "구매자연락처": order.buyer_phone,
        "우편번호": postcode,
        "배송메세지": random.choice(_NOTES) or None,
        "출고지": "초록시 새싹구 나무로 1",
        "결제수단": _MEANS[int(order.id) % 7 % len(_MEANS)],
        "네이버페이 주문관리 수수료": fee,
        "매출연동 수수료": sales_fee,
        "정산예정금액": total - fee - sales_fee,
        "주문일시": order.ordered_at.replace(tzinfo=None),
    }


def workbook(
    header: Sequence[str],
    rows: Iterable[Mapping[str, Cell]],
    *,
    title: str = SHEET,
    notice: Mapping[int, str] = NOTICE,
) -> bytes:
    """Return an .xlsx of notice row, if any, header row and data, equal bytes for equal input."""
    book = Workbook()
    book.properties.creator = "examples"
    book.properties.created = book.properties.modified = _EPOCH
    sheet = book.active
    sheet.title = title
    for column, text in notice.items():
        sheet.cell(1, column + 1, text)
        sheet.merge_cells(start_row=1, end_row=1, start_column=column + 1, end_column=column + 3)
    sheet.append(list(header))
    for number, row in enumerate(rows, start=3 if notice else 2):
        for column, name in enumerate(header, start=1):
            value = row.get(name)
            if value is None:
                continue
            cell = sheet.cell(number, column, value)
            if name in MONEY:
                cell.number_format = MONEY_FORMAT
            elif isinstance(value, datetime):
                cell.number_format = DATE_FORMAT
    written = BytesIO()
    with ZipFile(written, "w") as archive:
        # Workbook.save would stamp the clock's time into the properties first.
        ExcelWriter(book, archive).write_data()
    return _timeless(written)


def _timeless(archive: BytesIO) -> bytes:
    """Pack a zip file anew with one constant time on every member."""
    packed = BytesIO()
    with ZipFile(archive) as old, ZipFile(packed, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(ZipInfo(name, _EPOCH.timetuple()[:6]), old.read(name), ZIP_DEFLATED)
    return packed.getvalue()


def resaved_csv(header: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> bytes:
    """Return the download as a Korean Excel re-saves it: CP949, CRLF, cells as displayed."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([NOTICE.get(column, "") for column in range(len(header))])
    writer.writerow(header)
    for row in rows:
        writer.writerow([_displayed(name, row.get(name)) for name in header])
    return text.getvalue().encode("cp949")


def _displayed(name: str, value: Cell) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y/%m/%d %H:%M}"
    if isinstance(value, int) and name in MONEY:
        return f"{value:,}"
    return "" if value is None else str(value)


def protect(path: Path, plain: bytes, password: str) -> bool:
    """Write ``plain`` to ``path`` under a password unless it already holds just that.

    Encryption draws fresh salts, so the bytes differ each time: an unchanged content is left alone.
    """
    if path.exists() and _decrypted(path, password) == plain:
        return False
    sealed = BytesIO()
    OOXMLFile(BytesIO(plain)).encrypt(password, sealed)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sealed.getvalue())
    return True


def _decrypted(path: Path, password: str) -> bytes | None:
    opened = BytesIO()
    try:
        with path.open("rb") as file:
            sealed = msoffcrypto.OfficeFile(file)
            sealed.load_key(password=password, verify_password=True)
            sealed.decrypt(opened)
    except (DecryptionError, InvalidKeyError):
        return None
    return opened.getvalue()
