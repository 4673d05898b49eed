"""The moving picture of the README: what it shows is what the rules do."""

import numpy as np
from PIL import Image

import toy_models as tm
from theory.start_here.moving import HOLD, LENGTH, PATH, RUNS, animate, rows

TARGET = tm.corpus.language(2, LENGTH)


def test_rows_say_what_happened():
    random, halving, drawn = rows()
    assert np.isneginf(TARGET.log_prob(random.run.tokens[None]))[0]
    for i in random.clashes:
        assert TARGET.transition[random.run.tokens[i], random.run.tokens[i + 1]] == 0
    assert random.run.calls == 4
    assert halving.run.calls == 6
    assert drawn.run.calls == LENGTH
    for row in (halving, drawn):
        assert np.isfinite(TARGET.log_prob(row.run.tokens[None]))[0]
        assert row.clashes == ()
    shown = int(random.told.split(": ")[1].split(" of ")[0]) / RUNS
    other = tm.quantities.estimate_sequence_error(TARGET, tm.RandomOrder([8] * 4), 2000, np.random.default_rng(9))
    assert abs(shown - other.value) < 5 * np.sqrt(0.25 / RUNS + 0.25 / 2000)


def test_the_picture_is_whole_and_small(tmp_path):
    animate(tmp_path / "sampler.gif")
    with Image.open(PATH) as committed, Image.open(tmp_path / "sampler.gif") as made:
        assert committed.size == made.size
        assert committed.n_frames == made.n_frames
        assert LENGTH + 1 <= made.n_frames <= LENGTH + 1 + HOLD
        for frame in (0, 4, LENGTH // 2, made.n_frames - 1):
            committed.seek(frame)
            made.seek(frame)
            old, new = (np.asarray(picture.convert("L"), dtype=int) for picture in (committed, made))
            assert (abs(old - new) > 64).mean() < 1e-3  # other letters change 1 % of the pixels and more
    assert PATH.stat().st_size < 2**20
