"""What a question is about, and whether it names that or points back to what was said before."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.places import places
from knowledge.queries import content

LONGEST = 24  # characters of a topic
FEW = 4  # characters of content that can't be a whole question

OPENING = re.compile(
    r"^(?:请问|你好|您好|好的|嗯+|哦+|谢谢|明白了?|知道了|对了|麻烦|问一下|我?想(?:问|知道|了解)(?:一下)?|那么|那(?!里|边|个|些|种|项)|另外|还有"
    r"|再问一?下?|然后|接着|顺便|[，,、。！!\s])+"
)
CLOSING = re.compile(r"[\s？?。！!，,、；;的了呢吗啊呀吧]+$")
ASKS = re.compile(
    r"什么|啥|哪(?:[些个里儿家种类位所]|几\w)?|多少|几(?=[个家名条项种年天次岁月号点位所])|怎么样?|怎样|如何|咋样?|何时|何地|为何|谁"
    r"|是否|能不能|可不可以|可以不可以|能否|可否|有没有|要不要|用不用|多久|多长|多大|多高|吗"
)
_SPAN = r"几个?(?:月|星期|周|年|天|小时)"
_BEGINS = r"(?<![^\W我们])"  # 到期前几天能换 and 物业不管怎么办 ask
_STATES = r"(?!\w*[会就算要能才可])"  # 缴了几年能领 asks
# Where those ask nothing: 没有什么收入, 不管谁来办, 好几个月, 几年前, 欠了我几个月工资.
_INDEFINITE = re.compile(
    rf"(?:{_BEGINS}不管|无论|不论)\w{{0,3}}?(?:{ASKS.pattern})"
    r"|(?<!有)没有?(?:什么|啥|多[少久]|几|谁|哪)|[没不]怎么(?![办样])|(?:什么|啥|谁)[都也]"
    rf"|(?:[好这十]|(?<!附)近|{_BEGINS}前)几|{_BEGINS}{_SPAN}前{_STATES}|{_SPAN}前(?=\w*[了过])"
    rf"|(?:了(?:[我咱俺]们?)?{_SPAN}|{_SPAN}没){_STATES}"
)
_MANNER = re.compile(r"怎么$|怎样|如何|咋|能不能|可不可以|能否|可否|要不要|用不用")
# Where a name ends and what is said of it begins; words that are parts of names are kept whole.
_PREDICATE = re.compile(
    r"(?<=..)(?:是|(?<![国所共私享没])有(?![限关效机色偿害])|成立|设立|组建|创办|建成|建立于|位于|坐落|旨在"
    r"|拥有|提供|开设|下设|整合|引入|覆盖|包含|包括|获得|入选|旗下|每年|目前|现在|一共|总共|主要|分别"
    r"|不(?:超过?|低于|少于|高于|多于|到|满|足)$"
    r"|(?:需要|可以|应该|应当|要|能|会|在|于|到|从|由|去|得|需|应|能够|要带|要等|等|找|问|打|拨)$|(?<![智功性职机才效可技潜])能\w?$)"
)
ORDINAL = re.compile(
    r"(?:上面|前面|刚才|你?说的|其中|那|这)*(?:的)?"
    r"(?:第([一二三四五六七八九十]|\d{1,2})|(最后)一?)"
    r"(?:[个条项种点款步]|类(?=\W|$|[是要需的怎有呢情如可能]))"  # 第二类医疗器械 is a name
    r"(?:情况|情形|条件|方式|办法|措施|材料)?"
)
# What is to be done (该去哪里), and a time that goes by (这几年, 这个月), stand for nothing said.
SHOULD = re.compile(
    r"该(?:[去找怎咋如何不在到向往打走拿带由从先给跟谁哪啥什]|准备|提交|办(?![法公])|交(?![易通])"
    r"|补(?![贴助偿])|领(?!域)|用(?![户地途工人])|问(?!题))"
)
_TIME = (
    r"[这那](?:[几两三四五六七八九十\d次段回阵]|会儿|[一个些]?(?:时候?|天|日子|月|星期|周|季度|年))"
)
PRONOUN = re.compile(
    r"(?:(?<!其)它们?|[他她]们|(?<![尤极与及耳])其(?![他它中余次实])"
    rf"|(?<![^\W对在从由把被跟办用的是])(?!{SHOULD.pattern}|{_TIME})(?:[这那](?:里|边|儿|一?[个些项家种类条份])|[该此]|这(?![么样])))"
    r"(?:情况|事情?儿?|问题|东西)?"
)
_WHAT_OF = re.compile(r"^(?:如果|要是|换成)*+(.{1,14}?)(?:的话)?呢[？?。]*$")
_WHETHER = re.compile(r"(?<=\w)不$")  # 居住证收费不
# Neither what only says what is to be done nor how often is a topic: 要预约, 每个月发.
_NO_TOPIC = re.compile(
    r"(?:要(?![约素])|需要|可以)\w*|(?:每|[一两几三\d]+)个?(?:月|年|天|周|星期|季度)要?\w?"
)
_YES_NO = re.compile(r"([\u4e00-\u9fff])不\1")
_COUNTED = re.compile(r"多少|几")
_MEASURE = re.compile(r"^[个家名条项种台位座件所]")
_LIGHT = re.compile(r"[办弄整搞做]?")  # what is done to anything says nothing of the matter
_LEADING = re.compile(r"^(?:是|(?:人员?)?(?:可以|能够?|会|要|需要))")
ATTRIBUTE = re.compile(
    r"(?:材料|条件|流程|步骤|手续|时间|期限|时限|费用|收费|价格|地点|地址|电话|标准|金额|额度|比例"
    r"|情况|特点|方式|要求|对象|范围|依据|资格|程序|渠道|网址|入口|好处|待遇)$"
)
_OF_IT = re.compile(rf"(?<=..)(?:的[^的]{{0,8}})?{ATTRIBUTE.pattern}")  # 居住证的办理流程
# What says nothing of the topic: questions of only this lean on what was said before.
ANY_TOPIC = re.compile(
    ATTRIBUTE.pattern.removesuffix("$") + f"|{_TIME}|来[得不]及"
    r"|办理?|申请|申报|需要?|提供|准备|携带|成立|设立|开始|结束"
    r"|本人|自己|可以|能够?"
    r"|[到带领拿收交发报批查打拨问说去要做用找在投总共钱天年月多长久大高都还也又就该得会先吧不]"
)


@dataclass(frozen=True, slots=True)
class Topic:
    """What a question is about: its name, and the name with what is to be done ("…补办")."""

    name: str
    matter: str


def topic_of(question: str) -> Topic:
    """Return what a question is about."""
    text = _WHETHER.sub("", CLOSING.sub("", OPENING.sub("", question.strip())))
    asking = (asked_in(text) or ASKS.search(text), _YES_NO.search(text))
    asks = min(filter(None, asking), key=re.Match.start, default=None)
    before, after = (text[: asks.start()], text[asks.end() :]) if asks else (text, "")
    clauses = [part for part in re.split(r"[，,。：:；;！!\s]", before) if content(part).strip()]
    # A citizen's own story comes before the matter; a matter comes before its details.
    name = (clauses[-1] if clauses[0].startswith("我") else clauses[0]) if clauses else ""
    if found := _PREDICATE.search(name):
        name = name[: found.start()]
    if asks and _COUNTED.match(asks[0]):
        name = re.sub(r"(?<=..)\w了$", "", name)  # 公积金缴了多少
    name = _OF_IT.sub("", name).rstrip("的")[-LONGEST:]
    if _NO_TOPIC.fullmatch(name):
        return Topic("", "")
    done = re.split(r"[，,。；;！!？?\s]", after)[0]
    if _is_place(name):  # 泉州有几个服务中心
        return Topic(*(2 * [f"{name}{_MEASURE.sub('', done)}"[-LONGEST:]]))
    says = asks and _MANNER.match(asks[0]) and not _LIGHT.fullmatch(done)
    matter = f"{name}{done}"[-LONGEST:] if says else name
    if name and not re.fullmatch(r"\w{1,2}了", name):  # 建成了多少厂房
        return Topic(name, matter)
    done = _LEADING.sub("", done)
    return Topic(done, done)


def asked_in(text: str) -> re.Match[str] | None:
    """Find the first word that asks; 我没有什么收入 has none, but for a question mark."""
    told = [found.span() for found in _told(text)]
    asking = ASKS.finditer(text)
    return next((a for a in asking if not any(s <= a.start() < e for s, e in told)), None)


def without_told(text: str) -> str:
    """Return a question without the words that might ask, and here only tell: 好几个月."""
    if not asked_in(text):
        return text  # 公积金缴了几年
    for found in reversed(list(_told(text))):
        text = f"{text[: found.start()]}{text[found.end() :]}"
    return text


def _told(text: str) -> Iterator[re.Match[str]]:
    return iter(()) if re.search("[？?]", text) else _INDEFINITE.finditer(text)


def _is_place(name: str) -> bool:
    return any(re.fullmatch(rf"{place}[省市]?", name) for place in places(name))


def names_another(question: str) -> str:
    """Return what a question puts in the place of something said: 居住证 of "那居住证呢"."""
    found = _WHAT_OF.match(OPENING.sub("", question))
    if not found or PRONOUN.fullmatch(found[1]) or ASKS.search(found[1]):
        return ""
    if not CLOSING.sub("", found[1]):
        return ""
    return "" if _YES_NO.search(found[1]) else found[1]


def opening(question: str) -> str:
    """Return what a question begins with that asks nothing: 那, 请问, 好的."""
    found = OPENING.match(question)
    return found[0] if found else ""


def few(question: str) -> bool:
    """Tell whether a question says too little to be a whole one."""
    return len(re.sub(r"\W", "", content(question))) <= FEW


def only_asks(question: str) -> bool:
    """Tell whether a question is nothing but what is asked for: 要多少钱, 需要什么材料."""
    words = ANY_TOPIC.sub("", content(OPENING.sub("", question)))
    return not re.sub(r"\W", "", words)


def points_back(question: str, topics: Sequence[Topic]) -> bool:
    """Tell whether a question can't be understood without what was said before."""
    text = OPENING.sub("", question)
    return (
        only_asks(question)
        or bool(names_another(question) or ORDINAL.match(text) or PRONOUN.search(text))
        or any(True for topic in topics for _ in bare(topic.name, text))
    )


def bare(name: str, text: str) -> Iterator[re.Match[str]]:
    """Find the last part of a name standing for the whole: 学院, 该院, 这个证."""
    points = r"(?<!\w)[该此本]|[这那]一?[个家项种所份]?"
    for found in re.finditer(rf"(?:{points}|(?<!\w))(\w\w)", text):
        if found[1] == name[-2:] or f"{found[1]}的" in name:  # 商学院的…专业
            yield found
    yield from re.finditer(rf"(?:{points})({re.escape(name[-1])})", text)


def names(question: str, title: str, run: int = 3) -> bool:
    """Tell whether a question has words of a title: so many characters, or a whole shorter word."""
    words = ANY_TOPIC.sub(" ", content(OPENING.sub("", question))).split()
    parts = {word[at : at + run] for word in words for at in range(max(1, len(word) - run + 1))}
    return any(len(part) > 1 and part in title for part in parts)
