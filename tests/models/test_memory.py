"""Memory plans, as a table: no device of these kinds is needed."""

import pytest

from zoetrope.errors import UserError
from zoetrope.models.memory import GB, DeviceInfo, MemoryPlan, WeightSizes, Wish, detect, peak_memory, plan_for

FLUX = WeightSizes(total=34 * GB, largest=24 * GB)
SMALL = WeightSizes(total=10**7, largest=8 * 10**6)
BITS = frozenset({"bitsandbytes"})
ALL = frozenset({"bitsandbytes", "torchao"})


def cuda(total: int, free: int | None = None, fp8: bool = True) -> DeviceInfo:
    return DeviceInfo("cuda", total * GB, (total if free is None else free) * GB, fp8)


@pytest.mark.parametrize(
    ("weights", "device", "installed", "plan"),
    [
        (SMALL, cuda(8), frozenset(), MemoryPlan("cuda", "bfloat16")),
        (FLUX, cuda(80), ALL, MemoryPlan("cuda", "bfloat16")),
        (FLUX, cuda(40), frozenset(), MemoryPlan("cuda", "bfloat16")),
        (FLUX, cuda(32), ALL, MemoryPlan("cuda", "bfloat16", "none", "model", True)),
        (FLUX, cuda(24), ALL, MemoryPlan("cuda", "bfloat16", "fp8", "none", True)),
        (FLUX, cuda(24, fp8=False), ALL, MemoryPlan("cuda", "bfloat16", "int8", "none", True)),
        (FLUX, cuda(24), BITS, MemoryPlan("cuda", "bfloat16", "int8", "none", True)),
        (FLUX, cuda(24), frozenset(), MemoryPlan("cuda", "bfloat16", "none", "sequential", True)),
        (FLUX, cuda(12), ALL, MemoryPlan("cuda", "bfloat16", "nf4", "model", True)),
        (FLUX, cuda(6), ALL, MemoryPlan("cuda", "bfloat16", "none", "sequential", True)),
        (SMALL, DeviceInfo("cpu", 8 * GB, 4 * GB), frozenset(), MemoryPlan("cpu", "float32")),
        (FLUX, DeviceInfo("cpu", 128 * GB, 100 * GB), frozenset(), MemoryPlan("cpu", "float32")),
        (FLUX, DeviceInfo("cpu", 64 * GB, 60 * GB), ALL, MemoryPlan("cpu", "bfloat16", vae_tiling=True)),
        (SMALL, DeviceInfo("mps", 16 * GB, 8 * GB), frozenset(), MemoryPlan("mps", "float32")),
        (FLUX, DeviceInfo("mps", 128 * GB, 100 * GB), frozenset(), MemoryPlan("mps", "bfloat16")),
    ],
)
def test_the_roomiest_plan_that_fits(
    weights: WeightSizes, device: DeviceInfo, installed: frozenset[str], plan: MemoryPlan
) -> None:
    assert plan_for(weights, device, installed=installed) == plan


def test_memory_taken_by_others_moves_weights_but_never_changes_a_picture() -> None:
    free, busy = plan_for(FLUX, cuda(80)), plan_for(FLUX, cuda(80, free=20))
    assert (busy.offload, free.offload) == ("sequential", "none")
    assert (busy.dtype, busy.quantize, busy.vae_tiling) == (free.dtype, free.quantize, free.vae_tiling)


def test_a_wish_is_kept() -> None:
    plan = plan_for(FLUX, cuda(80), Wish(quantize="nf4", offload="model"), ALL)
    assert (plan.quantize, plan.offload) == ("nf4", "model")


def test_quantizing_without_its_package_says_what_to_install() -> None:
    with pytest.raises(UserError, match=r"nf4 weights need bitsandbytes: pip install 'zoetrope\[gpu\]'"):
        plan_for(FLUX, cuda(24), Wish(quantize="nf4"))


def test_quantizing_off_cuda_is_refused() -> None:
    with pytest.raises(UserError, match="need a CUDA device"):
        plan_for(SMALL, DeviceInfo("cpu", 8 * GB, 4 * GB), Wish(quantize="int8"), ALL)


def test_a_model_too_large_for_the_machine_says_both_sizes() -> None:
    with pytest.raises(UserError, match=r"needs 34\.0 GB .* has 32\.0 GB"):
        plan_for(FLUX, DeviceInfo("cpu", 32 * GB, 30 * GB))


def test_what_a_plan_takes() -> None:
    assert MemoryPlan("cpu", "float32").bytes_for(SMALL) == 2 * 10**7
    assert MemoryPlan("cuda", "bfloat16", "nf4", "model").bytes_for(FLUX) == round(24 * GB * 0.3)


def test_sizes_come_from_parameter_counts() -> None:
    assert WeightSizes.of({"a": 3, "b": 5}) == WeightSizes(total=16, largest=10)


def test_this_machine_is_recognised() -> None:
    device = detect()
    assert 0 < device.free_bytes <= device.total_bytes
    assert peak_memory(device.kind) >= 0
