from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
import torch

from trainers.failures import OUT_OF_MEMORY, failure_class, out_of_memory


class AcceleratorError(RuntimeError):
    """Torch's, of any call to CUDA."""


class DistBackendError(RuntimeError):
    """Torch's, of NCCL."""


def array_memory_error() -> MemoryError:
    with pytest.raises(MemoryError) as caught:
        np.empty(1 << 60, np.dtype("u1"))
    return caught.value


MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total"),
    AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate`"),
    RuntimeError("GET was unable to find an engine to execute this computation"),
    RuntimeError("FIND was unable to find an engine to execute this computation"),
    DistBackendError(
        "NCCL error in: NCCLUtils.cpp:94, unhandled cuda error, NCCL version 2.28.9\n"
        "ncclUnhandledCudaError: Call to CUDA function failed.\nLast error:\n"
        "Cuda failure 2 'out of memory'"
    ),
    DistBackendError("ncclUnhandledCudaError\nLast error:\nCuda failure 'out of memory'"),
    DistBackendError("ncclUnhandledCudaError\nLast error:\nFailed to CUDA calloc async 608 bytes"),
    RuntimeError("Triton Error [CUDA]: out of memory"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
    array_memory_error(),
]
OTHERS = [
    ValueError("the sensor ran out of memory"),
    RuntimeError("the sensor ran out of memory"),
    AcceleratorError("CUDA error: an illegal memory access was encountered"),
    AcceleratorError("CUDA error: device-side assert triggered"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED"),
    DistBackendError("ncclSystemError: System call failed\nLast error:\nsocket timeout"),
    RuntimeError("out of resource: shared memory, Required: 294912, Hardware limit: 232448"),
    BrokenProcessPool("A child process terminated abruptly"),
]


@pytest.mark.parametrize("error", MEMORY, ids=lambda error: str(error)[:40])
def test_memory_that_runs_out_is_known_in_all_its_forms(error: Exception) -> None:
    assert failure_class(error) == OUT_OF_MEMORY


@pytest.mark.parametrize("error", OTHERS, ids=lambda error: str(error)[:40])
def test_other_failures_have_their_own_names(error: Exception) -> None:
    assert failure_class(error) == type(error).__name__


def test_only_what_torch_raises_is_read() -> None:
    text = "CUDA error: out of memory"
    assert out_of_memory(["AcceleratorError", "RuntimeError", "Exception"], text)
    assert not out_of_memory(["KeyError", "LookupError", "Exception"], text)
