# JambaTalk's page in a container (docs/hosting.md):
#   docker build -t jambatalk .
#   docker run --rm -p 7860:7860 jambatalk            then open http://localhost:7860
# With an NVIDIA GPU:
#   docker build -t jambatalk --build-arg TORCH=cuda .
#   docker run --rm -p 7860:7860 --gpus all jambatalk

# A tag can be moved, a digest cannot; this prints today's, for --build-arg BASE=python@sha256:...
#   docker buildx imagetools inspect python:3.11.14-slim-bookworm --format '{{.Manifest.Digest}}'
ARG BASE=python:3.11.14-slim-bookworm
FROM ${BASE}

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore

# The layers that change least come first. ffmpeg is Debian's, whose archive has its source.
COPY packages.txt /tmp/
RUN apt-get update \
    && xargs -a /tmp/packages.txt apt-get install -y --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --uid 1000 --create-home user
WORKDIR /home/user/jambatalk

# Which build of PyTorch: cpu from its own index, or cuda, PyPI's, for NVIDIA GPUs.
ARG TORCH=cpu
COPY requirements.txt requirements.lock torch.lock ./
RUN if [ "$TORCH" = cpu ]; then \
        pip install --no-deps --index-url https://download.pytorch.org/whl/cpu \
            "$(grep '^torch==' requirements.txt)"; \
    else \
        pip install --require-hashes --no-deps -r torch.lock; \
    fi \
    && pip install --require-hashes --no-deps -r requirements.lock \
    && rm "$(python -c 'import imageio_ffmpeg as f; print(f.get_ffmpeg_exe())')"

# The program is root's: who takes the page over cannot change it.
COPY . .
RUN pip install --no-deps --editable . && python -m compileall -q jambatalk

USER 1000
# All that is written lies below TMPDIR, so the root file system may be read-only.
ENV IMAGEIO_FFMPEG_EXE=/usr/bin/ffmpeg \
    JAMBATALK_HOST=0.0.0.0 \
    NUMBA_CACHE_DIR=/tmp/numba \
    GRADIO_ANALYTICS_ENABLED=False \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/tmp
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:%s/healthz' % os.environ.get('JAMBATALK_PORT', 7860), timeout=9)"]
CMD ["python", "app.py"]
