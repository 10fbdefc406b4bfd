"""What a query covers, and how candidates of both searches are put in order."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.catalogue import Row
from knowledge.lexical import terms
from knowledge.places import counties_of, places, smaller_places
from knowledge.queries import Weighed, content, longest_common
from knowledge.ranking import Candidate, Found, rank
from knowledge.types import Document, Passage


def candidate(number, text, dense=0.5, share=0.1):
    row = Row(number, number, Document(str(number), "标题", "", "s"), Passage(text, 0, len(text)))
    return Candidate(Found(number, number, dense, dense, share * 10, share, share), row)


def weighed(query):
    return Weighed(dict.fromkeys(terms(content(query)), 1.0))


def test_of_two_that_are_as_near_the_one_with_the_querys_words_comes_first():
    query = "公积金怎么提取"
    found = rank(query, weighed(query), [candidate(1, "天气晴朗"), candidate(2, "公积金可以提取")])
    assert [one.row.number for _, one in found] == [2, 1]


@given(st.lists(st.text("公积金提取医保", min_size=1, max_size=9), min_size=1, max_size=80))
def test_scores_fall_from_rank_to_rank_and_nothing_is_lost_or_doubled(passages):
    found = rank(
        "公积金提取",
        weighed("公积金提取"),
        [candidate(i, text, dense=1 / (i + 1)) for i, text in enumerate(passages)],
    )
    scores = [score for score, _ in found]
    assert scores == sorted(scores, reverse=True)
    numbers = [one.row.number for _, one in found]
    assert len(set(numbers)) == len(numbers) == len(passages)


@given(st.text("甲乙丙丁", max_size=12), st.text("甲乙丙丁", max_size=30))
def test_the_longest_common_run_is_in_both_and_no_longer_one_is(query, text):
    longest = longest_common(query, text)
    runs = {query[i : i + longest] for i in range(len(query) - longest + 1)}
    assert any(run in text for run in runs)
    longer = {query[i : i + longest + 1] for i in range(len(query) - longest)}
    assert not any(run in text for run in longer)


def test_places_are_told_from_words_that_end_alike():
    assert places("厦门市有多少台一体机") == {"厦门"}
    assert smaller_places("惠安县，全市，超市") == {"惠安"}


def test_the_counties_of_a_city_are_known_by_their_bare_names():
    assert {"晋江", "德化", "洛江"} <= counties_of("泉州")
    assert "越秀" in counties_of("广州")
    assert counties_of("") == counties_of("某市") == frozenset()
