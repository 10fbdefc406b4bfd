"""`xiaoquan backup`, `restore` and `doctor`: a home kept whole."""

from pathlib import Path
from typing import Annotated

import typer

from ui.console import Command, Home, Json, emit, example, make_app, open_base, say, waiting

app = make_app("A home kept whole.")


@app.command(cls=Command, epilog=example("xiaoquan backup xiaoquan.tar"))
def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; replaced if it is there.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write the whole home into one file, also while it is served."""
    from knowledge.backup import back_up

    with open_base(home) as base:
        size = back_up(base, file, waiting)
        documents, passages = base.catalogue.count()
    if as_json:
        emit({"file": str(file), "bytes": size, "documents": documents, "passages": passages})
    else:
        print(f"已备份 {documents} 篇资料到 {file}（{size / 1e6:.1f} MB）。")


@app.command(cls=Command, epilog=example("xiaoquan restore xiaoquan.tar"))
def restore(
    file: Annotated[Path, typer.Argument(help="As `backup` wrote it.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Put a backup in the place of the home's content, also while it is served."""
    from knowledge.backup import restore as put_back
    from knowledge.errors import HomeError
    from knowledge.settings import load_settings

    settings = load_settings(home=home)
    if settings.catalogue_url:
        raise HomeError(
            "资料由 XIAOQUAN_CATALOGUE_URL 的 PostgreSQL 保管，这里只有一份副本。"
            "请在 PostgreSQL 上恢复（pg_restore），各台机器会自己跟上。"
        )
    put_back(settings.home, file, waiting)
    with open_base(home, any_model=True) as base:
        documents, passages = base.catalogue.count()
    if as_json:
        emit({"documents": documents, "passages": passages})
    else:
        print(f"已恢复 {documents} 篇资料，{passages} 个段落。")


@app.command(cls=Command, epilog=example("xiaoquan doctor", "xiaoquan doctor --mend"))
def doctor(
    mend: Annotated[bool, typer.Option("--mend", help="Set right what can be set right.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Check the home: catalogue, vectors, keywords, model, disk. Status 1 if something is wrong."""
    from dataclasses import asdict

    from knowledge.doctor import examine

    with open_base(home) as base:
        findings = list(examine(base, mend=mend))
    if as_json:
        emit({"fine": all(f.fine for f in findings), "findings": [asdict(f) for f in findings]})
    else:
        for finding in findings:
            print(f"{'正常' if finding.fine else '异常'}  {finding.check}：{finding.told}")
    if not all(finding.fine for finding in findings):
        if not as_json and not mend:
            say("可以运行 xiaoquan doctor --mend 修复能修复的。")
        raise typer.Exit(1)
