"""The turns page while a training runs: its curve, the pictures it draws on the way, the card as it comes."""

import json

from tests.studio.conftest import Cast
from tests.wheel.cast import picture
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.wheel import events as ev
from zoetrope.wheel.workspace import round_folder

AT = "/s/studio/p/ada/turns/"


def test_what_a_training_wrote_is_shown(cast: Cast) -> None:
    workspace = workspace_of(cast.ada)
    run = round_folder(workspace, 1) / "training"
    (run / "samples").mkdir(parents=True)
    lines = [json.dumps({"step": step, "loss": 1 / step}) for step in (10, 20, 30)]
    (run / "metrics.jsonl").write_text("\n".join([*lines, '{"step": 40, "lo']))
    for name in ("000100-0.png", "000100-1.png", "000200-0.png", "notes.png", "../samples/000200-1.png"):
        (run / "samples" / name).write_bytes(picture(1))
    card = round_folder(workspace, 1) / "card"
    card.mkdir()
    for name in ("front.png", "card.png"):
        (card / name).write_bytes(picture(2))
    vic = cast.clients["vic"]
    page = vic.get(AT).content.decode()
    assert "Loss: 0.0333 at step 30" in page
    assert all(each in page for each in ("<span>0.100</span><span>0.033</span>", "<span>step 10</span><span>30</span>"))
    steps = [page.index(f'alt="Sample {n} at step {step}"') for n, step in ((1, 100), (2, 100), (1, 200), (2, 200))]
    assert steps == sorted(steps)
    assert "notes.png" not in page
    assert (page.count("/card/1/front.png"), page.count("/card/1/card.png")) == (1, 0)
    assert vic.get(f"{AT}1/samples/000200-0.png").headers["Content-Type"] == "image/png"
    for path in ("1/samples/notes.png", "1/samples/..%2Fmetrics.jsonl", "2/samples/000200-0.png"):
        assert vic.get(AT + path).status_code == 404
    assert cast.clients["sam"].get(f"{AT}1/samples/000200-0.png").status_code == 404
    workspace.record([ev.Carded(round=1, scores={"passing": 1.0})])
    assert "The card so far" not in vic.get(AT).content.decode()
