"""Names of a package whose module is imported when the name is first used (PEP 562): `import toy_models` stays fast."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def attach(
    package: str, names: Mapping[str, Sequence[str]], modules: Sequence[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package: names[module] of each module, and whole `modules`.

    A name may not be that of a module of the package: importing the module would hide it.

    >>> find, listing, public = attach("toy_models.energy", {"kinetic": ["kinetic_constant"]}, ["chords"])
    >>> public, find("kinetic_constant")([0.5, 0.5])
    (['chords', 'kinetic_constant'], 1)
    """
    module_of = {name: module for module, found in names.items() for name in found}

    def find(name: str) -> Any:
        if name in module_of:
            return getattr(import_module(f"{package}.{module_of[name]}"), name)
        if name in modules:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    public = sorted([*module_of, *modules])
    return find, lambda: public, public
