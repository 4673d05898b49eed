"""Compiled sweep of `likelihood` for one sequence: values of all gaps up to a band width, level by level."""

import numpy as np

from toy_models.kernel import kernel

TINY = 1e-280  # smaller gap values are denormal noise beside values of order one
CHUNK = 64  # left ends worked on together


def _keep(value, stay, kept):
    """kept[d, l] = stay^(d-1) value[d, l], stay = 1 - rho."""
    factor = 1.0
    for d in range(1, value.shape[0]):
        for l in range(value.shape[1]):
            w = factor * value[d, l]
            kept[d, l] = w if w > TINY else 0.0
        factor *= stay


def _level(kept, bridge, reveal, f, value):
    """value[n, l] <- W of the gap (l, l+n) after one level, every n >= 2 in the band; f is a (band, CHUNK) buffer."""
    width, ends = bridge.shape[0] - 1, bridge.shape[1]
    for n in range(2, width + 1):
        for l0 in range(0, ends - n, CHUNK):
            size = min(CHUNK, ends - n - l0)
            for j in range(size):
                value[n, l0 + j] = kept[n, l0 + j]
            for s in range(1, n):
                row = f[s]
                source = kept[s, l0:]
                for j in range(size):
                    row[j] = source[j]
                for before in range(1, s):
                    earlier = f[before]
                    jump = kept[s - before, l0 + before :]
                    for j in range(size):
                        row[j] += earlier[j] * jump[j]
                left = bridge[s, l0:]
                right = bridge[n - s, l0 + s :]
                total = bridge[n, l0:]
                close = kept[n - s, l0 + s :]
                for j in range(size):
                    row[j] = reveal * left[j] * right[j] * row[j] / total[j] if total[j] > 0.0 else 0.0
                    value[n, l0 + j] += row[j] * close[j]


def _log_line(value, kept, law_at, reveal, stay, width):
    """log of the value of the gap (0, L+1) after one level: a renewal, jumps beyond `width` by the ratio tail."""
    last = len(law_at) - 1
    phi = np.zeros(last + 1)
    phi[0] = 1.0
    far = offset = total = 0.0
    for k in range(1, last + 1):
        if k > width:
            near = value[width - 1, k - width]
            ratio = value[width, k - width] / near if near > 0.0 else 0.0
            far = stay * ratio * (far + phi[k - 1 - width] * kept[width, k - 1 - width])
        total = far
        for before in range(max(0, k - width), k):
            total += phi[before] * kept[k - before, before]
        phi[k] = reveal * law_at[k] * total
        if k < last and (phi[k] > 1e100 or 0.0 < phi[k] < 1e-100):
            shrink = 1.0 / phi[k]
            offset += np.log(phi[k])
            far *= shrink
            for before in range(max(0, k - width), k + 1):
                phi[before] *= shrink
    return np.log(total) + offset if total > 0.0 else -np.inf


def _sweep_row(bridge, start, law_at, reveals, stays, uniform, widths, completing):
    """log p / (product of scales) for every number of steps (uniform) or the last one, with the tail at each width.

    completing: sum over the step that completes x, from contexts that are possible before it.
    """
    width, ends = bridge.shape[0] - 1, bridge.shape[1]
    steps = len(reveals)
    results = np.full((len(widths), steps), -np.inf)
    value = np.zeros((width + 1, ends))
    kept = np.zeros((width + 1, ends))
    f = np.empty((width + 1, CHUNK))
    for first in range(steps if completing else 1):
        value[:] = 0.0
        value[1, : ends - 1] = start
        for m in range(first, steps):
            keep(value, stays[m], kept)
            if uniform or m == steps - 1:
                for k in range(len(widths)):
                    found = log_line(value, kept, law_at, reveals[m], stays[m], widths[k])
                    results[k, m] = np.logaddexp(results[k, m], found)
            if m < steps - 1:
                level(kept, bridge, reveals[m], f, value)
                if completing:
                    for n in range(1, width + 1):
                        for l in range(ends - n):
                            if bridge[n, l] == 0.0:
                                value[n, l] = 0.0
    return results if uniform else results[:, steps - 1 :]


keep = kernel(_keep, nogil=True)
level = kernel(_level, nogil=True, fastmath={"contract"})
log_line = kernel(_log_line, nogil=True)
sweep_row = kernel(_sweep_row, nogil=True)
