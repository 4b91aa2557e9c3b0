"""The job: labels are checked, the start is scored, a host trains, the best weights are written if they are better."""

from __future__ import annotations

import hashlib
import math
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from orplugins.finetune.best import Best
from orplugins.finetune.labels import Labels, split
from orplugins.finetune.method import LabelledSet, Method, Rows, Say, Training
from orplugins.finetune.quiet import output_to
from orplugins.finetune.report import Outcome, card
from orplugins.finetune.settings import FinetuneSettings, start
from orplugins.io.atomic import atomic_write, write_json
from orplugins.io.check_weights import check_weights
from orplugins.io.files import sha256_of
from orplugins.io.resume_log import Journal
from orplugins.io.run_folder import run_folder
from orplugins.io.weights import read_weights, write_weights

FEW_PICTURES = 5
# A gain counts from so many points on, divided by the root of the number of held-out people: the best of ten scores is
# compared with one, and a few people's AP moves by chance.
CHANCE = 15.0


def finetune(kind: type[Method], settings: FinetuneSettings, command: str, say: Say) -> Outcome:
    """Fine-tune a network on labelled pictures.

    Writes below ``settings.out``: ``weights.safetensors`` (half precision) if they score better on the held-out
    pictures than the start, ``card.md``, ``results.json``, ``labels/`` (what was trained and scored on, in the
    network's joints), ``training/`` (the host's files) and ``log.txt``. The same call goes on after an interruption.

    Args:
        kind: The method.
        settings: What is asked for.
        command: The command line, for the card.
        say: Called with each line about the progress.

    Returns:
        What was found.

    Raises:
        FileNotFoundError: A file is missing.
        OSError: The folder cannot be written to.
        ValueError: Labels, pictures, weights or settings do not fit, or the folder holds results of other settings.
    """
    config, weights = start(kind.name, settings.config, settings.weights)
    check_weights(weights)
    method = kind(settings, config, weights)
    parts = _parts(method, settings, say)
    rate, batch = method.defaults()
    people = {name: (part.pictures, part.people) for name, part in parts.items()}
    settings = replace(
        settings,
        iterations=settings.iterations or method.iterations,
        lr=settings.lr or rate * method.rate,
        batch=min(settings.batch or batch, method.examples(parts["train"])),
    )
    kept = {key: str(value) for key, value in asdict(settings).items() if key not in ("out", "device")}
    network = hashlib.sha256(str(method.cfg).encode()).hexdigest()
    kept |= {"method": kind.name, "config": network, "weights": sha256_of(weights)}
    files = [settings.annotations, settings.held_out, settings.test]
    with run_folder(settings.out) as out:
        journal = Journal(out / "finetune.jsonl", kept, [sha256_of(f) for f in files if isinstance(f, (str, Path))])
        try:
            work = out / "training"
            if not journal.resumed:
                shutil.rmtree(work, ignore_errors=True)
                for name in ("weights.safetensors", "card.md", "results.json"):
                    (out / name).unlink(missing_ok=True)
            work.mkdir(exist_ok=True)
            sets = {name: _write(part, out / f"labels/{name}.json", settings.images) for name, part in parts.items()}
            with output_to(out / "log.txt"):
                return _run(method, settings, sets, journal, say, _facts(method, settings, people, parts, command))
        finally:
            journal.close()


def _parts(method: Method, settings: FinetuneSettings, say: Say) -> dict[str, Labels]:
    labels = method.read(settings.annotations)
    others = {}
    if isinstance(settings.held_out, float):
        train, held_out = split(labels, settings.held_out, settings.seed)
    else:
        train, held_out = labels, method.read(settings.held_out)
        others["held_out"] = held_out
    parts = {"train": train, "held_out": held_out}
    if settings.test:
        parts["test"] = others["test"] = method.read(settings.test)
    for part in (labels, *others.values()):
        for note in part.notes:
            say(note)
    for name, part in parts.items():
        say(f"{name.replace('_', '-')}: {part.pictures} pictures, {part.people} people, {part.posed} with joints")
    if labels.pictures < FEW_PICTURES:
        say(f"warning: {labels.pictures} labelled pictures are few: both training and score will depend on chance")
    return parts


