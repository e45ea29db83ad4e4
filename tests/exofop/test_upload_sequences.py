"""Random sequences of plans, edits, confirmations, crashes and faults.

Whatever happens, ExoFOP holds each file and each form once at most, and what the ledger says
is there is there.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accretor.core.errors import ServiceError, UploadError
from accretor.sending.ledger import Ledger, State
from tests.exofop.sending import everything, make, send, session

FAULTS = [
    "error_before",
    "error_after",
    "cut_before",
    "cut_after",
    "odd",
    "exists",
    "expire",
    "pending",
    "refused",
    "truncate",
    "hidden",
]
FINISH = 100.0
"""Seconds after which the server has finished whatever it was sent."""


class Killed(BaseException):
    """The process is gone."""


class Sequences(RuleBasedStateMachine):
    exofop = None

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.ledgers = [Ledger(self.folder / machine / "ledger.jsonl") for machine in ("a", "b")]
        self.last, self.clock, self.posted, self.version, self.is_spoiled = 0, 1.7e9, 0.0, 0, False
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(os, "fsync", lambda handle: None)  # no power is lost in these tests

    @initialize()
    def begin(self):
        self.exofop.set(reset=True)
        self.make()

    def make(self):
        self.plan = make(self.folder / "package", self.exofop.url, version=self.version, tails=("WCS.fits",))

    def pause(self, seconds):
        self.clock += seconds
        if seconds and self.clock >= self.posted + FINISH:
            self.exofop.set(flush=True)

    @rule()
    def edit(self):
        """The package is made again with other content."""
        self.version += 1
        self.is_spoiled = self.is_spoiled or any(
            "insert" in post["page"] for post in self.exofop.store()["posts"]
        )
        self.make()

    @rule(seconds=st.sampled_from([5.0, 90.0, 1000.0]))
    def wait(self, seconds):
        self.pause(seconds)

    @rule()
    def end_sessions(self):
        self.exofop.set(end_sessions=True)

    @rule()
    def lose_the_ledger(self):
        """The workspace is restored from a copy without it, on another day."""
        self.pause(1000.0)
        shutil.rmtree(self.ledgers[self.last].path.parent, ignore_errors=True)

    @rule(
        machine=st.integers(0, 1),
        faults=st.dictionaries(st.integers(1, 4), st.sampled_from(FAULTS), max_size=3),
        kill_at=st.one_of(st.none(), st.integers(1, 30)),
        is_torn=st.booleans(),
    )
    def upload(self, machine, faults, kill_at, is_torn):
        if machine != self.last:  # whoever goes to another machine takes some minutes
            self.pause(1000.0)
            self.last = machine
        self.is_spoiled = self.is_spoiled or "truncate" in faults.values()
        self.exofop.set(faults=[{"at": at, "kind": kind} for at, kind in faults.items()])
        try:
            self.run(kill_at, is_torn)
        except (Killed, UploadError, ServiceError):
            pass
        finally:
            self.exofop.set(faults=[])

    def run(self, kill_at=None, is_torn=False):
        ledger, visit = self.ledgers[self.last], session(self.exofop.url)
        events = iter(range(1, 1_000_000))
        write, post = ledger._write, visit.client.post

        def written(lines):
            if next(events) == kill_at:
                if is_torn:
                    ledger.path.parent.mkdir(parents=True, exist_ok=True)
                    with ledger.path.open("a") as file:
                        file.write(lines[0][: len(lines[0]) // 2])
                raise Killed
            write(lines)

        def posted(*arguments, **options):
            self.posted = self.clock
            if next(events) == kill_at:
                raise Killed
            answer = post(*arguments, **options)
            if next(events) == kill_at:
                raise Killed
            return answer

        ledger._write, visit.client.post = written, posted
        try:
            return send(
                self.plan,
                self.folder / "package",
                ledger,
                visit=visit,
                pause=self.pause,
                now=lambda: self.clock,
            )
        finally:
            ledger._write = write

    @invariant()
    def nothing_is_there_twice(self):
        if self.exofop and hasattr(self, "plan"):
            assert set(self.exofop.copies().values()) <= {1}

    @invariant()
    def what_is_confirmed_is_there(self):
        store = self.exofop.store()
        there = {(file["name"], file["sha256"]) for file in store["files"]}
        filters = {series["filter"] for series in store["series"]}
        for ledger in self.ledgers:
            for item, entry in ledger.latest().items():
                if entry.state is State.CONFIRMED:
                    assert (
                        (item.name, entry.sha256) in there if item.kind == "file" else item.filter in filters
                    )

    def teardown(self):
        try:
            if hasattr(self, "plan"):
                self.end()
        finally:
            self.patch.undo()
            shutil.rmtree(self.folder)

    def end(self):
        """Without further faults all of it gets there, unless a part had gone with other content."""
        self.pause(1000.0)
        try:
            self.run()
        except UploadError:
            assert self.is_spoiled
        else:
            assert self.exofop.copies() == everything(self.plan)
        self.nothing_is_there_twice()
        self.what_is_confirmed_is_there()


def run_sequences(exofop, number, steps):
    Sequences.exofop = exofop
    run_state_machine_as_test(
        Sequences,
        settings=settings(
            max_examples=number,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )


def test_nothing_is_uploaded_twice_or_claimed_falsely_in_random_sequences(exofop):
    run_sequences(exofop, number=25, steps=8)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_is_uploaded_twice_or_claimed_falsely_in_a_thousand_sequences(exofop):
    run_sequences(exofop, number=1200, steps=12)
