"""The process group that launchers start several processes in."""

from __future__ import annotations

import torch


def leave_group() -> None:
    """Leave the process group, if there is one: the last thing that a command does. A process that ends while threads
    of its group still run may abort, with all its work done.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
