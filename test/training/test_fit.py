# Copyright 2026 The posenet_ros authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

from __future__ import annotations

from dataclasses import replace
import shutil
import signal

import numpy as np
from posenet_ros.data.dataset import FrameDataset, ResizedImages
from posenet_ros.errors import PosenetError
from posenet_ros.training import batches, callbacks, graphs, loop
from posenet_ros.training import fit as fit_module
from posenet_ros.training import refit as refit_module
from posenet_ros.training.config import TrainOptions
from posenet_ros.training.fit import CHECKPOINT, fit, make_trunk
from posenet_ros.training.module import make_optimizer, PoseTraining, rate
from posenet_ros.training.refit import refit
from posenet_ros.training.splits import hold_out
import pytest
import torch
import torchvision

QUICK = TrainOptions(
    backbone='resnet18',
    weights='none',
    feature_width=64,
    dropout=0.0,
    pool=2,
    image_size=32,
    shift=0.0,
    brightness=0.05,
    contrast=0.05,
    epochs=2,
    batch_size=8,
    learning_rate=1e-3,
)


def fitted(frames, log_dir, **changes):
    options = replace(QUICK, **changes)
    log_dir.mkdir(exist_ok=True)
    split = hold_out(frames)
    trunk = make_trunk(options)
    return fit(split.train, split.held_out, options, log_dir, trunk=trunk)


def answers(result, frames):
    images = ResizedImages(frames, result.preprocessing)
    batch = FrameDataset(frames, images, result.preprocessing).__getitems__(range(len(frames)))
    with torch.inference_mode():
        return result.model(batch.image_B3HW), batch


@pytest.fixture(scope='module')
def trained(corridor, tmp_path_factory):
    return fitted(corridor, tmp_path_factory.mktemp('logs'), epochs=30)


def test_learns_where_the_camera_is_better_than_the_mean_pose(trained, corridor):
    held_out = hold_out(corridor).held_out
    answer, batch = answers(trained, held_out)
    errors = (answer.position_B3 - batch.position_B3).norm(dim=1)
    cosine = (answer.quaternion_wxyz_B4 * batch.quaternion_wxyz_B4).sum(dim=1).abs()
    degrees = torch.rad2deg(2 * torch.acos(cosine.clamp(max=1)))
    mean = (batch.position_B3 - torch.tensor([2.0, 1.5, 2])).norm(dim=1)
    assert errors.median() < 0.4 * mean.median()
    assert degrees.median() < 6


def test_history_has_every_epoch_with_held_out_medians(trained, corridor):
    assert [row['epoch'] for row in trained.history] == list(range(1, 31))
    assert trained.history[-1]['train/loss'] < trained.history[0]['train/loss']
    answer, batch = answers(trained, hold_out(corridor).held_out)
    errors = (answer.position_B3 - batch.position_B3).norm(dim=1)
    assert trained.history[-1]['held_out/position_m'] == pytest.approx(
        errors.quantile(0.5).item(), abs=1e-3
    )


def test_preprocessing_has_the_mean_of_the_training_frames_only(trained, corridor):
    train = ResizedImages(hold_out(corridor).train, trained.preprocessing)
    assert trained.preprocessing.mean == pytest.approx(train.mean)
    assert trained.preprocessing.mean != pytest.approx(
        ResizedImages(corridor, trained.preprocessing).mean
    )


def test_position_scale_is_the_extent_of_the_training_frames(trained, corridor):
    positions = np.array([f.map_from_camera.translation for f in hold_out(corridor).train])
    half = np.ptp(positions, axis=0) / 2
    assert trained.model.position_scale[:2].numpy() == pytest.approx(half[:2])


def weights(result):
    return torch.cat([value.flatten() for value in result.model.state_dict().values()])


def test_same_seed_same_model_and_another_seed_another(corridor, tmp_path):
    first = fitted(corridor, tmp_path / 'a', epochs=1)
    assert torch.equal(weights(first), weights(fitted(corridor, tmp_path / 'b', epochs=1)))
    other = fitted(corridor, tmp_path / 'c', epochs=1, seed=1)
    assert not torch.equal(weights(first), weights(other))


class StoppedError(Exception):
    pass


@pytest.mark.parametrize('average', [0.0, 0.2])
def test_goes_on_from_the_last_whole_epoch(corridor, tmp_path, monkeypatch, average):
    asked = {'epochs': 3, 'average': average}
    begun = []
    step = PoseTraining.training_step

    def counted(self, batch, index):
        begun.append(self.current_epoch)
        if self.current_epoch == 2 and stop:
            raise StoppedError
        return step(self, batch, index)

    monkeypatch.setattr(PoseTraining, 'training_step', counted)
    monkeypatch.setattr(callbacks, 'CHECKPOINT_EVERY_S', 0)
    stop = True
    with pytest.raises(StoppedError):
        fitted(corridor, tmp_path / 'logs', **asked)
    assert (tmp_path / 'logs' / CHECKPOINT).is_file()
    stop = False
    begun.clear()
    result = fitted(corridor, tmp_path / 'logs', **asked)
    assert set(begun) == {2}
    assert [row['epoch'] for row in result.history] == [1, 2, 3]


