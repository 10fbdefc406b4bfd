"""Conversations: kept, kept apart, masked, and gone when they are deleted."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from assistant.history import History, markdown
from assistant.types import Answer, Citation, Turn
from knowledge.errors import HomeError
from knowledge.settings import load_settings


@pytest.fixture
def settings(tmp_path):
    return load_settings(home=tmp_path)


@pytest.fixture
def history(settings):
    history = History(settings)
    yield history
    history.close()


def made(question="公积金怎么提取", answer="持身份证办理。[1]", status="answered", **other):
    citation = Citation(
        1, "fund", "《提取办法》", "第三条", "/fund.md", "2024-05-06", "持身份证办理。", 10, 17
    )
    fields = {
        "question": question, "corrected_question": question, "answer": answer,
        "status": status, "refused": status != "answered", "reason": "", "missing": ("金额",),
        "citations": (citation,), "mode": "extractive", "seconds": 0.1,
    }  # fmt: skip
    return Answer(**{**fields, **other})


def test_a_conversation_survives_a_restart(settings):
    first = History(settings)
    kept = first.keep("me", "c1", made())
    first.close()
    again = History(settings)
    (exchange,) = again.exchanges("me", "c1")
    assert exchange == kept
    assert exchange.answer == made()
    again.close()


def test_the_title_is_the_first_question_until_it_is_renamed(history):
    history.keep("me", "c1", made("身份证丢了怎么办"))
    history.keep("me", "c1", made("要多久"))
    (conversation,) = history.conversations("me")
    assert conversation.title == "身份证丢了怎么办"
    assert history.rename("me", "c1", "  补证  ")
    assert history.conversations("me")[0].title == "补证"
    assert not history.rename("me", "c1", " ")


def test_the_last_used_stands_first_and_a_search_finds_what_was_said(history):
    history.keep("me", "c1", made("身份证丢了"))
    history.keep("me", "c2", made("公积金提取", "带上100%合规的材料。"))
    history.keep("me", "c1", made("多少钱"))
    assert [c.id for c in history.conversations("me")] == ["c1", "c2"]
    assert [c.id for c in history.conversations("me", "多少钱")] == ["c1"]
    assert [c.id for c in history.conversations("me", "100%合规")] == ["c2"]
    assert history.conversations("me", "100_合规") == []
    assert history.conversations("me", "没人说过的") == []


def test_nobody_sees_or_touches_what_is_anothers(history):
    kept = history.keep("me", "c1", made())
    history.keep("you", "c1", made("别人的问题"))
    assert [e.answer.question for e in history.exchanges("me", "c1")] == ["公积金怎么提取"]
    assert history.exchanges("you", "c1") == []
    assert history.conversations("you") == []
    assert not history.rename("you", "c1", "改名")
    assert not history.delete("you", "c1")
    history.keep("you", "c1", made("别人的问题"), replaces=kept.id)
    history.leave("you")
    assert history.exchange("you", kept.id) is None
    assert history.exchange("me", kept.id) == kept


def test_no_owner_owns_nothing(history):
    history.keep("", "c1", made())
    assert history.conversations("") == []
    assert len(history.asked()) == 1


def test_what_is_deleted_is_gone(history):
    history.keep("me", "c1", made())
    history.keep("me", "c2", made("留下的"))
    assert history.delete("me", "c1")
    assert not history.delete("me", "c1")
    assert [e.answer.question for e in history.asked()] == ["留下的"]


def test_leaving_keeps_the_questions_and_forgets_whose_they_were(history):
    history.keep("me", "c1", made())
    history.leave("me")
    assert history.conversations("me") == []
    assert history.exchanges("me", "c1") == []
    assert len(history.asked()) == 1


def test_asking_anew_takes_back_what_followed(history):
    first = history.keep("me", "c1", made("甲"))
    second = history.keep("me", "c1", made("乙"))
    history.keep("me", "c1", made("丙"))
    anew = history.keep("me", "c1", made("丁"), replaces=second.id)
    assert history.exchanges("me", "c1") == [first, anew]


def test_the_last_turns_are_what_a_follow_up_leans_on(history):
    for question in "甲乙丙":
        history.keep("me", "c1", made(question, f"{question}答"))
    assert history.turns("me", "c1", 4) == [
        Turn("user", "乙"), Turn("assistant", "乙答"), Turn("user", "丙"), Turn("assistant", "丙答")
    ]  # fmt: skip
    assert history.turns("me", "c1", 0) == []


def test_a_shared_answer_is_seen_by_all_who_have_its_id(history):
    kept = history.keep("me", "c1", made())
    assert history.exchange("you", kept.id) is None
    assert history.share(kept.id)
    assert history.exchange("you", kept.id) == kept
    assert not history.share("no-such")


def test_what_was_disliked_refused_or_partly_answered_reaches_the_operator(history):
    liked = history.keep("me", "c1", made("好"))
    disliked = history.keep("me", "c1", made("差"))
    history.keep("you", "c2", made("没有", status="not_found"))
    history.keep("you", "c2", made("一半", status="partial"))
    assert history.rate(liked.id, "up")
    assert history.rate(disliked.id, "down", "答非所问，回电13812345678")
    assert not history.rate("no-such", "up")
    (told,) = history.asked("disliked")
    assert (told.id, told.verdict) == (disliked.id, "down")
    assert "答非所问" in told.reason
    assert "13812345678" not in told.reason
    assert [e.answer.question for e in history.asked("refused")] == ["没有"]
    assert [e.answer.question for e in history.asked("unsure")] == ["一半"]
    assert len(history.asked(limit=2)) == 2


def test_what_is_asked_most_comes_first(history):
    for question in ("一次", "两次", "两次"):
        history.keep("", "", made(question))
    history.keep("", "", made("没有", status="not_found"))
    assert history.most_asked(5) == ["两次", "一次"]


def test_personal_numbers_are_never_written(settings, history):
    asked = "我电话13812345678，身份证11010519491231002X，低保怎么办"
    unsaid = {"missing": (asked,), "reason": f"没有{asked}"}
    history.keep("me", "c1", made(asked, f"已按“{asked}”理解。", **unsaid))
    history.rename("me", "c1", "我的13812345678")
    assert history.conversations("me", "低保")
    written = b"".join(p.read_bytes() for p in settings.home.glob("history.sqlite3*"))
    assert b"13812345678" not in written
    assert b"11010519491231002X" not in written


def test_numbers_of_the_documents_stay(history):
    kept = history.keep("me", "c1", made("找谁办", "请打13812345678。[1]"))
    assert "13812345678" in kept.answer.answer
    quoted = replace(kept.answer.citations[0], quote="咨询电话0595-22123456。")
    kept = history.keep(
        "me", "c2", made("我是13812345678，找谁", "咨询电话0595-22123456。[1]", citations=(quoted,))
    )
    assert kept.answer.answer == "咨询电话0595-22123456。[1]"


def test_it_is_exported_with_its_sources(history):
    history.keep("me", "c1", made())
    text = markdown("补证", history.exchanges("me", "c1"))
    assert text.startswith("# 补证\n")
    for part in (
        "## 公积金怎么提取",
        "持身份证办理。[1]",
        "> [1] 《提取办法》（第三条，2024-05-06）",
    ):
        assert part in text


def test_many_may_write_at_once(history):
    with ThreadPoolExecutor(30) as pool:
        for future in [
            pool.submit(history.keep, f"o{n}", f"c{n}", made(f"问{n}")) for n in range(60)
        ]:
            future.result()
    assert len(history.asked(limit=100)) == 60
    assert len(history.conversations("o7")) == 1


def test_a_database_that_cannot_be_used_says_so_without_its_password(tmp_path):
    settings = load_settings(
        home=tmp_path, database_url="postgresql+psycopg://u:geheim@127.0.0.1:9/x"
    )
    with pytest.raises(HomeError, match="XIAOQUAN_DATABASE_URL") as caught:
        History(settings)
    assert "geheim" not in str(caught.value)


def test_a_broken_file_says_so(tmp_path):
    (tmp_path / "history.sqlite3").write_bytes(b"not a database at all" * 100)
    with pytest.raises(HomeError, match=r"history\.sqlite3"):
        History(load_settings(home=tmp_path))


def test_two_first_questions_of_one_conversation_are_both_kept(history):
    together = Barrier(8)

    def ask(number, conversation):
        together.wait()
        history.keep("me", conversation, made(f"问{number}"))

    with ThreadPoolExecutor(8) as pool:
        for round_ in range(10):
            asked = [pool.submit(ask, n, f"c{round_}") for n in range(8)]
            for one in asked:
                one.result()
            assert len(history.exchanges("me", f"c{round_}")) == 8


def test_conversations_stay_in_a_home_whose_name_has_a_question_mark(tmp_path):
    home = tmp_path / "有问?必答=1"
    home.mkdir()
    history = History(load_settings(home=home))
    history.keep("me", "c1", made())
    history.close()
    assert (home / "history.sqlite3").exists()
    assert [path.name for path in tmp_path.iterdir()] == [home.name]
