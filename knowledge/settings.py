"""Settings, read from the environment when called, never at import."""

from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from knowledge.errors import SettingError

DEFAULT_EMBEDDING_MODEL = "BAAI/bge-small-zh-v1.5"


class Settings(BaseSettings):
    """Everything that can be set, each as ``XIAOQUAN_<NAME>`` in the environment."""

    model_config = SettingsConfigDict(env_prefix="XIAOQUAN_", extra="ignore", frozen=True)

    home: Path = Field(
        default=Path("~/.local/share/xiaoquan"),
        description="Folder where documents, vectors and conversations are kept.",
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
    return settings.model_copy(
        update={
            "home": settings.home.expanduser().absolute(),
            "model_cache": settings.model_cache.expanduser().absolute(),
        }
    )