@pytest.mark.parametrize('average', [0.0, 0.5])
def test_a_training_that_has_ended_is_not_done_again(corridor, tmp_path, monkeypatch, average):
    first = fitted(corridor, tmp_path / 'logs', average=average)
    monkeypatch.setattr(PoseTraining, 'training_step', lambda *_: pytest.fail('trained again'))
    again = fitted(corridor, tmp_path / 'logs', average=average)
    assert torch.equal(weights(first), weights(again))
    assert again.history == first.history


def test_a_damaged_checkpoint_is_refused_in_one_line(corridor, tmp_path):
    (tmp_path / 'logs').mkdir()
    (tmp_path / 'logs' / CHECKPOINT).write_bytes(b'half a file')
    with pytest.raises(PosenetError, match=rf'{CHECKPOINT}.*delete'):
        fitted(corridor, tmp_path / 'logs')


@pytest.mark.parametrize('change', ['labels', 'split'])
def test_a_checkpoint_of_other_labels_or_another_split_is_not_gone_on_with(
    corridor, tmp_path, change
):
    fitted(corridor, tmp_path / 'logs', epochs=1)
    other = list(corridor)
    if change == 'labels':
        moved = replace(corridor[0], map_from_camera=corridor[1].map_from_camera)
        other = [moved, *corridor[1:]]
    split = hold_out(other, 0.3 if change == 'split' else 0.2)
    options = replace(QUICK, epochs=2)
    with pytest.raises(PosenetError, match=r'other .*frames to train on.* remove'):
        fit(split.train, split.held_out, options, tmp_path / 'logs', trunk=make_trunk(options))


def test_a_checkpoint_of_other_weights_in_a_file_of_the_same_name_is_not_gone_on_with(
    corridor, tmp_path
):
    path = tmp_path / 'weights.pt'
    for seed in (0, 1):
        torch.manual_seed(seed)
        torch.save(torchvision.models.resnet18().state_dict(), path)
        if seed == 0:
            fitted(corridor, tmp_path / 'logs', epochs=1, weights=str(path))
    with pytest.raises(PosenetError, match='other pre-trained weights'):
        fitted(corridor, tmp_path / 'logs', epochs=2, weights=str(path))


def test_a_checkpoint_goes_with_its_frames_wherever_they_are(corridor, tmp_path):
    fitted(corridor, tmp_path / 'logs', epochs=1)
    elsewhere = tmp_path / 'moved'
    shutil.copytree(corridor[0].image.parent, elsewhere)
    moved = [replace(frame, image=elsewhere / frame.image.name) for frame in corridor]
    assert len(fitted(moved, tmp_path / 'logs', epochs=2).history) == 2


