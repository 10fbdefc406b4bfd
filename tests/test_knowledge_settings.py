"""Settings come from the environment; what can't be used is named in words that one can act on."""

import re

import pytest

from knowledge.errors import SettingError
from knowledge.settings import Settings, load_settings


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_a_variable_left_empty_is_as_if_it_were_not_set(monkeypatch, name):
    variable = f"XIAOQUAN_{name.upper()}"
    monkeypatch.delenv(variable, raising=False)
    unset = load_settings()
    monkeypatch.setenv(variable, "")
    assert load_settings() == unset


@pytest.mark.parametrize("name", ["home", "model_cache"])
def test_a_folder_of_an_unknown_user_is_named_with_its_variable(monkeypatch, name):
    variable = f"XIAOQUAN_{name.upper()}"
    monkeypatch.setenv(variable, "~nosuchuser/a")
    with pytest.raises(SettingError, match=re.escape(f"{variable} 的值 '~nosuchuser/a' 不可用")):
        load_settings()


def test_what_is_set_counts(monkeypatch):
    monkeypatch.setenv("XIAOQUAN_RATE_LIMIT", "0")
    monkeypatch.setenv("XIAOQUAN_ANONYMOUS", "false")
    assert (load_settings().rate_limit, load_settings().anonymous) == (0, False)
