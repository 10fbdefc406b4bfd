"""`xiaoquan keys`: what is made works, what is revoked does not, nothing is shown twice."""

import json
import os

import pytest
from typer.testing import CliRunner

from knowledge.settings import load_settings
from ui.cli import app
from ui.keys import Keys


@pytest.fixture
def run(tmp_path):
    def run(*words):
        return CliRunner().invoke(app, ["keys", *words, "--home", str(tmp_path)])

    return run


def test_a_key_is_made_listed_and_revoked(run, tmp_path):
    made = run("make", "一体机", "--scope", "ask", "--per-minute", "2000", "--json")
    key = json.loads(made.stdout)["key"]
    listed = json.loads(run("list", "--json").stdout)
    assert key not in json.dumps(listed)
    assert [(one["name"], one["scopes"], one["per_minute"]) for one in listed] == [
        ("一体机", ["ask"], 2000)
    ]
    keys = Keys(load_settings(home=tmp_path))
    assert keys.find(key).scopes == {"ask"}
    assert run("revoke", listed[0]["id"]).exit_code == 0
    assert keys.find(key) is None
    assert "一体机" in run("list").stdout


def test_what_is_not_there_cannot_be_revoked(run):
    result = run("revoke", "00000000")
    assert result.exit_code == 1
    assert "'00000000'" in result.output


def test_a_scope_that_is_not_there_is_wrong_usage(run):
    assert run("make", "谁", "--scope", "root").exit_code == 2


def test_more_a_minute_than_can_be_counted_is_wrong_usage(run):
    assert run("make", "谁", "--per-minute", str(10**20)).exit_code == 2


@pytest.mark.parametrize("command", ["make", "revoke"])
def test_words_in_another_encoding_are_wrong_usage(run, command):
    result = run(command, os.fsdecode("测".encode("gbk")))
    assert result.exit_code == 2
    assert "UTF-8" in result.output


def test_a_home_that_is_a_file_is_a_message_not_a_traceback(tmp_path):
    file = tmp_path / "file"
    file.touch()
    result = CliRunner().invoke(app, ["keys", "list", "--home", str(file)])
    assert result.exit_code == 1
    assert "--home" in result.output
