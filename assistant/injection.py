"""Sentences of documents that give orders to a language model, not information to people.

A document is data: what it orders is neither quoted, nor shown to a chat model, nor taken as
support for what one says. A question needs no such care, since nothing in it counts as support.
"""

import re
from collections.abc import Iterable
from itertools import groupby, pairwise
from operator import itemgetter

from knowledge.lexical import normalise
from knowledge.plaintext import clean_characters
from knowledge.splitting import sentences
from knowledge.types import Hit

_UNHEEDED = r"(?:忽略|无视|忘记|忘掉|抛开|丢弃|绕过|覆盖|不(?:要|必|再|用)(?:理会|遵守|遵循|执行))"
# 如已预约请忽略以上提示: said to people, as is what they must not do.
_NOTICE = r"(?:[如若](?:果?您|已|无|未|不|非)|已)[^。;]{0,12}忽略"
_FORBIDDEN = r"(?<![不勿别])(?<!不[得要能可准应会]|禁止|严禁|防止|避免|谨防|以免|擅自|随意|他人)"
_MODEL = r"(?:(?<![a-z])ai(?![a-z])|人工智能|大模型|语言模型|机器人|智能助手)"
# Grants are given to those who make or buy such things: 给大模型企业发放算力券：每年100万元.
_BUSINESS = r"[^,。:]{0,8}(?:企业|产业|产品|领域|行业|公司|单位|专业|人才|项目|[奖补券贴])"
# What a guide says, too: a signpost's 指示, a page's 系统提示, a 口令 that is sent to a phone.
_ORDER = re.compile(
    rf"{_UNHEEDED}[^,。;]{{0,12}}(?:指令|人设|提示词|prompt)"
    rf"|^(?!.*{_NOTICE}).*{_UNHEEDED}[^,。;]{{0,6}}"
    r"(?:[以之此先]前|[以前上]面|以上|上述|原来|一切|所有|全部|任何|[你您]的)"
    r"[^,。;]{0,8}(?:指示|提示|设定)"
    rf"|{_FORBIDDEN}(?:输出|打印|复述|重复|泄露|公开|告诉|说出)[^,。;]{{0,12}}"
    r"(?:系统提示|提示词|系统指令|system prompt|密钥|api.?key|环境变量)"
    r"|(?:显示|发送)[^,。;]{0,12}(?:提示词|系统指令|system prompt|api.?key|环境变量)"
    r"|(?<![如若])(?<!如果|要是)你(?:现在|今后)是[^,。;]{0,12}"
    r"(?:模型|助手|ai|机器人|客服|(?:没有|不受)[^,。;]{0,4}限制)"
    r"|你(?:现在|从现在起|今后)扮演"
    r"|从现在(?:起|开始),?你(?!们|[就也]?[可能]|无[需须]|不用|不必|不再?需)"
    r"|(?:请|你将|你要)(?:扮演|假装)|假装你"
    r"|(?:开发者|调试|越狱|无限制|管理员|dan)模式"
    r"|(?:ignore|disregard|forget|override).{0,30}(?:instruction|prompt|previous|above|rules)"
    r"|you are now|system prompt|act as (?:an?|the)\b|jailbreak"
    r"|<\|[^|]*\||\[/?(?:inst|system)\]|<</?sys>>|</?(?:system|assistant|user|资料|问题)\b"
    r"|^\W{0,4}(?:system|assistant|系统消息)\W{0,2}:|#\s*(?:system|instruction|指令)"
    r"|(?:请|必须|只能|务必|一律|直接)[^,。]{0,8}"
    r"(?:(?:回答|输出|答复)(?:用户|问题)?:?|回复(?:用户|问题|市民|群众|:):?)[\"“「『']"
    # A choice is put to people: 请回答“是”或“否”.
    r"(?!.[\"”」』']|[^\"”」』']{1,6}[\"”」』'](?:或|/|、|还是))"
    rf"|(?:致|给(?!予)|提醒|通知)[^,。]{{0,6}}{_MODEL}(?!{_BUSINESS})[^,。]{{0,8}}:"
)


def gives_orders(sentence: str) -> bool:
    """Tell whether a sentence speaks to a language model."""
    return bool(_ORDER.search(normalise(clean_characters(sentence))))


def without_orders(hits: Iterable[Hit]) -> list[Hit]:
    """Return the hits cut into what stands before, between and behind their orders."""
    return [part for hit in hits for part in _parts(hit)]


def _parts(hit: Hit) -> list[Hit]:
    text = hit.passage.text
    spans = sentences(text)
    alone = [gives_orders(text[slice(*span)]) for span in spans]
    given = list(alone)
    for at, (one, next_) in enumerate(pairwise(spans)):
        # An order may be broken over two lines.
        broken = "\n" in text[one[0] : next_[0]] and not (alone[at] or alone[at + 1])
        if broken and gives_orders(f"{text[slice(*one)].strip()}{text[slice(*next_)].strip()}"):
            given[at] = given[at + 1] = True
    if not any(given):
        return [hit]
    pairs = zip(spans, given, strict=True)
    runs = [list(run) for orders, run in groupby(pairs, itemgetter(1)) if not orders]
    return [hit.cut(run[0][0][0], run[-1][0][1]) for run in runs]
