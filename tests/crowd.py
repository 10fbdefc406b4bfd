"""Let so many browsers chat at once: ``python tests/crowd.py --browsers 30 --rounds 3``.

Debian's Chromium, a context of its own for each citizen, a server over the bundled sample, all on
this machine. In each round all ask at the same instant, each another question. Prints JSON: what
was answered, what any page complained about, and seconds (median and 95th percentile) until a page
could be used, until the first word and until the whole answer. Exits with 1 where anything failed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from playwright.async_api import async_playwright

from eval.questions import load_questions
from knowledge.base import KnowledgeBase
from knowledge.settings import load_settings
from tests.browsing import ARGUMENTS, CHROMIUM, QUIET_WHEN_LEFT, Watch, serving
from ui.server import load_sample

QUESTIONS = Path(__file__).parent / "data" / "lay_questions.jsonl"
SAID = ".xq-answer, .xq-refusal"
DONE = ".xq-exchange .xq-actions"
PATIENCE = 60_000  # milliseconds


class Citizen:
    """One browser: what it saw, and how long it took."""

    def __init__(self, context, address):
        self.context = context
        self.watch = Watch(address)
        self.opened, self.first, self.whole = 0.0, [], []

    async def open(self):
        started = time.perf_counter()
        self.page = await self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        await self.page.add_init_script(QUIET_WHEN_LEFT)
        self.watch.listen(self.page)
        await self.page.goto(self.watch.address)
        await self.page.locator("#xq-box textarea").fill("")
        await self.page.locator(".xq-hello button").first.wait_for()
        self.opened = time.perf_counter() - started

    async def ask(self, question):
        before = await self.page.locator(DONE).count()
        await self.page.locator("#xq-box textarea").fill(question)
        started = time.perf_counter()
        await self.page.keyboard.press("Enter")
        await self.page.wait_for_function(
            f"document.querySelectorAll('.xq-exchange')[{before}]?.querySelector('{SAID}')"
        )
        self.first.append(time.perf_counter() - started)
        await self.page.wait_for_function(f"document.querySelectorAll('{DONE}').length > {before}")
        self.whole.append(time.perf_counter() - started)


async def crowd(address, browsers, rounds):
    questions = [one.question for one in load_questions(QUESTIONS)]
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        contexts = [await chromium.new_context(locale="zh-CN") for _ in range(browsers)]
        citizens = [Citizen(context, address) for context in contexts]
        failed = []
        failed += await together(citizen.open() for citizen in citizens)
        for at in range(rounds):
            asked = questions[at * browsers : (at + 1) * browsers]
            failed += await together(
                citizen.ask(question) for citizen, question in zip(citizens, asked, strict=True)
            )
        await chromium.close()
    return {
        "browsers": browsers,
        "asked": browsers * rounds,
        "answered": sum(len(citizen.whole) for citizen in citizens),
        "failed": failed,
        "problems": sorted({problem for one in citizens for problem in one.watch.problems}),
        "open": spread([citizen.opened for citizen in citizens]),
        "first_word": spread([one for citizen in citizens for one in citizen.first]),
        "whole": spread([one for citizen in citizens for one in citizen.whole]),
    }


async def together(work):
    """Do all at once; return what went wrong."""
    return [str(e) for e in await asyncio.gather(*work, return_exceptions=True) if e]


def spread(seconds):
    return {f"p{share}": round(float(np.percentile(seconds, share)), 2) for share in (50, 95)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--browsers", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    settings = load_settings(home=Path(tempfile.mkdtemp()))
    with KnowledgeBase(settings) as base:
        load_sample(base)
    with serving(settings) as address:
        told = asyncio.run(crowd(address, given.browsers, given.rounds))
    print(json.dumps(told, ensure_ascii=False, indent=1))
    return int(bool(told["failed"] or told["problems"]))


if __name__ == "__main__":
    sys.exit(main())
