"""Kinds of files that can't be read but may hold documents, and what to do about each."""

_SAVE_AS = {
    ".docx": ".doc .docm .dot .dotx .wps .wpt .rtf .odt .pages",
    ".xlsx": ".xls .xlsm .xlsb .et .ett .ods .numbers",
    ".pdf": ".ppt .pptx .dps .odp .key .ofd .caj .mht .mhtml .xps .epub .djvu",
}
_SCANS = ".jpg .jpeg .png .bmp .tif .tiff .webp .heic"
_ARCHIVES = ".zip .rar .7z .tar .gz .tgz"
_ADVICE = {
    **{
        kind: f"请另存为 {suffix} 后再载入"
        for suffix, kinds in _SAVE_AS.items()
        for kind in kinds.split()
    },
    **dict.fromkeys(_SCANS.split(), "图片里的文字请先识别（OCR），存为 .txt 或 .docx 后再载入"),
    **dict.fromkeys(_ARCHIVES.split(), "请先解压，再载入里面的文件"),
}


def advice(suffix: str) -> str:
    """What to do with a file of this kind, in Chinese; empty where it will hold no document."""
    return _ADVICE.get(suffix.lower(), "")
