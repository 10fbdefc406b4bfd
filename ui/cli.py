"""`xiaoquan …`: every command, its help, its output.

Heavy modules are imported by the command that needs them, so that ``--help`` is quick.
"""

import io
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from knowledge.errors import KnowledgeError
from ui.console import (
    Command,
    Home,
    Json,
    all_utf8,
    emit,
    example,
    make_app,
    open_base,
    print_table,
    say,
    utf8,
    waiting,
)

if TYPE_CHECKING:
    from assistant.reply import Reply
    from assistant.types import Answer
    from knowledge.base import KnowledgeBase
    from knowledge.readers import ReadFailure, Skipped
    from knowledge.types import Document

Ray = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Embed on this Ray cluster ('local' starts one here); needs xiaoquan[ray].",
    ),
]
EMPTY = "还没有载入任何资料。请先运行：xiaoquan ingest 文件或文件夹"
MOST_SKIPPED = 20  # files passed over that are named; the pictures of a saved page can be hundreds
WIDEST = 48  # columns of a cell in a table
LEAVING = {"退出", "再见", "exit", "quit"}

app = make_app("小泉: policy questions in, answers with their sources out.")


def main() -> None:
    """Run the command line."""
    # Neither a file name in another encoding nor a strange key ends in a traceback.
    for stream, errors in (
        (sys.stdin, "replace"),
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
    ):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)
    app()


# -- documents


@app.command(
    cls=Command,
    epilog=example(
        "xiaoquan ingest policies/ notice.pdf",
        "xiaoquan ingest policies/ --json",
        "xiaoquan ingest policies/ --ray auto",
    ),
)
def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files and folders.")],
    ray: Ray = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Load documents; what is loaded already and has not changed is left as it is."""
    from knowledge.readers import ReadFailure, Skipped, stored

    started = time.perf_counter()
    unread: list[ReadFailure] = []
    tables: dict[Path, set[str]] = {}
    outcomes: Counter[str] = Counter()
    with open_base(home) as base:
        _embed_on(ray, base)
        try:
            for change in base.add_all(_read(paths, unread, tables), waiting):
                outcomes[change.outcome] += 1
                outcomes["passages"] += change.passages
            for file, sources in tables.items():
                base.remove_others_from(stored(str(file)), sources)
        except KeyboardInterrupt:
            raise KnowledgeError(
                f"已中断。已经载入的都保留着（现有资料 {base.catalogue.count()[0]} 篇）；"
                "再运行一次同样的命令，就会接着载入。"
            ) from None
    names = ("added", "updated", "unchanged", "passages")
    result = {name: outcomes[name] for name in names}
    seconds = round(time.perf_counter() - started, 3)
    skipped = [one for one in unread if isinstance(one, Skipped)]
    failed = [one for one in unread if not isinstance(one, Skipped)]
    if as_json:
        passed_over = {"skipped": [asdict(one) for one in skipped]} if skipped else {}
        problems = [asdict(failure) for failure in failed]
        emit({**result, "seconds": seconds, "failed": problems, **passed_over})
    else:
        _say_loaded(result, seconds, failed, skipped)
    if failed:
        raise typer.Exit(1)


def _embed_on(ray: str, base: "KnowledgeBase") -> None:
    if ray:
        from knowledge.bulk import RayEmbeddings

        embeddings = RayEmbeddings(base.settings, ray)
        base.embed_with(embeddings, embeddings.at_once)


def _read(
    paths: Sequence[Path], failed: "list[ReadFailure]", tables: dict[Path, set[str]]
) -> "Iterator[Document]":
    """Yield the documents of all files, with a progress bar.

    Collect what can't be read, and the sources of the rows of tables of which all could be.
    """
    from tqdm import tqdm

    from knowledge.errors import UnreadableDocumentError
    from knowledge.readers import TABLES, ReadFailure, find_files, read_documents

    files = list(find_files(paths))
    # disable=None: no bar where stderr is not a terminal.
    for file in tqdm(files, desc="载入", unit=" 个文件", file=sys.stderr, disable=None):
        if isinstance(file, ReadFailure):
            failed.append(file)
            continue
        sources, before = set[str](), len(failed)
        try:
            for document in read_documents(file):
                if isinstance(document, ReadFailure):
                    failed.append(document)
                else:
                    sources.add(document.source)
                    yield document
            if file.suffix.lower() in TABLES and len(failed) == before:
                tables[file] = sources
        except UnreadableDocumentError as error:
            failed.append(ReadFailure(str(file), str(error)))


def _say_loaded(
    result: dict[str, int],
    seconds: float,
    failed: "Sequence[ReadFailure]",
    skipped: "Sequence[Skipped]",
) -> None:
    for failure in failed:
        say(f"未载入 {failure.path}：{failure.error}")
    for passed_over in skipped[:MOST_SKIPPED]:
        say(f"已跳过 {passed_over.path}：{passed_over.error}")
    if len(skipped) > MOST_SKIPPED:
        say(f"……还有 {len(skipped) - MOST_SKIPPED} 个文件同样跳过了，加上 --json 可以看全。")
    if not failed and not any(result.values()):
        say("没有找到可以载入的文件。")
    print(
        f"新增 {result['added']} 篇，更新 {result['updated']} 篇，"
        f"未变 {result['unchanged']} 篇，失败 {len(failed)} 个，跳过 {len(skipped)} 个；"
        f"新编入 {result['passages']} 个段落，用时 {seconds:.1f} 秒。"
    )


@app.command(cls=Command, epilog=example("xiaoquan synonyms", "xiaoquan synonyms --json"))
def synonyms(home: Home = None, as_json: Json = False) -> None:
    """List the lay words and what they mean; check the home's synonyms.txt, which may add some."""
    from knowledge.settings import load_settings
    from knowledge.synonyms import BUNDLED, OWN, read

    own = load_settings(home=home).home / OWN
    entries = [*read(own), *read(BUNDLED)]
    if as_json:
        emit([asdict(entry) for entry in entries])
    else:
        for entry in entries:
            print(f"{'、'.join(entry.words)} = {'、'.join(entry.means)}")
        say(f"自己的词写在 {own}，每行一条，保存后立即生效。")


