"""The supervisor with workers that do as the test says. Each scenario is a process of its own, because it forks."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.e2e.gateway_process import python_path

PRELUDE = """
import logging, os, pathlib, signal, sys, threading, time
from adapters.outbound.system.clock import SystemClock
from bootstrap.supervisor import Supervisor
from bootstrap.worker import Worker

logging.basicConfig(stream=sys.stdout, format="log: %(message)s", level=logging.INFO)

def say(text):
    os.write(1, f"{text}\\n".encode())

def supervise(work, count=2, grace_us=5_000_000):
    supervisor = Supervisor(work, count, SystemClock(), grace_us, lambda: say("ready"), lambda: say("end"))
    status = supervisor.run()
    say(f"status {status}")
    sys.exit(status)

def told_to_end(worker, ask_for_it=False):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    worker.tell_ready()
    if ask_for_it:
        os.kill(os.getppid(), signal.SIGTERM)
    signal.sigwait([signal.SIGTERM])
"""


def outcome(body: str, folder: Path) -> tuple[int, list[str]]:
    """Status and lines of a process that runs `body` after the prelude; `seen` is a folder of its own."""
    script = f"{PRELUDE}\nseen = pathlib.Path({str(folder)!r})\n{textwrap.dedent(body)}"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": python_path()},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_all_workers_run_until_the_end_and_the_status_is_theirs(tmp_path: Path) -> None:
    status, lines = outcome(
        """
        def work(worker):
            (seen / str(worker.index)).touch()
            while worker.index == 2 and len(list(seen.iterdir())) < 3:
                time.sleep(0.01)
            told_to_end(worker, ask_for_it=worker.index == 2)
            return 0

        supervise(work, count=3)
        """,
        tmp_path,
    )

    assert status == 0
    assert [line for line in lines if "log:" not in line] == ["ready", "end", "status 0"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("ending", "status", "told"),
    [
        ("return 2", 2, "ended with status 2 before it could serve"),
        ("raise OSError('no disk')", 1, "ended with status 1 before it could serve"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 1, "was ended by SIGKILL before it could serve"),
    ],
)
def test_what_keeps_a_worker_from_serving_is_said_once_and_ends_it_all(
    tmp_path: Path, ending: str, status: int, told: str
) -> None:
    code, lines = outcome(
        f"""
        def work(worker):
            (seen / str(os.getpid())).touch()
            {ending}

        supervise(work, count=4)
        """,
        tmp_path,
    )

    assert code == status
    assert len(list(tmp_path.iterdir())) == 1
    assert [line for line in lines if "before it could serve" in line] == [line for line in lines if told in line]
    assert len([line for line in lines if told in line]) == 1
    assert "ready" not in lines


def test_worker_that_keeps_dying_is_restarted_after_ever_longer_pauses(tmp_path: Path) -> None:
    status, lines = outcome(
        """
        def work(worker):
            if worker.index == 0:
                told_to_end(worker)
                return 0
            (seen / str(os.getpid())).touch()
            if len(list(seen.iterdir())) < 4:
                return 7
            told_to_end(worker, ask_for_it=True)
            return 0

        supervise(work)
        """,
        tmp_path,
    )

    pauses = [line.rpartition("starts in ")[2] for line in lines if "ended with status 7" in line]
    assert pauses == ["0.1 s", "0.2 s", "0.4 s"]
    assert status == 0


def test_worker_that_does_not_end_in_time_is_killed_and_the_status_says_so(tmp_path: Path) -> None:
    status, lines = outcome(
        """
        def work(worker):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            worker.tell_ready()
            os.kill(os.getppid(), signal.SIGTERM)
            while True:
                signal.pause()

        supervise(work, count=1, grace_us=200_000)
        """,
        tmp_path,
    )

    assert status == 1
    assert [line for line in lines if "does not end: killed" in line] != []


def test_worker_that_fails_while_it_ends_shows_in_the_status(tmp_path: Path) -> None:
    status, lines = outcome(
        """
        def work(worker):
            told_to_end(worker, ask_for_it=True)
            return 3

        supervise(work, count=1)
        """,
        tmp_path,
    )

    assert status == 1
    assert any("ended with status 3" in line for line in lines)


def test_end_before_any_worker_serves_is_no_failure(tmp_path: Path) -> None:
    status, lines = outcome(
        """
        def work(worker):
            os.kill(os.getppid(), signal.SIGINT)
            while True:
                signal.pause()

        supervise(work)
        """,
        tmp_path,
    )

    assert (status, "ready" in lines) == (0, False)


def test_workers_do_not_hear_what_a_terminal_tells_the_whole_group(tmp_path: Path) -> None:
    status, lines = outcome(
        """
        def work(worker):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGHUP)
            say("alive")
            told_to_end(worker, ask_for_it=True)
            return 0

        supervise(work, count=1)
        """,
        tmp_path,
    )

    assert status == 0
    assert "alive" in lines


def test_whoever_cares_is_told_which_worker_has_ended(tmp_path: Path) -> None:
    status, lines = outcome(
        """
        def work(worker):
            if worker.index == 0:
                told_to_end(worker)
                return 0
            if not list(seen.iterdir()):
                (seen / "once").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            told_to_end(worker, ask_for_it=True)
            return 0

        gone = []
        supervisor = Supervisor(work, 2, SystemClock(), 5_000_000, lambda: None, lambda: None, gone.append)
        supervisor.run()
        say(f"gone {gone[0]} {sorted(gone)}")
        """,
        tmp_path,
    )

    assert status == 0
    assert lines[-1] == "gone 1 [0, 1, 1]"


RELOADING = """
from bootstrap.worker import RELOAD

