"""The commands that train, and that make data to train on, made small."""

from pathlib import Path

from howard.training.run_folders import EXPORTED
from tests.documentation.folders import collections, samples
from tests.documentation.miniature import Elsewhere, Miniature, Table

TINY = (
    *("data.size=64", "data.batch_size=2", "data.samples_per_epoch=4", "data.validation_samples=2", "data.workers=0"),
    *("trainer.max_steps=1", "trainer.accelerator=cpu", "trainer.precision=32-true", "trainer.log_every_n_steps=1"),
    *("trainer.enable_progress_bar=false", "encoder_weights=null", "logger=csv", "threads=1", "suite=null"),
)
PEOPLE = ("data.people=[people]", "data.sampling_weights=[1]", "data.places=[places]")
SMALL = (*TINY, *PEOPLE, "data.prepared=[]")
# A run that is gone on with needs its checkpoint.
KEPT = "callbacks.checkpoints.every_n_steps=1"
# The experiment's own data folder is that of the sample.
SMALL_SMOKE = (*SMALL, "data.root=data")
# The paper's crops are larger than the small samples.
CROPPED = (*SMALL, "stage.crop=[48,64]")
# Streaming goes over the frames of a pack, and has neither shares nor a length of its own.
STREAMED = (
    *(each for each in CROPPED if not each.startswith(("data.sampling_weights", "data.samples_per_epoch"))),
    "data.frames=1",
)
COARSE, REFINE = "python train.py experiment=coarse", "python train.py experiment=refine"
COARSE_LITE, REFINE_LITE = "python train.py experiment=coarse_lite", "python train.py experiment=refine_lite"
SMOKE = "python train.py experiment=smoke"
PREPARE = "python -m howard.data prepare=data/plate_pairs people=data/people_rendered per_pair=2 output=prepared"
PREPARE_REAL = (
    "python -m howard.data prepare=data/plate_pairs people=data/people_real per_pair=2 seed=7 output=prepared_real"
)
MOVING_CLIPS = "python benchmarks/moving_people.py --split train moving_clips"
FUSION = (
    "python -m howard.training.fusion run=runs/people_refine/DATE weights=people_refine clips=moving_clips "
    "patches=patches.safetensors"
)
PREPARE_ONCE = "python -m howard.data prepare=data/plate_pairs people=data/people_rendered output=prepared"
PEOPLE_REFINE = "python train.py experiment=people_refine data.prepared=[$PWD/prepared,$PWD/prepared_real]"
PEOPLE_COARSE = "python train.py experiment=people_coarse data.prepared=[$PWD/prepared,$PWD/prepared_real]"
TOY_PACK = "python -m howard.data pack=data/sample output=pack size=64"
WEIGHTS = "runs/{}/*/weights.safetensors"
SETS = "tests/data/test_published_sets.py::test_documented_training_commands_run"
FOREGROUNDS = "tests/data/test_published_sets.py::test_documented_foregrounds_are_made_side_by_side"
ABLATION = f"{COARSE_LITE} hparams_search=ablation"
MORE_ABLATIONS = f"{ABLATION} hydra.sweeper.params=null".replace("train.py", "train.py -m")
SWEPT = "tests/training/test_groups.py::test_an_ablation_is_a_sweep"
SWEEP_PAGE = "tests/training/test_wandb_page.py::test_the_sweep_is_compared_and_read_back"
WORKSPACE = "tests/training/test_workspace.py::test_the_command_saves_it_and_prints_its_address"
TWO_PROCESSES = "tests/training/test_processes.py::test_the_command_runs_in_two_processes_and_leaves_one_run"
ON_A_CPU = (*CROPPED, "trainer.sync_batchnorm=false", "model.encoder=mobilenetv2")


def trains(name: str, *more: str, settings: tuple[str, ...] = SMALL, **others) -> Miniature:
    """A step and a validation of an experiment, whose weights are then there."""
    return Miniature(more=(*settings, *more), leaves=(WEIGHTS.format(name),), folder=collections, **others)


def interrupt(folder: Path) -> None:
    """Leave the newest run as one that was stopped before its weights were written."""
    newest = max(folder.glob(WEIGHTS.format("*")), key=lambda path: path.stat().st_mtime)
    assert newest.name == EXPORTED
    newest.unlink()


def continues(**others) -> Miniature:
    return Miniature(
        after=(COARSE_LITE,),
        prepare=interrupt,
        leaves=(WEIGHTS.format("coarse_lite"),),
        says="resuming",
        folder=collections,
        **others,
    )


