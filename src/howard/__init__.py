"""Howard removes the background from videos of people, without a green screen and with a moving camera."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from howard.pipeline import remove_background

__all__ = ["__version__", "remove_background"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Whoever only asks for help, or mistypes a setting, shall not wait for the film road to load.
    if name == "remove_background":
        from howard.pipeline import remove_background

        return remove_background
    raise AttributeError(f"module 'howard' has no attribute {name!r}")
