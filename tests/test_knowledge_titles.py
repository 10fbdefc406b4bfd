"""A document is named by its title, whatever stands around it."""

import pytest

from knowledge.plaintext import first_title

BODY = "各县（市、区）人民政府：\n现将有关事项通知如下。"
NUMBER = "示政办〔2025〕12号"
TITLE = "示例市人民政府办公室关于印发停车管理办法的通知"


@pytest.mark.parametrize(
    ("head", "title"),
    [
        (["示例市人民政府办公室文件", NUMBER], TITLE),
        (["示 例 市 财 政 局 文 件", NUMBER], TITLE),
        (["示例市财政局", "示例市民政局", "文件", NUMBER], "关于提高低保标准的通知"),
        (["000123", "机密", "特急", "示例市人民政府文件", f"{NUMBER}  签发人：甲某某"], TITLE),
        (["示例市人民政府办公室", NUMBER], "关于做好停车管理的函"),
        (["示例市人民政府文件", NUMBER], "停车管理办法"),
        ([NUMBER], TITLE),
    ],
)
def test_a_red_head_and_a_number_are_no_part_of_the_title_below_them(head, title):
    assert first_title("\n".join([*head, title, BODY]), "x") == title
    broken = title.replace("关于", "关于\n", 1)
    assert first_title("\n".join([*head, broken, BODY]), "x") == title


@pytest.mark.parametrize("title", [TITLE, "示例市停车管理办法", "示例市停车管理\n暂行规定"])
def test_a_title_above_its_number_is_the_title(title):
    text = f"{title}\n{NUMBER}\n第一章 总则\n第一条 为了规范停车，制定本办法。"
    assert first_title(text, "x") == title.split("\n")[0]