EXPERIMENTS: Table = {
    "python train.py": Miniature(says="experiment=coarse_lite", slow=False),
    SMOKE: trains("smoke", settings=SMALL_SMOKE),
    COARSE: trains("coarse", KEPT, settings=CROPPED),
    REFINE: trains("refine", settings=CROPPED, after=(COARSE,)),
    COARSE_LITE: trains("coarse_lite", KEPT),
    REFINE_LITE: trains("refine_lite", after=(COARSE_LITE,)),
    f"{COARSE} model.encoder=mobilenetv2 trainer.max_epochs=2": trains("coarse", settings=CROPPED),
    f"{COARSE_LITE} optimiser.learning_rates.encoder=1e-4 callbacks.ema.decay=0.999": trains("coarse_lite"),
    "python train.py -m experiment=coarse model.encoder=mobilenetv2,resnet50": Miniature(
        more=CROPPED, leaves=("runs/coarse/*/weights.safetensors",), says="encoder resnet50", folder=collections
    ),
    f"{COARSE_LITE} data.root=data data.people=[mine] data.places=[my_places]": trains("coarse_lite"),
    f"{COARSE_LITE} '~callbacks.timelapse'": trains("coarse_lite"),
    f"{COARSE_LITE} +callbacks.timer._target_=lightning.pytorch.callbacks.Timer": trains("coarse_lite"),
    f"{COARSE_LITE} callbacks=[ema,bench] callbacks.bench.clips=data/bench_public": Miniature(
        more=(*SMALL, "callbacks.bench.frames=2", "callbacks.bench.pictures=1"),
        leaves=("runs/coarse_lite/*/bench/scores.csv",),
        folder=samples,
    ),
    f"{SMOKE} debug=fdr": Miniature(more=SMALL_SMOKE, says="validation MAD", folder=collections),
    f"{SMOKE} tags=[first,cpu] notes='how long it takes'": trains("smoke", settings=SMALL_SMOKE),
    f"{SMOKE} hparams_search=grid \"hydra.sweeper.params.seed='0,1,2'\"": Miniature(
        change={"hydra.sweeper.params.seed='0,1,2'": "hydra.sweeper.params.seed='0,1'"},
        more=(*SMALL_SMOKE, "callbacks=none"),
        leaves=(WEIGHTS.format("smoke"),),
        folder=collections,
    ),
    ABLATION: Elsewhere(SWEPT, "its runs cut to a step"),
    f"{MORE_ABLATIONS} seed=0,1": Elsewhere(SWEPT, "its runs cut to a step, another setting swept"),
    f"{MORE_ABLATIONS} model.extra_inputs=[coverage],[coverage,difference]": Miniature(
        more=(*SMALL, "callbacks=none", "trainer.fast_dev_run=true"),
        leaves=("runs/ablation/*/config.yaml",),
        folder=collections,
    ),
    f"{SMOKE} mode=test ckpt_path=runs/smoke/DATE": Miniature(
        more=SMALL_SMOKE, says="test", after=(SMOKE,), folder=collections
    ),
    f"{SMOKE} --cfg job": Miniature(says="max_steps: 60", slow=False),
    f"{COARSE_LITE} stage.loss.alpha_gradient=2 stage.loss.laplacian=0.5": trains("coarse_lite"),
    f"{REFINE_LITE} stage.loss.coarse_laplacian=0.5": trains("refine_lite", after=(COARSE_LITE,)),
    f"{COARSE_LITE} extensions=[my_encoder] model.encoder=tiny encoder_weights=null": Elsewhere(
        "tests/training/test_extensions.py::test_the_documented_encoder_is_used_by_name", "needs the page's module"
    ),
    f"{COARSE_LITE} extensions=[my_terms] +stage.loss.squared=0.5": Elsewhere(
        "tests/training/test_extensions.py::test_the_documented_loss_term_is_used_by_name", "needs the page's module"
    ),
}