def _write(labels: Labels, file: Path, images: Path) -> LabelledSet:
    write_json(file, labels.data)
    return LabelledSet(labels, file, Path(images).absolute())


def _run(
    method: Method, settings: FinetuneSettings, sets: dict[str, LabelledSet], journal: Journal, say: Say, facts: dict
) -> Outcome:
    out, done = journal.path.parent, journal.items

    def measured(name: str, weights: Path, part: str) -> Rows:
        if name not in done:
            journal.add(name, method.measure(weights, sets[part], out / "training"))
        return done[name]

    first = Path(method.weights)
    before = measured("before", first, "held_out")
    say(f"before: {_listed(before)}")
    if method.score not in before:
        raise ValueError(f"the held-out pictures give no {method.score}, expected labels that it can be counted from")
    test_before = measured("test before", first, "test") if "test" in sets else {}
    assert settings.iterations and settings.batch and settings.lr
    best = Best(out / "training", method.score, say, before[method.score], settings.iterations)
    training = Training(
        sets["train"], sets["held_out"], out / "training", best, settings.iterations, settings.batch, settings.lr
    )
    if "step" not in done:
        method.train(training)
        journal.add("step", max(best.scores, key=lambda entry: (entry["score"] is not None, entry["score"]))["step"])
    trained = out / "training/trained.safetensors"
    state = method.finished(read_weights(best.weights)["state_dict"])
    half = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    meta = {"config": str(method.config), "start": str(method.weights), "step": done["step"]}
    write_weights(trained, half, meta)
    after = measured("after", trained, "held_out")
    test_after = measured("test after", trained, "test") if "test" in sets else {}
    margin = CHANCE / math.sqrt(max(sets["held_out"].labels.people, 1))
    better = after.get(method.score, -1.0) > before[method.score] + margin
    weights = out / "weights.safetensors"
    if better:
        write_weights(weights, half, {**meta, "before": before, "after": after})
    else:
        weights.unlink(missing_ok=True)
    facts = {**facts, "step of the best weights": str(done["step"])}
    facts["parameters"] = f"{sum(value.numel() for value in state.values()):,}, float16"
    outcome = Outcome(
        method.score,
        margin,
        before,
        after,
        test_before,
        test_after,
        weights if better else None,
        done["step"],
        facts,
        method.use(weights, settings.images / Path(sets["train"].labels.data["images"][0]["file_name"]).parent),
    )
    with atomic_write(out / "card.md") as file:
        file.write(card(outcome, f"{method.name}, fine-tuned"))
    record = {
        key: getattr(outcome, key)
        for key in ("score", "margin", "before", "after", "test_before", "test_after", "better")
    }
    write_json(out / "results.json", {**record, "facts": facts, "use": outcome.use}, indent=1)
    return outcome


def _facts(
    method: Method,
    settings: FinetuneSettings,
    people: dict[str, tuple[int, int]],
    parts: dict[str, Labels],
    command: str,
) -> dict[str, str]:
    counts = {name: f"{pictures} pictures, {count} people" for name, (pictures, count) in people.items()}
    return {
        "command": f"`{command}`",
        "config": f"`{method.config}`",
        "start": f"`{method.weights}`",
        "trained on": counts["train"],
        "held out": counts["held_out"],
        **({"test file": counts["test"]} if "test" in counts else {}),
        "labelled": ", ".join(parts["train"].known) or "boxes",
        "training": f"{settings.iterations} steps of {settings.batch} examples, learning rate {settings.lr:g}",
        "seed": str(settings.seed),
    }


def _listed(rows: Rows) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in rows.items())
