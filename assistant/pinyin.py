"""How characters sound, and pinyin typed in Latin letters."""

import re
from collections.abc import Container, Iterator
from functools import cache

# Sounds that dialects of Chinese and their input methods confuse, as (pattern, what all become):
# flat and curled sibilants; l, n and r; h and f; front and back nasals.
_CONFUSED = (
    (re.compile(r"^([zcs])h"), r"\1"),
    (re.compile(r"^[nr]"), "l"),
    (re.compile(r"^h(?=u)"), "f"),
    (re.compile(r"(?<=[aei])ng$"), "n"),
)
# Letters that stand on their own or between spaces: not in addresses, file names, codes.
_TYPED = re.compile(r"(?<![\w.@:/\\-])[a-z']+(?: +[a-z']+)*(?![\w.@:/\\-])", re.ASCII)
# Characters that everyday words read in two ways; dictionaries know many more that none does.
_READ_AS = {
    "行": {"xing", "hang"},
    "长": {"chang", "zhang"},
    "重": {"zhong", "chong"},
    "乐": {"le", "yue"},
    "还": {"hai", "huan"},
    "得": {"de", "dei"},
    "地": {"di", "de"},
    "了": {"le", "liao"},
    "着": {"zhe", "zhao"},
    "调": {"diao", "tiao"},
    "会": {"hui", "kuai"},
    "弹": {"dan", "tan"},
    "传": {"chuan", "zhuan"},
    "降": {"jiang", "xiang"},
    "参": {"can", "shen"},
    "差": {"cha", "chai"},
    "给": {"gei", "ji"},
    "觉": {"jue", "jiao"},
    "率": {"lv", "shuai"},
    "血": {"xue", "xie"},
    "省": {"sheng", "xing"},
    "校": {"xiao", "jiao"},
    "系": {"xi", "ji"},
    "厦": {"xia", "sha"},
    "折": {"zhe", "she"},
    "查": {"cha", "zha"},
    "都": {"dou", "du"},
    "便": {"bian", "pian"},
    "模": {"mo", "mu"},
}
_MOST_WAYS = 16  # of splitting letters into syllables that are weighed
_LONGEST = 6  # letters of a syllable: zhuang


@cache
def sounds(character: str) -> frozenset[str]:
    """Return the syllables, without tones, that a character can be read as; ü is v."""
    from pypinyin import Style, pinyin

    readings = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    return frozenset(readings[0]) - {""} if readings else frozenset()


@cache
def readings(character: str) -> frozenset[str]:
    """Return the syllables that a character is commonly read as."""
    from pypinyin import Style, pinyin

    usual = pinyin(character, style=Style.NORMAL, errors="ignore")
    return (
        frozenset({usual[0][0]} | _READ_AS.get(character, set())) - {""} if usual else frozenset()
    )


@cache
def blurred(syllable: str) -> str:
    """Return the same for all syllables that are easily confused with this one."""
    for pattern, replacement in _CONFUSED:
        syllable = pattern.sub(replacement, syllable)
    return syllable


def typed(text: str) -> Iterator[re.Match[str]]:
    """Find the runs of small Latin letters and spaces that may be pinyin."""
    return _TYPED.finditer(text)


def splits(letters: str, syllables: Container[str]) -> list[list[str]]:
    """Split letters into syllables in every way, long ones first; none if it can't be done."""
    ways: list[list[str]] = [[]]
    for word in re.split(r"[ ']+", letters.strip(" '")):
        ways = [way + more for way in ways for more in _split(word, syllables)][:_MOST_WAYS]
    return ways


def _split(word: str, syllables: Container[str]) -> list[list[str]]:
    ways: list[list[list[str]]] = [[[]]]  # of the last n letters, by n
    for start in reversed(range(len(word))):
        found: list[list[str]] = []
        for end in range(min(len(word), start + _LONGEST), start, -1):
            if word[start:end] in syllables:
                found += [[word[start:end], *rest] for rest in ways[len(word) - end]]
        ways.append(found[:_MOST_WAYS])
    return ways[-1]
