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

from config.embedded import EmbeddedServices, database_url, redis_url

# The database of the private server that nothing but the copies for the testers is made of.
TEMPLATE = "segue"


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
        collect = [sys.executable, "-m", "pytest", "--collect-only", "-qq", *config.args]
        compiling = subprocess.Popen(collect, cwd=here, stdout=subprocess.DEVNULL)
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(migrate, cwd=here, check=True)
        compiling.wait()
        os.environ["SEGUE_TEST_TEMPLATE"] = TEMPLATE


def let_python_keep_what_it_compiled() -> None:
    """Images often tell it not to; the tests start it a hundred times."""
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_finish() -> None:
    """What is loaded now stays: not looked through again and again for what may go."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_unconfigure() -> None:
    gc.unfreeze()


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

let_python_keep_what_it_compiled()
set_test_environment()
if PRIVATE:
    start_private_services()
if "PYTEST_XDIST_WORKER" in os.environ:
    take_a_redis_database_of_its_own(os.environ["PYTEST_XDIST_WORKER"])
