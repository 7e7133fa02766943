"""What keeps the services alive beside their user does not outlive them."""

import threading
from pathlib import Path

from config.embedded import EmbeddedServices


def test_what_is_being_stopped_is_not_started_again(tmp_path: Path) -> None:
    services = EmbeddedServices(tmp_path, durable=False)
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.is_set():
            services.revive()

    with services.using():
        watching = threading.Thread(target=watch)
        watching.start()
    stopped.set()
    watching.join()
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()
    assert not (tmp_path / "run" / "redis.sock").exists()
    assert services.revive() is False
