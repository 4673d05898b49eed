"""Where tensors live."""

import torch


def resolve(device: str | torch.device) -> torch.device:
    """The device named; "auto" takes CUDA where there is one, else the CPU. ValueError for CUDA that is not there."""
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
    except RuntimeError as problem:
        raise ValueError(f'device = {device!r}, allowed: "auto", "cpu", "cuda", "cuda:0", ...') from problem
    if found.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f'device = {str(device)!r}, but torch {torch.__version__} finds no CUDA here; use "cpu" or "auto"'
        )
    if found.type == "cuda" and found.index is not None and found.index >= torch.cuda.device_count():
        raise ValueError(f"device = {str(device)!r}, but there are {torch.cuda.device_count()} CUDA devices")
    return found


def describe(device: torch.device) -> dict[str, str]:
    """Name of the device and the versions that results carry."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return {"device": name, "torch": torch.__version__.split("+")[0], "cuda": str(torch.version.cuda or "none")}