def supervise_reloading(work, answers, count=2):
    def on_reload():
        say("asked")
        return answers.pop(0)

    told = (lambda: say("ready"), lambda: say("end"))
    sys.exit(Supervisor(work, count, SystemClock(), 5_000_000, *told, on_reload=on_reload).run())
"""


def test_reload_is_told_to_every_worker_once_the_supervisor_has_found_it_good(tmp_path: Path) -> None:
    status, lines = outcome(
        RELOADING
        + textwrap.dedent(
            """
        def work(worker):
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, RELOAD])
            worker.tell_ready()
            (seen / str(worker.index)).touch()
            while len(list(seen.iterdir())) < 2:
                time.sleep(0.01)
            if worker.index == 1:
                worker.ask_reload()
            signal.sigwait([RELOAD])
            say("reloaded")
            (seen / f"done-{worker.index}").touch()
            while len(list(seen.glob("done-*"))) < 2:
                time.sleep(0.01)
            os.kill(os.getppid(), signal.SIGTERM)
            signal.sigwait([signal.SIGTERM])
            return 0

        supervise_reloading(work, [True])
        """
        ),
        tmp_path,
    )

    assert status == 0
    assert (lines.count("asked"), lines.count("reloaded")) == (1, 2)


def test_worker_that_was_forked_before_a_reload_and_serves_after_it_is_told_then(tmp_path: Path) -> None:
    status, lines = outcome(
        RELOADING
        + textwrap.dedent(
            """
        def work(worker):
            worker.ask_reload()
            while not (seen / "asked").exists():
                time.sleep(0.01)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, RELOAD])
            worker.tell_ready()
            signal.sigwait([RELOAD])
            say("reloaded")
            os.kill(os.getppid(), signal.SIGTERM)
            signal.sigwait([signal.SIGTERM])
            return 0

        class Answers(list):
            def pop(self, place):
                threading.Timer(0.2, (seen / "asked").touch).start()
                return True

        supervise_reloading(work, Answers(), count=1)
        """
        ),
        tmp_path,
    )

    assert (status, lines.count("reloaded")) == (0, 1)


def test_reload_that_the_supervisor_refuses_is_told_to_nobody(tmp_path: Path) -> None:
    status, lines = outcome(
        RELOADING
        + textwrap.dedent(
            """
        def work(worker):
            signal.signal(RELOAD, lambda *_: say("told"))
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            worker.tell_ready()
            worker.ask_reload()
            os.kill(os.getppid(), signal.SIGTERM)
            signal.sigwait([signal.SIGTERM])
            return 0

        supervise_reloading(work, [False], count=1)
        """
        ),
        tmp_path,
    )

    assert status == 0
    assert "told" not in lines


def test_supervisor_whose_log_nobody_reads_replaces_workers_and_ends(tmp_path: Path) -> None:
    status, lines = outcome(
        """
        from adapters.outbound.telemetry.log import configure_logging
        from domain.redaction import Redactor
        from tests.unit.telemetry.pipes import pipe

        def work(worker):
            if not list(seen.iterdir()):
                worker.tell_ready()
                (seen / "once").touch()
                return 7
            told_to_end(worker, ask_for_it=True)
            return 0

        with pipe() as full:
            os.dup2(full.stream.fileno(), 2)
            full.fill()
            configure_logging("info", "json", Redactor())
            supervise(work, count=1)
        """,
        tmp_path,
    )

    assert (status, lines) == (0, ["ready", "end", "status 0"])
