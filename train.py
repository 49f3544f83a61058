"""Train one stage: ``python train.py experiment=coarse``, then ``python train.py experiment=refine``."""

import sys
import warnings
from datetime import datetime
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from howard import __version__
from howard import settings as settings  # registers every node with Hydra
from howard.cli import friendly, hydra_arguments, wants_help
from howard.errors import InputError, SettingsError

CONFIGS = Path(__file__).parent / "configs"
# Lightning's own business: neither is anything that a reader of the terminal could act on.
LIGHTNING_CHATTER = (".*treespec, LeafSpec.*", ".*is not supported by the model summary.*")


def list_experiments() -> str:
    """The page shown when nothing is asked for: each experiment with what its file says of it."""
    lines = []
    for file in sorted((CONFIGS / "experiment").glob("*.yaml")):
        about = file.read_text().splitlines()[1].removeprefix("# ")
        lines.append(f"  python train.py experiment={file.stem:<12} {about}")
    return "\n".join(["usage: python train.py experiment=NAME [key=value ...]", "", *lines])


def train(config: DictConfig, run: Path, checkpoint: Path | None = None) -> float:
    """Fit one stage in its run folder, export its weights, and return the last validation MAD (x 1e3).

    With a checkpoint the run goes on from there.
    """
    import cv2
    import torch
    from lightning import seed_everything

    from howard.training.callbacks import build_callbacks, build_loggers
    from howard.training.runs import EXPORTED

    cv2.setNumThreads(1)  # workers are forked, and OpenCV's thread pool does not survive that
    seed_everything(config.seed, workers=True, verbose=False)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    module = hydra.utils.instantiate(config.model, _convert_="all")
    data = hydra.utils.instantiate(config.data, _convert_="all")
    data.setup()  # missing data is said before a run folder is made
    if checkpoint is None:
        choose_first_weights(config, module.network)
        run.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(config, run / "config.yaml")
    values = OmegaConf.to_container(config, resolve=True)
    trainer = hydra.utils.instantiate(
        config.trainer,
        default_root_dir=str(run),
        logger=build_loggers(run, config.name, config.wandb, values),
        callbacks=build_callbacks(run, config.ema, config.checkpoint_steps),
    )
    try:
        trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit:  # Lightning's answer to Ctrl-C
        print(f"to go on: python train.py resume={run}")
        raise KeyboardInterrupt from None
    [figures] = trainer.validate(module, datamodule=data, verbose=False)
    if not trainer.fast_dev_run:
        export(config, module, data.recipe.mixing, run / EXPORTED)
    print(f"validation MAD {figures['val/mad']:.2f} (x 1e3)")
    return figures["val/mad"]


def choose_first_weights(config: DictConfig, network) -> None:
    """A joint stage starts from a coarse stage, a coarse stage from an ImageNet encoder; either may start at random."""
    from howard.training import runs

    encoder = config.model.network.encoder
    if network.refiner is None or config.init == "random":
        print(runs.start_encoder(network, encoder, config.encoder_weights))
    else:
        path = runs.find_start(config.init, Path(config.runs), network, encoder)
        runs.start_from(network, path)
        print(f"the network starts from {path}")


def export(config: DictConfig, module, mixing: str, path: Path) -> None:
    """Write the weights file that ``howard.matting.load_matting`` opens."""
    from howard.matting import RefineSettings, WeightsMetadata, save_weights

    network = config.model.network
    metadata = WeightsMetadata(
        encoder=network.encoder,
        aspp_channels=network.aspp_channels,
        decoder_widths=tuple(network.decoder_widths),
        extra_inputs=tuple(network.extra_inputs),
        has_refiner=network.has_refiner,
        mixing=mixing,  # type: ignore[arg-type]
        refine=getattr(module, "refine", RefineSettings()),
        name=config.name,
        version=__version__,
        data=", ".join([*config.data.people, *config.data.places]),
        licence=config.licence,
    )
    save_weights(path, module.network.state_dict(), metadata)
    print(f"weights: {path}")


def resume(run: Path) -> float:
    """Go on with an interrupted run, with the settings it had."""
    checkpoint, saved = run / "checkpoints" / "last.ckpt", run / "config.yaml"
    for file in (saved, checkpoint):
        if not file.is_file():
            raise InputError(
                f"resume={run}: {file.relative_to(run)} is not there; give the folder of an interrupted run"
            )
    return train(OmegaConf.load(saved), run, checkpoint)  # type: ignore[arg-type]


@hydra.main(config_path="configs", config_name="train", version_base=None)
@friendly
def start(config: DictConfig) -> float:
    """A new run in ``runs/NAME/DATE``."""
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
    return train(config, Path(config.runs) / config.name / stamp)


@friendly
def main() -> None:
    """Read the command line."""
    for message in LIGHTNING_CHATTER:
        warnings.filterwarnings("ignore", message=message)
    arguments = sys.argv[1:]
    if wants_help(arguments):
        print(list_experiments())
        return
    resumed = [argument.partition("=")[2] for argument in arguments if argument.startswith("resume=")]
    if resumed:
        if len(arguments) > 1:
            raise SettingsError("resume=RUN goes on with the settings the run had; leave out all others")
        resume(Path(resumed[0]))
        return
    sys.argv[1:] = hydra_arguments(arguments, "train", CONFIGS)
    start()


if __name__ == "__main__":
    main()
