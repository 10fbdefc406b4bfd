"""Typos made to learn from."""

from assistant import ngrams
from assistant.proofreader import LONGEST
from eval.confuser import Confuser, sentences

TEXTS = ["住房公积金怎么提取", "身份证丢了，补办要几天？", "打12345问", "二〇〇八年的", "abc", ""]


def test_only_chinese_characters_are_confused_and_each_stays_in_its_place():
    confuser = Confuser(seed=1, clean=0.0)
    for text in TEXTS * 20:
        typed = confuser.confused(text)
        assert len(typed) == len(text)
        assert all(
            a == b or (ngrams.code(a) and ngrams.code(b)) for a, b in zip(text, typed, strict=True)
        )
        assert (typed == text) == (not any(map(ngrams.code, text)))


def test_the_same_seed_makes_the_same_typos():
    def made(seed):
        confuser = Confuser(seed, clean=0.5)
        return [confuser.confused(text) for text in TEXTS * 5]

    assert made(1) == made(1) != made(2)
    kept = sum(a == b for a, b in zip(made(1), TEXTS * 5, strict=True))
    assert len(TEXTS) < kept < len(TEXTS * 5)


def test_each_sentence_is_taken_once(tmp_path):
    (tmp_path / "a.md").write_text(
        "第一条 老人可以领取高龄津贴。每月发放！短。\n第一条 老人可以领取高龄津贴。"
    )
    found = sentences([tmp_path / "a.md"])
    assert found == ["第一条 老人可以领取高龄津贴", "每月发放"]
    (tmp_path / "c.md").write_text("字" * 200)
    assert sentences([tmp_path / "c.md"]) == ["字" * LONGEST, "字" * 40]