@app.command(cls=Command, epilog=example("xiaoquan documents", "xiaoquan documents --json"))
def documents(home: Home = None, as_json: Json = False) -> None:
    """List the documents."""
    from ui.schemas import DocumentInfo

    with open_base(home) as base:
        records = base.documents()
    if as_json:
        emit([DocumentInfo.of(record).model_dump() for record in records])
    elif not records:
        say(EMPTY)
    else:
        rows = [
            (
                record.id,
                record.title,
                record.metadata.get("document_number", ""),
                record.metadata.get("date", ""),
                str(record.passages),
            )
            for record in records
        ]
        print_table([("编号", "标题", "文号", "日期", "段落"), *rows], WIDEST)


@app.command(cls=Command, epilog=example("xiaoquan remove 3f2a9c0b1d2e"))
def remove(
    ids: Annotated[
        list[str],
        typer.Argument(metavar="ID...", help="As `documents` lists them.", callback=all_utf8),
    ],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Remove documents and all their passages."""
    with open_base(home) as base:
        unknown = [one for one in ids if base.catalogue.hash_of(one) is None]
        removed = base.remove(ids, waiting)
    problem = f"没有编号为 {'、'.join(map(repr, unknown))} 的资料。编号可用 xiaoquan documents 查。"
    if as_json:
        emit({"removed": removed} | ({"error": problem} if unknown else {}))
    else:
        print(f"已移除 {removed} 篇。")
        if unknown:
            say(problem)
    if unknown:
        raise typer.Exit(1)


@app.command(cls=Command, epilog=example("xiaoquan rebuild"))
def rebuild(ray: Ray = "", home: Home = None, as_json: Json = False) -> None:
    """Split and embed every document anew, as after a change of the embedding model."""
    from tqdm import tqdm

    started = time.perf_counter()
    passages = count = 0
    with open_base(home, any_model=True) as base:
        _embed_on(ray, base)
        total = base.catalogue.count()[0]
        changes = base.rebuild(waiting)
        for change in tqdm(
            changes, total=total, desc="重建", unit=" 篇", file=sys.stderr, disable=None
        ):
            count += 1
            passages += change.passages
    seconds = round(time.perf_counter() - started, 3)
    if as_json:
        emit({"documents": count, "passages": passages, "seconds": seconds})
    else:
        print(f"已重建 {count} 篇，{passages} 个段落，用时 {seconds:.1f} 秒。")


# -- questions


@app.command(
    cls=Command,
    epilog=example("xiaoquan search 公积金提取 -k 5", "xiaoquan search 公积金提取 --json"),
)
def search(
    query: Annotated[str, typer.Argument(help="What to look for.", callback=utf8)],
    k: Annotated[int, typer.Option("-k", min=1, metavar="N", help="How many at most.")] = 10,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Find the passages nearest to a query."""
    from ui.schemas import Found

    with open_base(home) as base:
        _say_if_empty(base)
        found = [Found.of(hit) for hit in base.search(query, k)]
    if as_json:
        emit([one.model_dump() for one in found])
        return
    for one in found:
        place = f" · {one.section}" if one.section else ""
        print(f"{one.rank}. {one.title}{place}（{one.score:.3f}）")
        print(f"   {' '.join(one.text.split())}\n")


@app.command(
    cls=Command,
    epilog=example("xiaoquan ask 身份证丢了怎么补领", "xiaoquan ask 身份证丢了怎么补领 --json"),
)
def ask(
    question: Annotated[str, typer.Argument(help="In your own words.", callback=utf8)],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Answer a question from the documents, or say that they hold no answer."""
    from assistant.chain import Assistant

    with open_base(home) as base:
        _say_if_empty(base)
        answer = Assistant(base).ask(question).answer()
    if as_json:
        from ui.schemas import Answer

        emit(Answer.of(answer).model_dump())
    else:
        print(answer.answer)
        _print_sources(answer)


@app.command(cls=Command, epilog=example("xiaoquan chat"))
def chat(home: Home = None) -> None:
    """Talk in the terminal; end with Ctrl-D or 退出."""
    from assistant.chain import Assistant
    from assistant.types import Turn

    with open_base(home) as base:
        _say_if_empty(base)
        assistant = Assistant(base)
        history: list[Turn] = []
        say("请说您想问的事；输入“退出”结束。")
        for question in _questions():
            try:
                answer = _print_streamed(assistant.ask(question, tuple(history)))
            except KnowledgeError as error:
                say(f"{error}\n")
                continue
            history += [Turn("user", question), Turn("assistant", answer.answer)]


def _questions() -> Iterator[str]:
    """Yield what is typed, until the person leaves."""
    import readline  # noqa: F401 - importing it is what lets wide characters be edited

    while True:
        try:
            question = input("您：").strip()
        except (EOFError, KeyboardInterrupt):
            print()
            return
        if question.lower() in LEAVING:
            return
        if question:
            yield question


def _print_streamed(reply: "Reply") -> "Answer":
    print("小泉：", end="")
    streamed = ""
    for delta in reply:
        print(delta.text, end="", flush=True)
        streamed += delta.text
    answer = reply.answer()
    print("" if streamed == answer.answer else f"\n（核对资料后更正）{answer.answer}")
    _print_sources(answer)
    print()
    return answer


def _print_sources(answer: "Answer") -> None:
    if answer.citations:
        print("\n资料来源")
    for citation in answer.citations:
        about = (f"《{citation.title.strip('《》')}》", citation.date, citation.section)
        print(f"[{citation.n}] {' · '.join(part for part in about if part)}")
        print(f"    “{' '.join(citation.quote.split())}”")
        print(f"    {citation.source}")


def _say_if_empty(base: "KnowledgeBase") -> None:
    if not base.catalogue.count()[0]:
        say(EMPTY)


# -- serving


@app.command(cls=Command, epilog=example("xiaoquan serve", "xiaoquan serve --host 0.0.0.0"))
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 7860,
    sample: Annotated[
        bool, typer.Option(help="Load the bundled sample into an empty home.")
    ] = True,
    home: Home = None,
) -> None:
    """Serve the chat page and the HTTP API."""
    from ui.server import serve as run

    with open_base(home) as base:
        run(base, host, port, sample=sample)


from ui import care_cli, eval_cli, keys_cli, steady_cli  # noqa: E402 - the last: they add to what stands above

eval_cli.app.add_typer(steady_cli.app)
app.add_typer(eval_cli.app, name="eval")
app.add_typer(keys_cli.app, name="keys")
app.add_typer(care_cli.app)

if __name__ == "__main__":
    main()
