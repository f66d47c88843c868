"""The process group that launchers start several processes in."""

from __future__ import annotations

import atexit
import os
import sys

import torch


def leave_group(status: int = 0) -> None:
    """Leave the process group, if there is one, and end the process with this exit status: the last thing that a
    command does.

    The process does not go through the end of the interpreter. Threads of gloo may hold tensors until later, and if one
    of them frees a tensor there, the process aborts with all its work done (pytorch/pytorch#179291). Leaving the group
    does not end these threads if a model was wrapped for distributed training, which refers to the group for ever.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return
    torch.distributed.destroy_process_group()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
