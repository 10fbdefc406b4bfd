"""How the page looks: one calm, official theme, with the machine's own fonts only."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradio.themes import Base

STATIC = Path(__file__).with_name("static")
SHELL = STATIC / "shell.html"  # what stands around the conversation
HEAD = [STATIC / "head.html"]
# Chinese fonts that systems bring along; nothing is fetched.
FONTS = (
    "PingFang SC",
    "HarmonyOS Sans SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "sans-serif",
)
# A blue of water and stone, from almost white to almost black.
_BLUE = (
    "#f1f7fb",
    "#dfedf6",
    "#bfdaec",
    "#8fbfdd",
    "#4f94c4",
    "#2577ac",
    "#14618f",
    "#0f4f78",
    "#0f4263",
    "#113853",
    "#0a2438",
)


@cache
def theme() -> "Base":
    """Return the theme, made when the page is."""
    from gradio.themes import Base, Color, Size, sizes

    blue = Color(*_BLUE, name="spring")
    text = Size(
        name="readable",
        **dict(
            zip(
                ("xxs", "xs", "sm", "md", "lg", "xl", "xxl"),
                ("13px", "14px", "16px", "18px", "20px", "24px", "30px"),
                strict=True,
            )
        ),
    )
    return Base(
        primary_hue=blue,
        secondary_hue=blue,
        neutral_hue="slate",
        text_size=text,
        radius_size=sizes.radius_md,
        font=FONTS,
        font_mono=("ui-monospace", "Consolas", "monospace"),
    ).set(
        body_background_fill="#f4f7fa",
        body_background_fill_dark="#0e1a24",
        body_text_color="#1b2733",
        body_text_color_dark="#e8eef3",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#15242f",
        background_fill_secondary="#f1f7fb",
        background_fill_secondary_dark="#1a2c39",
        block_background_fill="#ffffff",
        block_background_fill_dark="#15242f",
        block_border_color="#d8e1e8",
        block_border_color_dark="#2c4150",
        border_color_primary="#b9c8d3",
        border_color_primary_dark="#3d5566",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_500",
        button_primary_text_color="#ffffff",
        input_background_fill="#ffffff",
        input_background_fill_dark="#15242f",
        input_border_color_focus="*primary_500",
    )
