"""What a person is told of the device before a training, by readings that no test machine needs to have."""

import pytest

from zoetrope.models import memory
from zoetrope.models.memory import GB, Dtype, Kind, MemoryPlan
from zoetrope.training.device import Reading, device_remarks, halves, processes, read_device
from zoetrope.training.settings import Precision, Settings

SMI = "4021, /usr/bin/python3.11, 18044 MiB\n77, /opt/comfyui/python, 900 MiB\n"


def cuda(free: float, held: float = 0.0, others: tuple[str, ...] = ()) -> Reading:
    return Reading("cuda", 24 * GB, round(free * GB), round(held * GB), others)


def cpu(free: float = 12.0, load: float = 1.0) -> Reading:
    return Reading("cpu", 16 * GB, round(free * GB), load=load, cores=4)


@pytest.mark.parametrize(
    "reading", [cuda(23.6), cuda(3.0, held=20.5), cpu(), cpu(load=2.9), Reading("mps", 16 * GB, 12 * GB)]
)
def test_an_idle_device_is_worth_no_word(reading: Reading) -> None:
    assert device_remarks(reading, 2 * GB) == []


def test_whoever_holds_the_device_is_named() -> None:
    others = processes(SMI, own=77)
    assert others == ("python3.11 (4021, 18044 MiB)",)
    told = device_remarks(cuda(5.5, others=others), 9 * GB)
    assert told == [
        "Another process holds 18.5 GB of this device: python3.11 (4021, 18044 MiB); "
        "about 9.0 GB are needed and 5.5 GB are free."
    ]
    assert "its name is not told here." in device_remarks(cuda(5.5), 2 * GB)[0]


def test_nvidia_smi_may_answer_nothing_of_use() -> None:
    assert processes("", own=1) == processes("No devices were found\n", own=1) == ()


def test_too_little_free_memory_and_busy_cores_are_told() -> None:
    assert device_remarks(cpu(free=1.5), 2 * GB)[0].startswith("About 2.0 GB of memory are needed and 1.5 GB are free")
    assert device_remarks(cpu(load=4.1), 2 * GB) == [
        "Other processes keep about 3 of 4 cores busy: this will take longer than estimated."
    ]


@pytest.mark.parametrize(("reading", "way_out"), [(cuda(20), "--quantize"), (cpu(), "--checkpoint-blocks 1")])
def test_more_than_there_is_in_all_is_a_warning_of_its_own(reading: Reading, way_out: str) -> None:
    (told,) = device_remarks(reading, 30 * GB)
    assert told.startswith("WARNING: this training needs about 30.0 GB and the device has")
    assert way_out in told


def test_this_machine_can_be_read() -> None:
    reading = read_device()
    assert 0 < reading.free <= reading.total
    assert reading.cores >= 1


@pytest.mark.parametrize(
    ("kind", "held", "native", "asked", "halved"),
    [
        ("cpu", "float32", False, None, False),
        ("cpu", "float32", True, None, True),
        ("cpu", "bfloat16", False, None, True),
        ("cpu", "float32", False, Precision.bf16, True),
        ("cpu", "float32", True, Precision.fp32, False),
        ("cuda", "bfloat16", False, None, True),
    ],
)
def test_the_numbers_of_a_training_are_those_that_are_quickest(
    kind: Kind,
    held: Dtype,
    native: bool,
    asked: Precision | None,
    halved: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": native, "avx2": True})
    assert memory.multiplies_bf16("cpu") is native
    assert halves(Settings(precision=asked), MemoryPlan(kind, held)) is halved


def test_a_torch_that_does_not_tell_is_taken_for_one_without_such_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("torch.cpu.get_capabilities", raising=False)
    assert memory.multiplies_bf16("cpu") is False
