"""Documentation says what is so: commands, settings, checksums, the answer that it shows."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.benchmarks import COMMANDS, PAGE, TABLES, write_tables
from knowledge.models import FILES, MAVEN_ARTIFACT
from knowledge.settings import Settings
from ui.cli import app
from ui.reference import DOCS, PAGES, commands, with_answers

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh.md")
KNOWN = dict(commands())
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name):
    return [(kind, body) for kind, body in FENCE.findall(text(name))]


def typed(name):
    """The lines that a reader is to type."""
    lines = "".join(body for kind, body in blocks(name) if kind == "console").splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def xiaoquan_lines():
    inline = [line for name in READMES for line in re.findall(r"`(xiaoquan [^`]+)`", text(name))]
    helped = [
        line.strip()
        for command in KNOWN.values()
        for line in (command.epilog or "").splitlines()
        if line.strip().startswith("xiaoquan")
    ]
    benched = [f"xiaoquan {command}" for command in COMMANDS.values()]
    shown = [line for name in READMES for line in typed(name) if line.startswith("xiaoquan")]
    return sorted({*inline, *helped, *benched, *shown})


@pytest.mark.parametrize("line", xiaoquan_lines())
def test_every_command_that_is_shown_can_be_typed(line):
    words = shlex.split(line)
    name = max((n for n in KNOWN if f"{line} ".startswith(f"{n} ")), key=len)
    command = KNOWN[name]
    given = words[len(name.split()) :]
    if not given and not hasattr(command, "commands"):
        return  # a mention of the command, not a line to type
    command.make_context(name, given)


@pytest.mark.parametrize("name", [n for n, c in KNOWN.items() if not hasattr(c, "commands")])
def test_every_help_is_there_with_an_example(name):
    result = CliRunner().invoke(app, [*name.split()[1:], "--help"])
    assert result.exit_code == 0
    assert f"Example:\n    {name}" in result.stdout


@pytest.mark.parametrize("name", PAGES)
def test_written_pages_are_current(name):
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run: make docs"


def test_every_setting_is_listed_and_no_other():
    settings = {f"XIAOQUAN_{name.upper()}" for name in Settings.model_fields}
    assert all(f"`{name}`" in text("docs/settings.md") for name in settings)
    for name in READMES:
        assert set(re.findall(r"XIAOQUAN_[A-Z_]+", text(name))) <= settings
        assert "docs/settings.md" in text(name)


def test_both_readmes_say_the_same():
    english, chinese = map(text, READMES)
    for pattern in (r"^#+(?= )", r"^```\w*$", r"\]\((?!README|#)[^)]+\)", r"^\| `[^`]+`"):
        found = re.findall(pattern, english, re.MULTILINE)
        assert found == re.findall(pattern, chinese, re.MULTILINE)
    assert blocks("README.md") == blocks("README.zh.md")


@pytest.mark.parametrize("name", [*READMES, "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere_and_make_targets_exist(name):
    for target in re.findall(r"\]\(([^)#:]+)\)", text(name)):
        assert (ROOT / target).exists(), target
    targets = re.findall(r"`(?:time )?make ([\w./-]+)", text(name))
    for target in targets:
        rule = target.replace(".venv", "$(VENV)")
        assert re.search(rf"^{re.escape(rule)}:", text("Makefile"), re.MULTILINE), target


def test_the_files_to_place_by_hand_are_those_that_are_checked():
    for name in READMES:
        assert MAVEN_ARTIFACT in text(name)
        for file in FILES:
            assert f"| `{file.in_jar}` | `{file.name}` | `{file.sha256}` |" in text(name)


def test_the_questions_shown_are_answered_as_shown(sample_home):
    for name in READMES:
        assert text(name).count("$ xiaoquan ask") == 2
        assert with_answers(text(name), sample_home) == text(name), "run: make docs"


def test_the_number_of_sample_documents_is_right():
    number = str(len(list((ROOT / "knowledge/sample").glob("*.md"))))
    assert f"{number} short documents" in text("README.md")
    assert f"{number} 篇短文" in text("README.zh.md")


# -- benchmarks


def test_every_table_of_the_benchmarks_is_known_and_every_result_has_one():
    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"<!-- table: ([\w-]+) -->", page) == list(TABLES)
    rows = {row for rows, _ in TABLES.values() for row in rows}
    assert rows <= set(COMMANDS)


def test_tables_are_written_from_results_and_the_rest_is_left_alone():
    page = "before\n<!-- table: typos -->\nold\n<!-- end -->\nafter"
    result = {"printed": {"sentences": 250, "f1": 0.5}, "seconds": 2.0, "peak_mb": 300}
    written = write_tables(page, {"typos": result})
    assert written.startswith("before\n<!-- table: typos -->\n| |")
    assert written.endswith("<!-- end -->\nafter")
    assert "| typos | 250 | — | — | 0.5 | — | 2 | 300 |" in written
    assert write_tables(written, {"typos": result}) == written


def test_no_machines_path_and_no_registry_is_named():
    for page in (*ROOT.glob("*.md"), *DOCS.glob("*.md")):
        assert not re.search(r"/root/|/work/|/tmp/|pypi\.org|repo1\.maven", page.read_text("utf-8"))
