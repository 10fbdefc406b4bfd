"""What a document says about itself, and not what it says about others."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.facts import iso_date, normal_number, parse_date, policy_facts

LETTER = """示例市人民政府办公室关于印发
示例市停车管理若干措施的通知
示政办〔2031〕12号
各区人民政府，市政府各部门：
根据《示例省停车条例》（示府发〔2018〕3号）和有关规定，现将《示例市停车管理若干措施》印发给你们。
示例市人民政府办公室
2031年3月9日
（此件公开发布）
示例市停车管理若干措施
一、本措施所称停车位有效期1年，期满应当重新申请。
二、本措施自印发之日起施行，有效期5年。《示例市停车管理办法》（示政办〔2020〕8号）、《示例市停车收费通知》同时废止。
"""
TITLE = "示例市人民政府办公室关于印发示例市停车管理若干措施的通知"


def test_a_letter_with_an_attachment_states_all_of_its_facts():
    assert policy_facts(LETTER, TITLE) == {
        "document_number": "示政办〔2031〕12号",
        "issuer": "示例市人民政府办公室",
        "date": "2031-03-09",
        "effective": "2031-03-09",
        "expires": "2036-03-08",
        "validity": "本措施自印发之日起施行，有效期5年",
        "repeals": "《示例市停车管理办法》（示政办〔2020〕8号）；《示例市停车收费通知》",
    }


@pytest.mark.parametrize(
    "head",
    [
        "示教〔2031〕7号",
        "示教[2031]7号",
        "示教【2031】第 7 号",
        "示教（2031）7号",
        "文号：示教〔2031〕7号",
        "关于报名的通知（示教〔2031〕7号）",
    ],
)
def test_the_own_number_is_found_below_the_title_in_any_brackets(head):
    facts = policy_facts(f"关于报名的通知\n{head}\n各学校：\n请按时报名。", "关于报名的通知")
    assert facts["document_number"] == "示教〔2031〕7号"


@pytest.mark.parametrize(
    "text",
    [
        "关于报名的通知\n根据《示例办法》（示教〔2018〕3号），请按时报名。",
        "关于报名的通知\n各学校：\n一、依据\n示教〔2018〕3号\n已经说明。",
        "《示例办法》（示教〔2018〕3号）\n请按时报名。",
    ],
)
def test_another_documents_number_is_not_taken_for_the_own(text):
    assert "document_number" not in policy_facts(text, "关于报名的通知")


def test_an_order_is_known_by_its_number_and_its_issuer():
    text = (
        "中华人民共和国国务院令\n第999号\n现公布《示例条例》，自2031年5月1日起施行。\n"
        "总理  张某某\n2031年2月3日\n示例条例\n第一条 为了示例，制定本条例。"
    )
    facts = policy_facts(text, "示例条例")
    assert facts["document_number"] == "国务院令第999号"
    assert facts["issuer"] == "国务院"
    assert (facts["date"], facts["effective"]) == ("2031-02-03", "2031-05-01")


LAW = """# 示例管理条例

2001年4月5日 中华人民共和国国务院令第333号公布

2011年1月8日 《国务院关于修改部分行政法规的决定》修订

第一条 为了示例，制定本条例。

