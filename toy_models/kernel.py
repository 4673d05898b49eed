"""compiled = kernel(function): machine code of a plain numeric function, kept on disk where a folder can be written.

The function itself stays importable, so it can be read, stepped through and run uncompiled (NUMBA_DISABLE_JIT=1 gives
it back unchanged). The cache only saves time, so nothing about it may stop or change a computation:

- no folder to write (a read-only installation, no HOME): compiled anew in each process;
- a damaged file (a full disk, a copy cut short): compiled anew, and the file is replaced;
- a function whose callees changed: compiled anew. numba alone looks at the file of the function, not at those of the
  kernels inlined into it.
"""

from collections.abc import Callable
from contextlib import suppress
from inspect import unwrap
from operator import attrgetter
from types import ModuleType

from numba import njit
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher

CACHE = "_cache"  # where numba's dispatcher looks for its cache; its type stubs leave it out


def kernel(function: Callable, **options) -> Callable:
    """`function` compiled by njit with `options` (parallel, nogil, fastmath, error_model), cached where it can be."""
    compiled = njit(**options)(unwrap(function))
    if isinstance(compiled, Dispatcher):  # else compilation is switched off
        with suppress(RuntimeError, OSError):  # numba finds no folder that it can write
            setattr(compiled, CACHE, KernelCache(compiled.py_func))
    return compiled


class KernelCache(FunctionCache):
    """numba's cache of one function that never raises and goes stale with the kernels that the function calls."""

    def __init__(self, function: Callable):
        super().__init__(function)
        self._cache_file._source_stamp = self.stamp = (
            self._cache_file._source_stamp,
            *(cache.stamp for cache in map(attrgetter(CACHE), callees(function)) if isinstance(cache, KernelCache)),
        )

    def load_overload(self, sig, target_context):
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # whatever unpickling a damaged file or linking its content ends in
            with suppress(OSError):
                self.flush()  # an empty index: the next save writes over the damaged file
            return None

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except Exception:  # the disk is full, or a damaged index could not be emptied above
            self.disable()


def callees(function: Callable) -> list[Dispatcher]:
    """The kernels that `function` names, by themselves or as attributes of a module, in the order of their use."""
    scope, names = function.__globals__, function.__code__.co_names
    named = [scope.get(name) for name in names]
    inside = [getattr(m, name, None) for m in named if isinstance(m, ModuleType) for name in names]
    return [value for value in (*named, *inside) if isinstance(value, Dispatcher)]
