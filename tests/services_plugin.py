"""Gives a test session PostgreSQL and Redis of its own, before Django's settings are read.

Loaded by `-p tests.services_plugin`. With `DATABASE_URL` and `REDIS_URL` set, the tests use those
servers instead.
"""

import atexit
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

from config.embedded import EmbeddedServices, database_url, redis_url

# The database of the private server that nothing but the copies for the testers is made of.
TEMPLATE = "segue"
# Looking for circles takes a third of the time, and memory there is enough of.
MIGRATE = "import gc, manage; gc.disable(); manage.main()"


def start_private_services() -> None:
    data = Path(tempfile.mkdtemp(prefix="segue-test-"))
    stack = ExitStack()
    stack.callback(shutil.rmtree, data, ignore_errors=True)
    atexit.register(stack.close)
    stack.enter_context(EmbeddedServices(data, durable=False).using())
    os.environ["DATABASE_URL"] = database_url(data)
    os.environ["REDIS_URL"] = redis_url(data)
    os.environ["SEGUE_DATA_DIR"] = str(data)


def take_a_redis_database_of_its_own(worker: str) -> None:
    os.environ["REDIS_URL"] += f"?db={int(worker.removeprefix('gw')) + 1}"


def pytest_configure(config: pytest.Config) -> None:
    """Does once what the testers beside each other then take over: each takes seconds for it.

    They copy the database that is migrated here, and read the tests as they are compiled here.
    """
    if getattr(config.option, "numprocesses", None) and PRIVATE:
        here = Path(__file__).resolve().parent.parent
        migrate = [sys.executable, "-c", MIGRATE, "migrate", "--verbosity=0", "--skip-checks"]
        migrating = subprocess.Popen(migrate, cwd=here)
        os.environ["SEGUE_TEST_TEMPLATE"] = TEMPLATE
        config.pluginmanager.register(MigratedBeforeTests(migrating))
        compile_tests(config, here / "tests")


class MigratedBeforeTests:
    """The database is migrated while the testers look for tests."""

    def __init__(self, migrating: subprocess.Popen[bytes]) -> None:
        self.migrating = migrating

    def pytest_xdist_node_collection_finished(self) -> None:
        if self.migrating.wait():
            pytest.exit("The tests' database can't be migrated.", returncode=1)


def compile_tests(config: pytest.Config, folder: Path) -> None:
    """As pytest would when it imports them, which it would in every tester."""
    state = config.stash[rewrite.assertstate_key]

    def compile_one(path: Path) -> None:
        cache = rewrite.get_cache_dir(path)
        compiled = cache / (path.stem + rewrite.PYC_TAIL)
        if rewrite._read_pyc(path, compiled) is None and rewrite.try_makedirs(cache):
            source_hash, code = rewrite._rewrite_test(path, config)
            rewrite._write_pyc(state, code, source_hash, compiled)

    tests = sorted(folder.rglob("test_*.py"))
    cores = os.cpu_count() or 1
    compiling = []
    for core in range(cores):
        child = os.fork()
        if child == 0:
            # What can't be compiled is told by whoever imports it.
            try:
                for path in tests[core::cores]:
                    compile_one(path)
            finally:
                os._exit(0)
        compiling.append(child)
    for child in compiling:
        os.waitpid(child, 0)


def let_python_keep_what_it_compiled() -> None:
    """Images often tell it not to; the tests start it a hundred times."""
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_finish() -> None:
    """What is loaded now stays: not looked through for what may go, now or ever."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_unconfigure() -> None:
    atexit.register(end_at_once if "PYTEST_XDIST_WORKER" in os.environ else gc.unfreeze)


def end_at_once() -> None:
    """A tester's end: that what it was made of is taken apart is of use to nobody, and takes it
    seconds. What is to be done at its end, is done.
    """
    atexit.unregister(end_at_once)
    atexit._run_exitfuncs()
    os._exit(0)


def set_test_environment() -> None:
    os.environ["SECRET_KEY"] = "only-for-tests-" * 5
    os.environ["TOKEN_ENCRYPTION_KEYS"] = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="
    os.environ["CONSTANT_CONTACT_CLIENT_ID"] = "segue-sandbox"
    os.environ["CONSTANT_CONTACT_CLIENT_SECRET"] = "segue-sandbox-secret"
    # Nothing in a test may reach the real Constant Contact.
    os.environ["CONSTANT_CONTACT_AUTH_URL"] = "http://127.0.0.1:9/oauth2/default"
    os.environ["CONSTANT_CONTACT_API_URL"] = "http://127.0.0.1:9/v3"
    os.environ["BASE_URL"] = "http://testserver"
    os.environ["DEBUG"] = "false"


PRIVATE = "DATABASE_URL" not in os.environ

# Hardly anything that is loaded goes again.
gc.disable()
let_python_keep_what_it_compiled()
set_test_environment()
if PRIVATE:
    start_private_services()
if "PYTEST_XDIST_WORKER" in os.environ:
    take_a_redis_database_of_its_own(os.environ["PYTEST_XDIST_WORKER"])
