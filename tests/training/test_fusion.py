"""Fitting the fusion of two alpha estimates: which it learns to trust, its patches, and the whole command."""

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from omegaconf import OmegaConf

from howard.compositing.alpha_fusion import FEATURES, AlphaFusion
from howard.matting import load_matting
from howard.training import run_folders
from howard.training.fitting import build_parts, create_run_folder
from howard.training.fusion import edge_patches
from howard.training.fusion.edge_patches import EdgePatches, join_patches, patches_of_batches, patches_of_clip
from howard.training.fusion.fit_fusion import fit_fusion, fusion_loss
from tests.training.runs import ROOT, composed, small_data

SAMPLE = ROOT / "data" / "sample"
ALPHA, POSITION, OFF_LINE, USABLE = (FEATURES.index(name) for name in ("alpha", "position", "off_line", "usable"))


def made_up_patches(count: int, seed: int = 0) -> EdgePatches:
    """Patches whose colours tell the truth where the source is on the line, and mislead by 0.4 elsewhere."""
    numbers = torch.Generator().manual_seed(seed)
    true = torch.rand(count, 16, generator=numbers)
    features = torch.rand(count, len(FEATURES), 16, generator=numbers)
    misleads = torch.rand(count, 16, generator=numbers) < 0.5
    features[:, ALPHA] = (true + 0.15 * torch.randn(count, 16, generator=numbers)).clamp(0, 1)
    features[:, POSITION] = torch.where(misleads, (true + 0.4) % 1, true)
    features[:, OFF_LINE] = misleads.float()
    features[:, USABLE] = 1
    return EdgePatches(features.half(), true.half(), torch.ones(count))


def errors(fusion: AlphaFusion, patches: EdgePatches) -> tuple[float, float, float]:
    """Mean absolute errors of the fused alpha, of the network's and of the position."""
    features, true, _ = (each.float() for each in patches)
    with torch.inference_mode():
        fused = fusion(features.transpose(0, 1).contiguous())[0]
    return tuple(float((each - true).abs().mean()) for each in (fused, features[:, ALPHA], features[:, POSITION]))


def test_each_estimate_is_trusted_where_it_is_right() -> None:
    fusion = fit_fusion(made_up_patches(4000), steps=300)
    fused, network, position = errors(fusion, made_up_patches(500, seed=1))
    assert fused < 0.75 * min(network, position)
    assert not any(each.requires_grad for each in fusion.parameters())


def test_the_same_seed_gives_the_same_fusion() -> None:
    patches, seen = made_up_patches(300), []
    first, again, other = (
        fit_fusion(patches, 5, seed, lambda step, loss: seen.append((step, loss))).state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["second.weight"], other["second.weight"])
    assert [step for step, _ in seen] == 3 * [1, 2, 3, 4, 5]
    assert seen[:5] == seen[5:10]


def test_the_loss_is_zero_for_the_truth_and_weighted_by_patch() -> None:
    true = torch.rand(3, 16)
    weight = torch.tensor([1.0, 2.0, 0.0])
    assert fusion_loss(true, true, weight) == 0
    wrong = true.clone()
    wrong[1] += 0.1  # a constant: no error of differences
    torch.testing.assert_close(fusion_loss(wrong, true, weight), torch.tensor(2 / 3 * (2.5 * 0.1 + 0.01)))
    wrong[2] += 1
    torch.testing.assert_close(fusion_loss(wrong, true, weight), torch.tensor(2 / 3 * (2.5 * 0.1 + 0.01)))
    wrong[0, 5] += 0.1  # one pixel: differences to four neighbours
    one = 2.5 * 0.1 / 16 + 0.01 / 16 + 4 * 0.01 / 12
    torch.testing.assert_close(fusion_loss(wrong, true, weight), torch.tensor(one / 3 + 2 / 3 * (2.5 * 0.1 + 0.01)))


def check_patches(patches: EdgePatches) -> None:
    count = len(patches.alpha)
    assert count > 0
    assert patches.features.shape == (count, len(FEATURES), 16)
    assert patches.alpha.shape == (count, 16)
    assert patches.weight.shape == (count,)
    assert torch.isfinite(patches.features).all()
    assert 0 <= float(patches.alpha.min()) <= float(patches.alpha.max()) <= 1
    assert float(patches.weight.min()) >= 1
    # The network's alpha is that of the same pixels as the truth.
    network, true = patches.features[:, ALPHA].float(), patches.alpha.float()
    assert float((network - true).abs().mean()) < 0.5 * float((network - true.flip(0)).abs().mean())


def test_patches_of_a_clip_have_its_true_alpha(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = load_matting("default", "cpu")
    whole = next(patches_of_clip(SAMPLE, predictor, 0.0, np.random.default_rng(0)))
    check_patches(whole)
    assert (whole.weight == 1).all()
    monkeypatch.setattr(edge_patches, "_MOST", 100)
    few = next(patches_of_clip(SAMPLE, predictor, 0.0, np.random.default_rng(0)))
    check_patches(few)
    assert len(few.alpha) == 100
    assert float(few.weight.sum()) == pytest.approx(len(whole.alpha))
    in_hair = next(patches_of_clip(SAMPLE, predictor, 3.0, np.random.default_rng(0)))
    assert torch.equal(in_hair.features, few.features)
    assert 1 < float((in_hair.weight / few.weight).max()) <= 4


def test_patches_of_batches_have_their_true_alpha() -> None:
    config = composed("people_refine", *small_data(SAMPLE), "data.size=256")
    data = build_parts(config).data
    predictor = load_matting("default", "cpu")
    side = predictor.metadata.coarse_long_side
    batches = [data.on_after_batch_transfer(each, 0) for each in islice(data.train_dataloader(), 2)]
    parts = list(patches_of_batches(batches, predictor, [2.0, 4.0], 3.0, np.random.default_rng(0)))
    assert len(parts) == 2
    check_patches(join_patches(parts))
    assert predictor.metadata.coarse_long_side == side


def fuse(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "howard.training.fusion", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_the_command_fits_to_a_run_s_samples_and_clips(tmp_path: Path) -> None:
    run = tmp_path / "run"
    create_run_folder(run, composed("people_refine", *small_data(SAMPLE), "data.size=128"))
    arguments = ["run=run", f"clips={SAMPLE.parent}", "batches=2", "steps=20", "patches=patches.safetensors"]
    done = fuse(*arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "fitting to" in done.stderr
    weights = safetensors.torch.load_file(tmp_path / "alpha_fusion.safetensors")
    AlphaFusion().load_state_dict(weights)
    # The gathered patches are read again: the run is not needed any more.
    (run / run_folders.SETTINGS).unlink()
    again = fuse(*arguments, "output=again.safetensors", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    repeated = safetensors.torch.load_file(tmp_path / "again.safetensors")
    assert all(torch.equal(weights[name], repeated[name]) for name in weights)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["steps=5"], "no run is given"),
        (["run=missing"], "missing"),
        (["run=run", "clips=empty"], "has no clips with ground truth"),
        (["run=run", "steps=0"], "steps=0"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "run").mkdir()
    OmegaConf.save(composed("people_refine", *small_data(SAMPLE)), tmp_path / "run" / run_folders.SETTINGS)
    done = fuse(*arguments, folder=tmp_path)
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert message in last
    assert "Traceback" not in done.stderr
