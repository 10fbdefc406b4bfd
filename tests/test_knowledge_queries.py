import pytest

from knowledge.lexical import terms
from knowledge.queries import content


@pytest.mark.parametrize(
    ("question", "asked_for"),
    [
        ("居住证怎么办理", {"居住", "住证", "办理"}),
        ("居住证咋办理", {"居住", "住证", "办理"}),
        ("居住证丢了怎么办", {"居住", "住证"}),
    ],
)
def test_what_only_asks_says_nothing_and_takes_nothing_of_the_next_word(question, asked_for):
    assert asked_for <= set(terms(content(question))) <= asked_for | {"证丢", "丢"}