DATA: Table = {
    **{
        f"{command} data.root=data data.people=[{name}] data.places=[backgrounds]{more}": Elsewhere(
            SETS, "on a miniature of the set, laid out as it unpacks"
        )
        for command, name, more in (
            *((COARSE, name, "") for name in ("VideoMatte240K", "P3M-10k", "AIM-500")),
            *((COARSE, name, "") for name in ("Distinctions-646", "PhotoMatte85")),
            (COARSE, "VideoMatte240K", " encoder_weights=deeplabv3_resnet50_coco.pth"),
            (REFINE, "VideoMatte240K", " init=runs/coarse/DATE"),
            (REFINE, "PhotoMatte13K", " trainer.max_epochs=25 init=runs/refine/DATE"),
            (REFINE, "Distinctions-646", " trainer.max_epochs=30 init=runs/refine/DATE"),
        )
    },
    "python -m howard.data foreground=data/P3M-10k": Elsewhere(FOREGROUNDS, "on a miniature of the set"),
    "python -m howard.data foreground=data/AIM-500": Elsewhere(FOREGROUNDS, "on a miniature of the set"),
    "python -m howard.data foreground=FOLDER": Elsewhere(FOREGROUNDS, "the form of the two above"),
    "python -m howard.data check=data": Miniature(says="people_rendered", folder=collections, slow=False),
    "python -m howard.data check=FOLDER": Miniature(
        change={"check=FOLDER": "check=data/places"}, says="places", folder=collections, slow=False
    ),
    "python -m howard.keying input=greenscreen.mov output=data/mine": Miniature(
        leaves=("data/mine/pha/greenscreen/*.png", "data/mine/fgr/greenscreen/*.png"), folder=collections
    ),
    "python -m howard.keying input=CLIP output=FOLDER": Miniature(
        change={"input=CLIP": "input=greenscreen.mov", "output=FOLDER": "output=keyed"},
        more=("frames=1",),
        leaves=("keyed/contact_greenscreen.jpg", "keyed/keying_greenscreen.json"),
        folder=collections,
    ),
    PREPARE: Miniature(leaves=("prepared/*_src.*",), says="pairs prepared", folder=collections),
    PREPARE_REAL: Miniature(leaves=("prepared_real/*",), says="pairs prepared", after=(PREPARE,), folder=collections),
    MOVING_CLIPS: Elsewhere(
        "tests/benchmarks/test_moving_people.py::test_the_command_writes_the_clips_of_a_split",
        "its data sets do not ship",
    ),
    FUSION: Elsewhere(
        "tests/training/test_fusion.py::test_the_command_fits_to_a_run_s_samples_and_clips",
        "needs the clips of the command before",
    ),
    PREPARE_ONCE: Miniature(leaves=("prepared/*",), says="pairs prepared", folder=collections),
    "python -m howard.data prepare=PAIRS people=PEOPLE output=FOLDER": Elsewhere(
        "tests/data/test_command.py::test_pairs_are_prepared_into_a_collection_that_passes_the_check",
        "the form of those above",
    ),
    PEOPLE_COARSE: trains("people_coarse", settings=(*TINY, *PEOPLE), after=(PREPARE, PREPARE_REAL)),
    PEOPLE_REFINE: trains("people_refine", settings=(*TINY, *PEOPLE), after=(PREPARE, PREPARE_REAL, PEOPLE_COARSE)),
    "python train.py experiment=people_temporal data.prepared=[$PWD/prepared,$PWD/prepared_real] "
    "init=runs/people_refine/DATE": trains(
        "people_temporal",
        settings=(*TINY, *PEOPLE),
        after=(PREPARE, PREPARE_REAL, PEOPLE_COARSE, PEOPLE_REFINE),
    ),
    "python -m howard.training.average weights=runs/people_refine/DATE/weights.safetensors,people_refine "
    "fractions=0.7,0.3 output=mean.safetensors": Elsewhere(
        "tests/training/test_average.py::test_the_command_writes_the_mean_with_the_first_metadata",
        "needs a run of the full network",
    ),
    f"{COARSE_LITE} data.prepared=[$PWD/prepared] data.prepared_fraction=0.2": trains(
        "coarse_lite", settings=(*TINY, *PEOPLE), after=(PREPARE,)
    ),
    "python -m howard.data pack=data output=pack": Miniature(
        leaves=("pack/manifest.json", "pack/people-train-*.tar"), folder=collections
    ),
    "python -m howard.data pack=ROOT output=FOLDER": Miniature(
        change={"pack=ROOT": "pack=data", "output=FOLDER": "output=other"},
        more=("people=[people]", "places=[places]"),
        leaves=("other/manifest.json",),
        folder=collections,
    ),
    "python -m howard.data check=pack": Miniature(
        says="people", after=("python -m howard.data pack=data output=pack",), folder=collections
    ),
    f"{COARSE} data.pack=pack data.streaming=true": trains(
        "coarse",
        settings=STREAMED,
        after=("python -m howard.data pack=data output=pack",),
        needs=("webdataset",),
    ),
    TOY_PACK: Miniature(leaves=("pack/manifest.json",), folder=samples),
    "python train.py experiment=flagship data.pack=pack budget.minutes=9": Miniature(
        change={"budget.minutes=9": "budget.minutes=null"},
        more=SMALL,
        leaves=("runs/flagship/*/weights.safetensors",),
        after=("python -m howard.data pack=data output=pack",),
        folder=collections,
    ),
    "python train.py experiment=flagship data.pack=pack data.people=[people] data.sampling_weights=[1] "
    "data.places=[places] data.prepared=[] data.size=64 data.batch_size=2 data.validation_samples=2 data.workers=1 "
    "callbacks.panel.rows=1 callbacks.checkpoints.every_n_steps=1 trainer.accelerator=cpu "
    "budget.minutes=0.5": Elsewhere(
        "tests/training/test_flagship.py::test_a_run_keeps_to_its_time_and_leaves_weights", "the same, by the clock"
    ),
}