def test_ctrl_c_is_handed_on_and_the_handler_is_put_back(corridor, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(PoseTraining, 'training_step', interrupted)
    with pytest.raises(KeyboardInterrupt):
        fitted(corridor, tmp_path / 'logs')
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize('loss', ['paper', 'learned'])
def test_googlenet_trains_with_both_losses(corridor, tmp_path, loss):
    result = fitted(corridor[:12], tmp_path / 'logs', backbone='googlenet', loss=loss, epochs=1)
    assert np.isfinite(result.history[0]['train/loss'])
    answer, _ = answers(result, corridor[:2])
    assert torch.isfinite(answer.position_B3).all()


def test_wide_crops_have_the_shape_of_the_image():
    options = replace(QUICK, image_size=96, wide=True, margin=0.0)
    assert options.preprocessing(480, 640).crop == (96, 128)
    assert options.preprocessing(640, 480).crop == (128, 96)
    assert options.preprocessing(480, 640).short_side == 96
    square = TrainOptions().preprocessing(480, 640)
    assert (square.short_side, square.crop) == (256, (224, 224))


def rates(*shares, epochs=100, **how):
    return [rate(share, epochs, replace(QUICK, **how)) for share in shares]


def test_the_rate_warms_up_and_falls_to_zero():
    expected = [0.01, 0.5, 1, 0.5, 0]
    assert rates(0, 0.05, 0.1, 0.55, 1, warmup=0.1) == pytest.approx(expected)
    assert rates(0, warmup=0) == [1]


def test_the_rate_falls_in_steps_as_in_the_paper():
    how = {'schedule': 'steps', 'step_epochs': 80, 'step_factor': 0.1, 'warmup': 0.0}
    borders = [epoch / 240 for epoch in (0, 79.9, 80, 159.9, 160, 239.9)]
    expected = [1, 1, 0.1, 0.1, 0.01, 0.01]
    assert rates(*borders, epochs=240, **how) == pytest.approx(expected)
    assert rates(0, 0.5, 1, schedule='constant', warmup=0.0) == [1, 1, 1]


@pytest.mark.parametrize(
    ('how', 'kind'),
    [
        ({'optimizer': 'sgd', 'momentum': 0.8, 'weight_decay': 0.2}, torch.optim.SGD),
        ({'optimizer': 'adagrad', 'weight_decay': 0.5}, torch.optim.Adagrad),
        ({'optimizer': 'adamw'}, torch.optim.AdamW),
    ],
)
def test_each_optimiser_takes_what_the_recipe_says(how, kind):
    options = replace(QUICK, learning_rate=0.02, **how)
    decayed, not_decayed = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    made = make_optimizer(
        [
            {'params': [decayed], 'weight_decay': options.weight_decay},
            {'params': [not_decayed], 'weight_decay': 0.0},
        ],
        options,
        options.learning_rate,
    )
    assert type(made) is kind
    assert [group['lr'] for group in made.param_groups] == [0.02, 0.02]
    assert [group['weight_decay'] for group in made.param_groups] == [options.weight_decay, 0]
    assert made.param_groups[0].get('momentum', 0.8) == 0.8


def test_the_papers_way_learns_and_its_outputs_are_metres(corridor, tmp_path):
    how = {'optimizer': 'sgd', 'schedule': 'steps', 'loss': 'paper', 'beta': 1.0}
    found = fitted(corridor, tmp_path / 'a', standardise=False, epochs=6, **how)
    assert found.model.position_scale.tolist() == [1, 1, 1]
    assert found.model.position_mean.tolist() == [0, 0, 0]
    assert found.history[-1]['train/loss'] < 0.8 * found.history[0]['train/loss']


def test_iterations_decide_the_number_of_epochs(corridor, tmp_path):
    steps = len(hold_out(corridor).train) // QUICK.batch_size
    found = fitted(corridor, tmp_path / 'a', iterations=2 * steps + 1, schedule='constant')
    assert len(found.history) == 3
    assert replace(QUICK, iterations=30000, batch_size=64).epochs_for(640) == 3000


def test_a_scene_head_goes_through_few_frames_more_often():
    options = replace(QUICK, head='scene', shift=0.0, epochs=10, least_images=3000)
    assert [options.epochs_for(frames) for frames in (57, 299, 300, 5000)] == [53, 11, 10, 10]
    assert options.for_epochs(2).epochs_for(57) == 2
    assert replace(options, iterations=40).epochs_for(64) == replace(
        QUICK, iterations=40
    ).epochs_for(64)
    # A trunk that learns from few frames more often knows them by heart.
    assert replace(options, head='linear').epochs_for(57) == 10


LINEAR = {'head': 'linear', 'levels': 3, 'pool': 3, 'rotation': '6d', 'freeze_norms': True}


@pytest.fixture
def pretrained(tmp_path):
    """Return a file of weights with statistics of batch normalisation of their own."""
    torch.manual_seed(0)
    network = torchvision.models.resnet18().train()
    with torch.no_grad():
        network(torch.rand(8, 3, 64, 64))
    torch.save(network.state_dict(), tmp_path / 'weights.pt')
    return str(tmp_path / 'weights.pt')


def test_a_linear_head_knows_the_place_before_the_first_step(corridor, tmp_path, pretrained):
    result = fitted(
        corridor, tmp_path / 'a', weights=pretrained, epochs=1, learning_rate=1e-9, **LINEAR
    )
    train = hold_out(corridor).train
    answer, batch = answers(result, train)
    errors = (answer.position_B3 - batch.position_B3).norm(dim=1)
    spread = (batch.position_B3 - batch.position_B3.mean(dim=0)).norm(dim=1)
    assert errors.median() < 0.3 * spread.median()
    expected = torch.load(pretrained)['bn1.running_mean']
    assert torch.equal(result.model.trunk.bn1.running_mean, expected)


def test_a_training_that_goes_on_does_not_begin_at_the_first_fit_again(
    corridor, tmp_path, pretrained, monkeypatch
):
    how = {'weights': pretrained, **LINEAR}
    first = fitted(corridor, tmp_path / 'logs', epochs=1, **how)
    solved = []
    solve = fit_module.solve_last_layer
    for module in (fit_module, refit_module):
        monkeypatch.setattr(
            module, 'solve_last_layer', lambda *args, **how: solved.append(solve(*args, **how))
        )
    again = fitted(corridor, tmp_path / 'logs', epochs=1, **how)
    # Once, after the training; and the views it is shown are the same.
    assert len(solved) == 1
    assert torch.equal(weights(first), weights(again))


def test_ctrl_c_while_lightning_prepares_is_handed_on_and_other_failures_are_not():
    class Preparing:
        interrupted = False

        def __init__(self, pressed):
            self.pressed = pressed

        def fit(self, *_, **__):
            try:
                raise self.pressed
            finally:
                # What its data fetcher says when it is torn down before it was set up.
                raise RuntimeError('Please call `iter(combined_loader)` first.')

    with pytest.raises(KeyboardInterrupt):
        loop.run(Preparing(KeyboardInterrupt()), None, None, None, None)
    with pytest.raises(RuntimeError, match='combined_loader'):
        loop.run(Preparing(ValueError()), None, None, None, None)


@pytest.fixture
def on_device(monkeypatch):
    """Let frames stay on a device, as on a GPU; here it is the CPU."""
    monkeypatch.setattr(batches, '_gpu', lambda _: torch.device('cpu'))
    monkeypatch.setattr(FrameDataset, '__getitems__', lambda *_: pytest.fail('made on the CPU'))


def test_frames_on_a_device_train_as_well(corridor, tmp_path, on_device, monkeypatch):
    result = fitted(corridor, tmp_path / 'logs', epochs=12)
    monkeypatch.undo()
    held_out = hold_out(corridor).held_out
    answer, batch = answers(result, held_out)
    errors = (answer.position_B3 - batch.position_B3).norm(dim=1)
    mean = (batch.position_B3 - torch.tensor([2.0, 1.5, 2])).norm(dim=1)
    assert errors.median() < 0.5 * mean.median()
    assert result.history[-1]['held_out/position_m'] == pytest.approx(
        errors.quantile(0.5).item(), abs=1e-3
    )
    assert result.preprocessing.mean == pytest.approx(
        ResizedImages(hold_out(corridor).train, result.preprocessing).mean
    )


def test_training_of_frames_on_a_device_goes_on(corridor, tmp_path, on_device, monkeypatch):
    monkeypatch.setattr(callbacks, 'CHECKPOINT_EVERY_S', 0)
    step, begun = PoseTraining.training_step, []

    def stopped(self, batch, index):
        begun.append(self.current_epoch)
        if self.current_epoch == 1 and len(begun) < 9:
            raise StoppedError
        return step(self, batch, index)

    monkeypatch.setattr(PoseTraining, 'training_step', stopped)
    with pytest.raises(StoppedError):
        fitted(corridor, tmp_path / 'logs', epochs=3)
    begun[:] = [None] * 9
    result = fitted(corridor, tmp_path / 'logs', epochs=3)
    assert set(begun[9:]) == {1, 2}
    assert [row['epoch'] for row in result.history] == [1, 2, 3]


def test_a_linear_head_is_solved_for_on_the_device(corridor, tmp_path, pretrained, on_device):
    result = fitted(
        corridor, tmp_path / 'a', weights=pretrained, epochs=1, learning_rate=1e-9, **LINEAR
    )
    assert result.history[-1]['held_out/position_m'] < 0.5
    refit(result.model, result.preprocessing, corridor, replace(QUICK, **LINEAR))


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('replayed', [False, True])
@pytest.mark.parametrize('how', [{'optimizer': 'sgd', 'average': 0.2}, LINEAR])
def test_trains_on_a_gpu(corridor, tmp_path, monkeypatch, replayed, how):
    monkeypatch.setattr(graphs, 'REPLAYED', replayed)
    result = fitted(corridor, tmp_path / 'logs', epochs=3, turn_deg=5.0, **how)
    assert len(result.history) == 3
    assert all(np.isfinite(list(row.values())).all() for row in result.history)
    assert 'forward' not in vars(result.model)
    answer, _ = answers(result, corridor[:2])
    assert torch.isfinite(answer.position_B3).all()


def test_the_logged_loss_is_the_mean_of_an_epochs_batches(corridor, tmp_path, monkeypatch):
    step, losses = PoseTraining.training_step, {}

    def kept(self, batch, index):
        loss = step(self, batch, index)
        losses.setdefault(self.current_epoch, []).append(float(loss.detach()))
        return loss

    monkeypatch.setattr(PoseTraining, 'training_step', kept)
    result = fitted(corridor, tmp_path / 'logs')
    assert len(losses[0]) == 4
    expected = [np.mean(losses[epoch]) for epoch in (0, 1)]
    assert [row['train/loss'] for row in result.history] == pytest.approx(expected, abs=1e-4)
