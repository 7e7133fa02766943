"""Connections that stay open are shared out among gunicorn's processes."""

import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

APPLICATION = """
import os

def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "8")])
    return [b"%08d" % os.getpid()]
"""


def answered_by(path: Path) -> tuple[socket.socket, bytes]:
    """The connection, which is kept open, and whose process answers it."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while b"\r\n\r\n" not in answer or len(answer.partition(b"\r\n\r\n")[2]) < 8:
        answer += connection.recv(1_000)
    return connection, answer[-8:]


def test_no_process_answers_everybody(tmp_path: Path) -> None:
    (tmp_path / "who_answers.py").write_text(APPLICATION)
    # A socket's name may not be as long as pytest's folders are.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        options = [f"--bind=unix:{path}", f"--pythonpath={tmp_path}", "--workers=3", "--threads=2"]
        options += ["--worker-class=config.fair_worker.FairWorker", "--keep-alive=60"]
        command = [sys.executable, "-m", "gunicorn", "who_answers:application", *options]
        with subprocess.Popen([*command, "--no-control-socket"]) as gunicorn:
            try:
                while not path.exists():
                    time.sleep(0.02)
                opened = [answered_by(path)]
                while len({process for _connection, process in opened}) < 3:
                    assert len(opened) < 200, "not all of them take some"
                    time.sleep(0.02)
                    opened.append(answered_by(path))
                opened += [answered_by(path) for _ in range(18)]
                shares = Counter(process for _connection, process in opened[-18:])
                for connection, _process in opened:
                    connection.close()
            finally:
                gunicorn.terminate()
    assert max(shares.values()) <= 12, shares
