# One image for web, worker, beat and the migrate step; docker-compose.yml says which does what.
FROM python:3.11-slim-bookworm AS packages
COPY requirements.txt .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.txt

FROM python:3.11-slim-bookworm
# WeasyPrint's system libraries; everything else comes as wheels.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home registry \
    && install --directory --owner registry --group registry --mode 0700 /state /keys
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    STATE_DIR=/state \
    KEYS_DIR=/keys \
    STATIC_ROOT=/app/staticfiles \
    COMPRESS_STATIC=true
# DEMO only lets the settings load without secrets; nothing of it stays in the image.
RUN DEMO=true STATE_DIR=/tmp/build python manage.py collectstatic --no-input \
    && rm -rf /tmp/build \
    && python -m compileall -q /app
USER registry
EXPOSE 8000
# --worker-tmp-dir: gunicorn's sign of life must not wait for a disk.
CMD ["gunicorn", "revops_registry.wsgi:application", "--bind", "0.0.0.0:8000", \
     "--workers", "2", "--threads", "4", "--timeout", "60", "--worker-tmp-dir", "/dev/shm", \
     "--access-logfile", "-"]
