import pytest
import torch

from howard.matting.coarse_modules import ASPP
from howard.training.segmentation_head import SegmentationHead


def test_the_loss_follows_the_definition_and_has_gradients() -> None:
    torch.manual_seed(0)
    aspp = ASPP(8, 6, dropout=0.0)
    head = SegmentationHead(aspp, weight=0.5)
    true_alpha = torch.rand(2, 1, 64, 48)
    context = aspp(torch.rand(2, 8, 4, 3))
    loss = head.loss(true_alpha)
    probability = torch.sigmoid(head.classifier(context))
    target = true_alpha.unfold(2, 16, 16).unfold(3, 16, 16).mean(dim=(-1, -2))
    expected = -(target * probability.log() + (1 - target) * (1 - probability).log()).mean()
    torch.testing.assert_close(loss, 0.5 * expected)
    loss.backward()
    assert all(each.grad.abs().sum() > 0 for each in (*head.parameters(), aspp.project[0].weight))


def test_the_loss_falls_when_trained() -> None:
    torch.manual_seed(0)
    aspp = ASPP(8, 6, dropout=0.0)
    head = SegmentationHead(aspp, weight=1.0)
    true_alpha = (torch.rand(4, 1, 4, 4) > 0.5).float()
    features = torch.cat([true_alpha, torch.rand(4, 7, 4, 4)], dim=1)
    optimizer = torch.optim.Adam([*aspp.parameters(), *head.parameters()], 1e-2)
    history = []
    for _ in range(40):
        optimizer.zero_grad()
        aspp(features)
        loss = head.loss(true_alpha.repeat_interleave(16, 2).repeat_interleave(16, 3))
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert history[-1] < 0.3 * history[0]


def test_validation_keeps_nothing_and_a_loss_needs_a_run() -> None:
    aspp = ASPP(8, 6)
    head = SegmentationHead(aspp, 1.0).eval()
    aspp.eval()(torch.rand(1, 8, 4, 4))
    with pytest.raises(RuntimeError, match="run the network"):
        head.loss(torch.rand(1, 1, 64, 64))
