"""Personal numbers are masked, whatever they stand among; public ones stay."""

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.privacy import mask

DIGITS = "0123456789"


def digits(length):
    return st.text(DIGITS, min_size=length, max_size=length)


def with_check_digit(first17):
    total = sum(int(c) * w for c, w in zip(first17, WEIGHTS, strict=True))
    return first17 + "10X98765432"[total % 11]


WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # as GB 11643 prints them


def luhn(body):
    doubled = [int(c) * 2 if i % 2 == 0 else int(c) for i, c in enumerate(reversed(body))]
    return body + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def spaced(number):
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))


identities = st.builds(
    lambda region, date, order: with_check_digit(f"35{region}{date}{order}"),
    digits(4),
    st.dates().filter(lambda d: 1930 <= d.year <= 2020).map(lambda d: d.strftime("%Y%m%d"))
    | st.sampled_from(["19491231", "20000229"]),
    digits(3),
)
mobiles = st.builds("1{}{}".format, st.sampled_from("3456789"), digits(9))
landlines = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["0595", "010", "0755"]),
    st.sampled_from(["", "-", " "]),
    st.sampled_from("235678"),
    digits(7),
)
cards = st.builds(lambda head, rest: luhn(head + rest), st.sampled_from("3456"), digits(15))
longer_cards = st.builds(lambda rest: luhn("62" + rest), digits(16))
passports = st.builds("{}{}".format, st.sampled_from("EGDSP"), digits(8))
plates = st.builds(
    "{}{}{}{}".format,
    st.sampled_from("闽京粤"),
    st.sampled_from("ACD"),
    st.sampled_from(["", "·"]),
    digits(5),
)
numbers = st.one_of(
    identities, mobiles, landlines, cards, cards.map(spaced), longer_cards, passports, plates
)
# What may stand beside a number in a sentence: anything but more digits or letters.
words = st.text(st.sampled_from("我的办理，。：；？（）、 \n是号码在泉州市"), max_size=12)


@given(words, numbers, words, numbers, words)
def test_no_personal_number_is_left(before, first, between, second, after):
    masked = mask(f"{before}{first}{between}。{second}{after}")
    assert first not in masked
    assert second not in masked
    assert not set(masked) & set(DIGITS)
    assert masked.startswith(before)
    assert masked.endswith(after)


@given(words, numbers, words)
def test_masking_twice_changes_nothing_more(before, number, after):
    masked = mask(before + number + after)
    assert mask(masked) == masked


@given(words, numbers)
def test_full_width_digits_are_digits(before, number):
    wide = number.translate({ord(c): ord(c) + 0xFEE0 for c in DIGITS})
    assert wide not in mask(before + wide)


@given(st.text(st.characters(exclude_categories=["N"]), max_size=200))
def test_text_without_numbers_is_unchanged(text):
    assert mask(text) == text


@given(
    st.dates(min_value=dt.date(1900, 1, 1)),
    st.integers(0, 10**10 - 1),
    st.integers(1, 999),
)
@example(dt.date(2000, 1, 1), 140_000_000, 1)  # as long as a passport's number
def test_dates_amounts_and_document_numbers_are_unchanged(date, amount, order):
    text = (
        f"{date:%Y年%m月%d日}、{date:%Y-%m-%d}、{date:%Y%m%d}：补贴{amount}元（{amount:,}元），"
        f"见国发〔{date.year}〕{order}号、泉政办[{date.year}]{order}号"
    )
    assert mask(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "拨打12345、12333或12329",
        "停电打95598，热线400-889-9889、4008899889",
        "2016-2017年度和2018-2019年度",
        "邮编362000，第15000000号",
        "合同价13800138000元",
        "统一社会信用代码91350500MA2XY12345",
        "执行GB 50016和新GB50016",
        "身份证号11010519491231002A",
        "4111111111111112",  # no card: the last digit is wrong
        "编号110105194912310021",  # no identity: the last digit is wrong
        "办件编号为350502202401150001",
        "合同202401150001234567",
        "身份证有效期20200101-20300101",
        "身份证2020-01-01到期，银行卡余额1000000元",
    ],
)
def test_what_is_public_or_no_personal_number_is_unchanged(text):
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我身份证11010519491231002x丢了", "我身份证【身份证号】丢了"),
        ("手机+86 138-0013-8000", "手机【手机号】"),
        ("一三八零零一三八零零零打我", "【手机号】打我"),
        ("座机（0595）22501234转801", "座机【电话号码】"),
        ("电话：22501234", "电话：【电话号码】"),
        ("香港+852 9123 4567", "香港【电话号码】"),
        ("护照EA1234567和k1234567", "护照【护照号】和k1234567"),
        ("护照号是K1234567", "护照号是【护照号】"),
        ("闽CD12345、闽C1234学违章", "【车牌号】、【车牌号】违章"),
        ("卡6222 0212 3456 7890 128", "卡【银行卡号】"),
        ("元旦前打13800138000元旦后也行", "元旦前打【手机号】元旦后也行"),
        (
            "我手机13812345678一直收不到，五一13812345678",
            "我手机【手机号】一直收不到，五一【手机号】",
        ),
        ("身份证号11010519491231002X一直查不到", "身份证号【身份证号】一直查不到"),
        ("我的身份证350502199001011234怎么办", "我的身份证【身份证号】怎么办"),
        ("身份证号码是350502 19900101 1238", "身份证号码是【身份证号】"),
        ("350502199001011234是我的", "【身份证号】是我的"),  # the last digit is wrong
        ("身份证350502199013011234", "身份证【身份证号】"),  # no such month
        ("旧身份证号：350502900101123", "旧身份证号：【身份证号】"),
        ("卡号6222021234567890123", "卡号【银行卡号】"),  # the last digit is wrong
        ("银行卡（6222 0212 3456 7890 124）", "银行卡（【银行卡号】）"),
        ("138 12345678或1381234 5678", "【手机号】或【手机号】"),
    ],
)
def test_the_kind_of_number_is_named(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("350582 1990 0101 1234", "身份证号"),
        ("350582-1990-0101-1234", "身份证号"),
        ("350582 1990 01 01 1234", "身份证号"),
        ("13800 138000", "手机号"),
        ("13800-138000", "手机号"),
        ("138.0013.8000", "手机号"),
    ],
)
def test_numbers_written_in_unusual_groups_are_masked(number, kind):
    assert mask(f"我是{number}，请回电") == f"我是【{kind}】，请回电"


@pytest.mark.parametrize(
    "text",
    [
        "两年分别为13800 138000万元。",
        "投资13800 138000元。",
        "12000 13800 138000",
        "总价138.00元，另付138.0013万元。",
        "2026 0101 至 2026 1231",
    ],
)
def test_figures_in_rows_are_no_numbers_of_people(text):
    assert mask(text) == text
