"""The soak of `make soak`, in its quick form: each fault once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and limits of file sizes are of POSIX")
def test_each_fault_once(checkout: Path):
    environment = {**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{TESTS}"}
    command = [sys.executable, "-m", "soak", "--rounds", "8", "--kills", "3", "--losses", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "laws broken: 0" in done.stdout
    assert done.stdout.count(" 1 ") >= 7
