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


@pytest.mark.parametrize(
    ("name", "city"),
    [
        ("泉州", "泉州"),
        (" 泉州市 ", "泉州"),
        ("福建省泉州市", "泉州"),
        ("晋江市", "泉州"),
        ("惠安", "泉州"),
        ("福州市鼓楼区", "福州"),
        ("福建省", "福建"),
        ("中山", "中山市"),
        ("北京市朝阳区", "北京"),
        ("广西壮族自治区", "广西"),
        ("延边朝鲜族自治州", "延边"),
    ],
)
def test_a_city_counts_however_it_is_written(monkeypatch, name, city):
    monkeypatch.setenv("XIAOQUAN_CITY", name)
    assert load_settings().city == city


@pytest.mark.parametrize("name", ["quanzhou", "全州岛", "鼓楼区"])
def test_a_city_that_is_none_is_told(monkeypatch, name):
    monkeypatch.setenv("XIAOQUAN_CITY", name)
    with pytest.raises(SettingError, match=f"XIAOQUAN_CITY 的值 '{name}' 不可用"):
        load_settings()
