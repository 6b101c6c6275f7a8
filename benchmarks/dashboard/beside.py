"""What a study loses while three browsers look on: pairs of windows, with and without them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from benchmarks.dashboard.growing import add_runs
from benchmarks.dashboard.served import weighbridge
from benchmarks.report_database import MTL, make
from benchmarks.storage_driver import Driver
from storage import Storage

_RUNS, _EPOCHS_PER_S, _WINDOW_S = 1_000, 1_000, 8
_PAGES = ("/study/1", "/study/1/trials", "/study/1/workers")


def lost(folder: Path, browser: Browser, *, pairs: int) -> tuple[list[float], list[float]]:
    """Shares of throughput and of processor time that each pair of windows lost, in percent."""
    path = folder / "beside.db"
    make(path, MTL, n_runs=2_000, n_epochs=20)
    url = f"sqlite:///{path}"
    storage = Storage(url)
    add_runs(storage, _RUNS, epochs=10**6)
    storage.close()
    with ExitStack() as stack:
        served = stack.enter_context(weighbridge(url))
        writer = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.dashboard.beside", url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        _window(writer)  # caches are warm then
        throughput, processor = [], []
        for number in range(pairs):
            found = {}
            for looked_at in (True, False) if number % 2 else (False, True):
                with ExitStack() as looking:
                    for page in _PAGES if looked_at else ():
                        context = looking.enter_context(browser.new_context())
                        context.new_page().goto(served.url + page)
                    found[looked_at] = _window(writer)
                time.sleep(1.0)
            epochs, used_s = zip(found[False], found[True], strict=True)
            throughput.append(100 * (1 - epochs[1] / epochs[0]))
            processor.append(100 * (used_s[1] / used_s[0] - 1))
        assert writer.stdin is not None
        writer.stdin.close()
    return throughput, processor


def said(shares: Sequence[float]) -> str:
    """Median and spread."""
    return f"{median(shares):+.1f} % ({min(shares):+.1f} to {max(shares):+.1f})"


def _window(writer: subprocess.Popen[str]) -> tuple[float, float]:
    """Epochs a second that were written in a window, and processor seconds for a thousand."""
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write("\n")
    writer.stdin.flush()
    epochs, clock_s, processor_s = json.loads(writer.stdout.readline())
    return epochs / clock_s, 1e3 * processor_s / epochs


def _write(url: str) -> None:
    """On each line, record 1,000 epochs a second for a while, a batch a second as recorders do."""
    with Driver(url) as driver:
        claims, epoch = driver.claim(_RUNS), 0
        for _ in sys.stdin:
            began, used_s = time.perf_counter(), time.process_time()
            for second in range(1, _WINDOW_S + 1):
                epoch += 1
                for start in range(0, _RUNS, _EPOCHS_PER_S // 4):
                    driver.record_epochs(claims[start : start + _EPOCHS_PER_S // 4], epoch)
                time.sleep(max(0.0, began + second - time.perf_counter()))
            clock_s = time.perf_counter() - began
            told = _WINDOW_S * _EPOCHS_PER_S, clock_s, time.process_time() - used_s
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    _write(sys.argv[1])