RUNS: Table = {
    "python train.py resume=runs/coarse_lite/DATE": continues(),
    "python train.py resume=auto": continues(),
    f"{COARSE_LITE} resume=auto": continues(more=SMALL),
    "python train.py resume=runs/coarse_lite/DATE trainer.max_steps=6000": Miniature(
        change={"trainer.max_steps=6000": "trainer.max_steps=2"},
        after=(COARSE_LITE,),
        leaves=("runs/coarse_lite/*/weights_*.safetensors", WEIGHTS.format("coarse_lite")),
        folder=collections,
    ),
    "python -m howard.training.compare runs/coarse/DATE runs/coarse_lite/DATE": Miniature(
        after=(COARSE, COARSE_LITE), leaves=("compare.html",), says="val/mad", folder=collections
    ),
    "python -m howard.training.compare runs/coarse_lite/DATE runs/baseline/DATE output=compare.html": Miniature(
        change={"runs/baseline/DATE": "runs/coarse/DATE"},
        after=(COARSE, COARSE_LITE),
        leaves=("compare.html",),
        says="val/mad",
        folder=collections,
    ),
    "python train.py -m experiment=smoke optimiser.schedule=constant,cosine seed=0,1 logger.wandb.group=schedules": (
        Elsewhere(SWEEP_PAGE, "its runs cut to a step")
    ),
    "python -m howard.training.compare runs/smoke/* output=schedules.html": Elsewhere(SWEEP_PAGE, "on that sweep"),
    "python -m howard.training.compare runs/ablation/*": Elsewhere(SWEEP_PAGE, "the same command on another sweep"),
    "python -m howard.training.workspace project=howard name=howard": Elsewhere(WORKSPACE, "a server in its place"),
    "wandb login": Elsewhere("tests/training/test_workspace.py::test_whoever_is_not_logged_in_is_told", "a server's"),
    **{
        command: Elsewhere(
            "tests/training/test_tracking.py::test_a_sweep_leaves_a_wandb_run_for_each_job",
            f"{why}; the runs are there",
        )
        for command, why in (
            ("wandb sync runs/*/*/wandb/offline-run-*", "sends to a server"),
            ("wandb sync", "sends to a server"),
            ("wandb leet FOLDER", "a program for terminals"),
        )
    },
    f"{COARSE} trainer=ddp": Miniature(
        more=(*ON_A_CPU, "trainer.devices=1"), leaves=(WEIGHTS.format("coarse"),), folder=collections
    ),
    f"{COARSE} trainer=ddp trainer.devices=4": Elsewhere(TWO_PROCESSES, "two processes on a CPU"),
    **{
        f"{launcher} experiment=coarse trainer=ddp trainer.devices=4 trainer.num_nodes=2": Elsewhere(
            TWO_PROCESSES, "two processes on a CPU, of one machine"
        )
        for launcher in (
            "torchrun --nnodes=2 --nproc-per-node=4 --rdzv-backend=c10d --rdzv-endpoint=HOST:29500 train.py",
            "srun --nodes=2 --ntasks-per-node=4 --gpus-per-node=4 python train.py",
        )
    },
    f"{COARSE} trainer=ddp resume=auto": Miniature(
        more=(*ON_A_CPU, "trainer.devices=1"),
        says="resuming",
        after=(COARSE,),
        prepare=interrupt,
        leaves=(WEIGHTS.format("coarse"),),
        folder=collections,
    ),
    "python train.py -m experiment=coarse model.encoder=mobilenetv2,resnet50,resnet101 hydra/launcher=submitit_slurm "
    "hydra.launcher.partition=gpu hydra.launcher.gpus_per_node=4 hydra.launcher.tasks_per_node=4 "
    "hydra.launcher.timeout_min=1440 trainer=ddp trainer.devices=4": Miniature(
        change={
            "model.encoder=mobilenetv2,resnet50,resnet101": "model.encoder=mobilenetv2",
            "hydra/launcher=submitit_slurm": "hydra/launcher=submitit_local",
            "hydra.launcher.partition=gpu": "",
            "hydra.launcher.gpus_per_node=4": "hydra.launcher.gpus_per_node=0",
            "hydra.launcher.tasks_per_node=4": "hydra.launcher.tasks_per_node=1",
            "trainer.devices=4": "trainer.devices=1",
        },
        more=(*CROPPED, "trainer.sync_batchnorm=false"),
        leaves=(WEIGHTS.format("coarse"),),
        folder=collections,
        cold=True,
        needs=("submitit",),
    ),
}
