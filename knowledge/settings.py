"""Settings, read from the environment when called, never at import."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from knowledge.errors import HomeError, SettingError
from knowledge.places import city_of

DEFAULT_EMBEDDING_MODEL = "BAAI/bge-small-zh-v1.5"


class Settings(BaseSettings):
    """Everything that can be set, each as ``XIAOQUAN_<NAME>`` in the environment."""

    # An empty variable, such as a line left blank in a service's file, is one that is not set.
    model_config = SettingsConfigDict(
        env_prefix="XIAOQUAN_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path = Field(
        default=Path("~/.local/share/xiaoquan"),
        description="Folder where documents, vectors and conversations are kept.",
    )
    city: str = Field(
        default="",
        description="City whose rules come before those of its province and of the state (泉州); "
        "of a county its city's. Empty: the one that more than half of the documents with a place "
        "are about.",
    )
    embedding_model: str = Field(
        default=DEFAULT_EMBEDDING_MODEL,
        description="Name of a sentence-transformers model, or a folder that holds one.",
    )
    model_cache: Path = Field(
        default=Path("~/.cache/xiaoquan/models"),
        description="Folder where fetched embedding models are kept, for all homes.",
    )
    chroma_url: str = Field(
        default="",
        description="URL of a Chroma server; empty: Chroma runs embedded, in the home.",
    )
    chat_model: str = Field(
        default="",
        description="Chat model for generated answers, as provider:name (openai:deepseek-chat, "
        "ollama:qwen3). Empty: answers are lifted from the passages.",
    )
    chat_base_url: str = Field(
        default="",
        description="Address of the chat model's service; empty: the provider's own.",
    )
    chat_api_key: SecretStr = Field(
        default=SecretStr(""), description="Key for the chat model's service."
    )
    chat_timeout: float = Field(
        default=30.0, gt=0, description="Seconds to wait for the chat model's next words."
    )
    chat_limit: int = Field(
        default=32,
        ge=1,
        description="Questions that the chat model is asked at the same time; the answers beyond "
        "are lifted from the passages, at once.",
    )
    database_url: str = Field(
        default="",
        description="Database for conversations, feedback and keys, as an SQLAlchemy URL "
        "(postgresql+psycopg://…). Empty: SQLite in the home.",
    )
    catalogue_url: str = Field(
        default="",
        description="PostgreSQL that keeps the documents for several machines, as an SQLAlchemy "
        "URL; each machine keeps a copy in its home to search in. Needs XIAOQUAN_CHROMA_URL. "
        "Empty: the documents are in this home alone.",
    )
    speech_model: str = Field(
        default="",
        description="Whisper model in CTranslate2 form that turns speech into text: a folder, or "
        "a name of the hub (Systran/faster-whisper-base; needs xiaoquan[speech]). With "
        "XIAOQUAN_SPEECH_URL: the name by which the service knows it. Empty: no microphone.",
    )
    speech_url: str = Field(
        default="",
        description="Address of an OpenAI-compatible service that turns speech into text "
        "(http://127.0.0.1:8000/v1); empty: the model runs here.",
    )
    voice_url: str = Field(
        default="",
        description="Address of an OpenAI-compatible service that reads aloud "
        "(http://127.0.0.1:8000/v1) where the browser has no Chinese voice of its own.",
    )
    voice_model: str = Field(default="tts-1", description="The model of that service.")
    voice_name: str = Field(default="alloy", description="The voice of that service.")
    speech_api_key: SecretStr = Field(
        default=SecretStr(""), description="Key for the services that hear and read aloud."
    )
    admin_password: SecretStr = Field(
        default=SecretStr(""),
        description="Password for operator actions; empty: they need a key of the scope admin.",
    )
    anonymous: bool | None = Field(
        default=None,
        description="Whether one may ask and search without a key. Not set: only where the "
        "server listens on loopback.",
    )
    rate_limit: int = Field(
        default=120,
        ge=0,
        description="Requests a minute from one address; 0: any number. A key may have its own "
        "limit; the machine itself is not limited.",
    )
    queue_limit: int = Field(
        default=200,
        ge=1,
        description="Questions that may be under way or wait; beyond it they are told to come "
        "again (503).",
    )
    upload_limit: int = Field(
        default=50, ge=1, description="Largest file that can be uploaded, in megabytes."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning",
        description="From which level on the server logs to stderr, as JSON lines; info: one for "
        "every request.",
    )
    idle_minutes: float = Field(
        default=0,
        ge=0,
        description="Minutes without a touch after which the chat page forgets its conversations, "
        "for terminals that many use; 0: never. The kiosk page always starts anew.",
    )
    cors_origins: str = Field(
        default="",
        description="Sites whose pages may call the API from a browser, separated by spaces "
        "(https://www.example.gov.cn); empty: none.",
    )
    frame_ancestors: str = Field(
        default="'self'",
        description="Sites that may show the chat in a frame, as in the header "
        "Content-Security-Policy: frame-ancestors.",
    )


def load_settings(**overrides: object) -> Settings:
    """Read the environment now.

    Args:
        overrides: Values that win over the environment; ``None`` means not given.

    Raises:
        SettingError: A value can't be used; the message names it and its variable.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        problem = error.errors()[0]
        name = "_".join(str(part) for part in problem["loc"]).upper()
        raise SettingError(
            f"设置 XIAOQUAN_{name} 的值 {problem['input']!r} 不可用：{problem['msg']}。"
            "请改正或取消这项设置。"
        ) from error
    folders = {name: _absolute(name, getattr(settings, name)) for name in ("home", "model_cache")}
    return settings.model_copy(update={**folders, "city": _city(settings.city.strip())})


def make_home(home: Path) -> None:
    """Make the folder where data lives, if it is not there.

    Raises:
        HomeError: The folder can't be used.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HomeError(
            f"不能使用数据文件夹 {str(home)!r}：{error.strerror}。"
            "请用 --home 或 XIAOQUAN_HOME 另指一个。"
        ) from error


def _city(name: str) -> str:
    city = city_of(name) if name else ""
    if name and not city:
        raise SettingError(
            f"设置 XIAOQUAN_CITY 的值 {name!r} 不可用：没有这个城市，或不止一处叫这个名字。"
            "请写城市的名称，例如 泉州；或取消这项设置，由资料推断。"
        )
    return city


def _absolute(name: str, folder: Path) -> Path:
    try:
        return folder.expanduser().absolute()
    except RuntimeError as error:
        raise SettingError(
            f"设置 XIAOQUAN_{name.upper()} 的值 {str(folder)!r} 不可用：找不到 ~ 所指的用户文件夹。"
            "请写出完整的路径。"
        ) from error
