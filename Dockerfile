# JambaTalk's page in a container:
#   docker build -t jambatalk .
#   docker run --rm -p 7860:7860 jambatalk            then open http://localhost:7860
# With an NVIDIA GPU:
#   docker build -t jambatalk --build-arg TORCH=cu130 .
#   docker run --rm -p 7860:7860 --gpus all jambatalk
FROM python:3.11-slim-bookworm

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore

# The layers that change least come first.
COPY packages.txt /tmp/
RUN apt-get update \
    && xargs -a /tmp/packages.txt apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1000 user && install -d -o user -g user /home/user/jambatalk
WORKDIR /home/user/jambatalk

# Which build of PyTorch: cpu, or cu126, cu130, cu132 for NVIDIA GPUs.
ARG TORCH=cpu
COPY requirements.txt ./
RUN pip install --no-deps --index-url "https://download.pytorch.org/whl/${TORCH}" \
        "$(grep '^torch==' requirements.txt)" \
    && pip install -r requirements.txt

COPY --chown=user:user . .
RUN pip install --no-deps --editable .

USER 1000
ENV JAMBATALK_HOST=0.0.0.0 \
    GRADIO_ANALYTICS_ENABLED=False \
    PYTHONUNBUFFERED=1
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=9)"]
CMD ["python", "app.py"]