第九条 本条例自公布之日起施行。"""


def test_a_laws_history_gives_its_latest_date_and_counts_from_its_first():
    facts = policy_facts(LAW, "示例管理条例")
    assert facts["document_number"] == "国务院令第333号"
    assert facts["date"] == "2011-01-08"
    assert facts["effective"] == "2001-04-05"
    assert policy_facts(LAW, "示例管理条例", "2019-03-02")["date"] == "2019-03-02"


@pytest.mark.parametrize(
    ("signature", "issuer"),
    [
        ("示例市财政局\n2031年3月9日", "示例市财政局"),
        ("示例市财政局　示例市民政局\n2031年3月9日", "示例市财政局、示例市民政局"),
        ("示例市财政局\n示例市民政局\n二〇三一年三月九日", "示例市财政局、示例市民政局"),
        ("示例市财政局 2031年3月9日", "示例市财政局"),
        ("示例市财政局\n2031年 3月 9 日\n（联系电话：12345）", "示例市财政局"),
    ],
)
def test_the_signature_gives_issuer_and_date(signature, issuer):
    facts = policy_facts(f"关于发放补贴的公告\n现公告如下。\n{signature}", "关于发放补贴的公告")
    assert (facts["issuer"], facts["date"]) == (issuer, "2031-03-09")


def test_departments_that_a_title_only_counts_are_named_by_the_signature():
    text = "现通知如下。\n示例市财政局 示例市民政局\n2031年3月9日"
    facts = policy_facts(text, "示例市财政局等2部门关于补贴的通知")
    assert facts["issuer"] == "示例市财政局、示例市民政局"


def test_a_forwarded_reports_signature_is_not_that_of_the_forwarding_office():
    text = "现转发给你们。\n示例省地震局\n2030年1月2日"
    facts = policy_facts(text, "示例省人民政府办公厅转发省交通厅关于道路意见的通知")
    assert facts == {"issuer": "示例省人民政府办公厅"}


def test_a_page_that_lost_its_lines_still_gives_its_facts():
    body = "请各单位做好准备工作，" * 80
    text = f"关于补贴的通知 示财〔2031〕5号 各单位： {body} 特此通知。 示例市财政局 2031年3月9日"
    facts = policy_facts(text, "关于补贴的通知")
    assert facts["document_number"] == "示财〔2031〕5号"
    assert (facts["issuer"], facts["date"]) == ("示例市财政局", "2031-03-09")


@pytest.mark.parametrize(
    ("words", "effective", "expires"),
    [
        ("本办法自2024年7月29日起施行。", "2024-07-29", None),
        ("本办法自2024年7月29日起施行，有效期5年。", "2024-07-29", "2029-07-28"),
        ("本办法自2024年2月29日起施行，有效期一年。", "2024-02-29", "2025-02-28"),
        ("本办法自2024年8月31日起施行，有效期6个月。", "2024-08-31", "2025-02-28"),
        ("本办法自发布之日起30日后施行。", "2031-04-08", None),
        ("本通知有效期1年。", None, "2032-03-08"),
        ("本细则自2024年7月29日起实施，有效期至2026年12月31日。", "2024-07-29", "2026-12-31"),
        ("本方案有效期自2024年1月1日至2026年12月31日止。", "2024-01-01", "2026-12-31"),
        ("本办法有效期为2024年1月1日至2026年12月31日。", "2024-01-01", "2026-12-31"),
        ("本办法自2024年1月1日起施行，至2025年12月31日止。", "2024-01-01", "2025-12-31"),
        ("试点自2024年1月1日起施行，至2025年12月31日止。", None, None),
        ("办事证明有效期2年。", None, None),
        ("本办法所称证件有效期2年。", None, None),
        ("居住证自2024年7月29日起施行新样式。", None, None),
        ("居住证自签发之日起生效，有效期1年。", None, None),
        ("经营许可证由区市场监管局核发，自批准之日起生效，有效期为5年。", None, None),
        ("本办法所称许可证自批准之日起生效，有效期5年。", None, None),
        ("本办法规定的许可证，自批准之日起生效，有效期5年。", None, None),
        ("许可文件自批准之日起生效，有效期5年。", None, None),
        ("优惠价自2024年7月29日起执行，有效期1年。", None, None),
        ("自发布之日起生效，有效期1年。", None, "2032-03-08"),
        ("上述政策自2024年7月29日起执行，有效期1年。", "2024-07-29", "2025-07-28"),
        ("请遵照执行，自2024年7月29日起施行，有效期1年。", "2024-07-29", "2025-07-28"),
        ("本办法经会议通过，自2024年7月29日起生效，有效期1年。", "2024-07-29", "2025-07-28"),
        ("本文件自2024年7月29日起生效，有效期1年。", "2024-07-29", "2025-07-28"),
    ],
)
def test_validity_is_that_of_the_document_not_of_what_it_regulates(words, effective, expires):
    text = f"示例办法\n第一条 内容。\n第二条 {words}\n示例市财政局\n2031年3月9日"
    facts = policy_facts(text, "示例办法")
    assert facts.get("effective") == effective
    assert facts.get("expires") == expires
    assert facts.get("validity", "") in words
    assert bool(facts.get("validity")) == bool(effective or expires)


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("关于延长《旧办法》有效期的通知", "《旧办法》自2015年1月1日起施行，有效期5年。"),
        (
            "关于旧办法的通知",
            "《旧办法》（示府〔2014〕3号）自2015年1月1日起施行，有效期5年，"
            "现决定延长有效期至2027年12月31日。",
        ),
        (
            "关于旧办法的通知",
            "《旧办法》，自2015年1月1日起施行，至2019年12月31日止，现决定继续执行。",
        ),
    ],
)
def test_the_term_of_a_document_that_is_made_longer_is_not_that_of_the_notice(title, named):
    facts = policy_facts(f"{title}\n{named}\n示例市财政局\n2020年1月10日", title)
    assert "expires" not in facts
    assert "validity" not in facts


def test_a_notice_gives_the_term_of_what_it_publishes():
    title = "关于印发《示例办法》的通知"
    text = f"{title}\n现印发《示例办法》，自2031年5月1日起施行，有效期5年。\n2031年4月1日"
    assert policy_facts(text, title)["expires"] == "2036-04-30"
    until = text.replace("有效期5年", "至2035年12月31日止")
    assert policy_facts(until, title)["expires"] == "2035-12-31"


def test_a_permits_term_is_not_that_of_the_rule_in_force_beside_it():
    text = "第九条 经营许可证自批准之日起生效，有效期为5年。\n第十条 本办法自2015年1月1日起施行。"
    assert policy_facts(text, "示例市经营许可办法") == {
        "effective": "2015-01-01",
        "validity": "本办法自2015年1月1日起施行",
    }


def test_a_date_known_from_elsewhere_counts_where_the_text_has_none():
    facts = policy_facts("第九条 本办法自印发之日起施行，有效期3年。", "示例办法", "2031-03-09")
    assert facts["effective"] == "2031-03-09"
    assert facts["expires"] == "2034-03-08"
    assert "date" not in facts


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("示例办法（已废止）", "第一条 内容。"),
        ("示例办法【失效】", "第一条 内容。"),
        ("示例办法", "示例办法\n（已失效）\n第一条 内容。"),
        ("示例办法", "有效性：废止\n示例办法\n第一条 内容。"),
        ("示例办法", "【时效性】失效\n示例办法\n第一条 内容。"),
        ("示例办法", "【发布日期】2020-01-01 【时效性】已废止\n第一条 内容。"),
        ("示例办法", "示例办法\n| 文号 | 示府〔2019〕3号 | 有效性 | 失效 |\n第一条 内容。"),
        ("示例办法", "文件有效性：已失效\n示例办法\n第一条 内容。"),
        ("示例办法", "本文件已于2030年1月1日废止。\n示例办法\n第一条 内容。"),
    ],
)
def test_a_document_that_was_repealed_is_marked(title, text):
    assert policy_facts(text, title)["status"] == "repealed"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("关于废止《示例办法》的决定", "现决定废止《示例办法》（示府〔2019〕3号）。"),
        ("示例办法", "第九条 本办法施行后，《旧办法》同时废止。"),
        ("示例办法", "第九条 证件期满后自动失效。"),
        ("示例办法", "| 有效性 | 失效日期 |\n第一条 内容。"),
        ("示例办法", "【时效性】现行有效\n第一条 内容。"),
        ("示例办法", "有效性：现行有效\n第一条 内容。"),
    ],
)
def test_a_document_that_repeals_another_is_in_force_itself(title, text):
    assert "status" not in policy_facts(text, title)


@pytest.mark.parametrize(
    ("text", "repeals"),
    [
        ("《甲办法》同时废止。", "《甲办法》"),
        (
            "《甲办法》和《乙通知》（示府〔2019〕3号）废止。",
            "《甲办法》；《乙通知》（示府〔2019〕3号）",
        ),
        ("《关于印发〈甲办法〉的通知》停止执行。", "《关于印发〈甲办法〉的通知》"),
        ("现决定废止《甲办法》、《乙办法》。", "《甲办法》；《乙办法》"),
        ("《甲办法》尚未废止。", None),
        ("《甲办法》不再废止。", None),
        ("《甲办法》（示府〔2019〕3号）没有正式宣布停止执行。", None),
        ("《甲办法》已不适用予以废止。", "《甲办法》"),
        ("《甲办法》废止后，按本办法办理。", None),
        ("《甲办法》废止了吗？ 答：没有废止", None),
        ("《甲办法》是否已经废止，请告知。", None),
        ("请问《甲办法》是什么时候废止的？", None),
        ("决定废止《甲办法》的理由是什么？", None),
        ("问：《甲办法》废止了吗？答：《甲办法》已于2030年废止。", "《甲办法》"),
        ("《甲办法》拟予以废止，现公开征求意见。", None),
        ("我局拟对市政府2010年印发的《甲办法》予以废止。", None),
        ("《甲办法》予以废止，现公开征求社会各界意见。", None),
        ("《甲办法》将予以废止。", None),
        ("《甲办法》将同时废止。", "《甲办法》"),
        ("由市司法局拟订的《甲办法》同时废止。", "《甲办法》"),
        ("市政府《关于应否受理的批复》和市政府《甲办法》同时废止。", "《甲办法》"),
        ("建议废止《甲办法》，也有人建议《甲办法》停止执行。", None),
        ("《甲办法》不必废止，《乙办法》无需停止执行。", None),
        ("《甲办法》自《乙条例》施行之日起废止。", "《甲办法》"),
        ("《甲办法》自2031年1月1日《乙条例》施行之日起同时废止。", "《甲办法》"),
        ("自《乙条例》施行之日起，《甲办法》、《丙通知》废止。", "《甲办法》；《丙通知》"),
        ("自本办法施行之日起《甲办法》废止。", "《甲办法》"),
        ("本通知自《乙条例》施行之日起废止。", None),
        ("《甲办法》（示府〔2019〕3号）已被《乙办法》废止。", "《甲办法》（示府〔2019〕3号）"),
        ("《甲办法》未被《乙办法》废止。", None),
        ("依照《甲办法》的规定办理。", None),
    ],
)
def test_what_a_document_repeals_is_listed_by_name(text, repeals):
    assert policy_facts(text, "示例办法").get("repeals") == repeals


@pytest.mark.parametrize(
    "title", ["示例办法（征求意见稿）", "关于《示例办法》公开征求意见的公告", "示例条例（草案）"]
)
def test_a_draft_repeals_nothing(title):
    assert "repeals" not in policy_facts("第九条 《甲办法》同时废止。", title)


@pytest.mark.parametrize(
    ("words", "date"),
    [
        ("二○一九年一月二十七日", "2019-01-27"),
        ("二〇〇四年十月十日", "2004-10-10"),
        ("一九九六年十二月三十一日", "1996-12-31"),
        ("2019-1-7", "2019-01-07"),
        ("2019/01/07 10:00", "2019-01-07"),
        ("2019年2月30日", ""),
        ("三月一日", ""),
    ],
)
def test_dates_are_read_in_both_kinds_of_numerals(words, date):
    assert parse_date(words) == date


@pytest.mark.parametrize(
    ("words", "date"),
    [
        ("2024-05-01", "2024-05-01"),
        ("2024.5.1", "2024-05-01"),
        ("2024/5/1", "2024-05-01"),
        ("2024年5月1日", "2024-05-01"),
        ("20240501", "2024-05-01"),
        ("12024050", ""),
        ("２０２４．５．１", "2024-05-01"),
        ("2024-05-01T08:00:00+08:00", "2024-05-01"),
        ("2024", ""),
        ("2024.13.1", ""),
        ("2024-12-310", ""),
        ("12.5.1", ""),
        ("1.2024.5.1", ""),
        ("长期", ""),
        ("", ""),
    ],
)
def test_what_is_typed_as_a_date_becomes_one_or_nothing(words, date):
    assert iso_date(words) == date


@given(st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)))
def test_every_date_comes_back_from_how_offices_write_it(day):
    assert parse_date(f"{day.year}年{day.month}月{day.day}日") == day.isoformat()


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("国发〔2019〕5号", "国发〔2019〕5号"),
        ("国发(2019) 5 号", "国发〔2019〕5号"),
        ("国令第707号", "国令第707号"),
        ("（办事指引）", ""),
        ("国发〔2019〕5号为依据", ""),
        ("（依据国发〔2019〕5号）", ""),
    ],
)
def test_only_a_document_number_is_one(words, number):
    assert normal_number(words) == number


@given(st.text(max_size=300), st.text(max_size=60))
def test_no_text_makes_it_fail_and_every_fact_says_something(text, title):
    facts = policy_facts(text, title)
    assert all(facts.values())
