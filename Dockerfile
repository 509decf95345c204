# Two stages: what builds stays behind. The base image may come from elsewhere: --build-arg PYTHON=mirror/python:3.13-slim
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS build
WORKDIR /build
COPY requirements.txt requirements-build.txt ./
# The application's environment has the locked packages and nothing else; what builds the wheel has its own.
RUN python -m venv --without-pip /venv \
 && python -m venv /build/tools \
 && tools/bin/pip --python /venv install --no-cache-dir --only-binary=:all: --require-hashes -r requirements.txt \
 && tools/bin/pip install --no-cache-dir --only-binary=:all: --require-hashes -r requirements-build.txt
COPY pyproject.toml README.md config.example.yaml ./
COPY exporter exporter
RUN tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && tools/bin/pip --python /venv install --no-cache-dir --no-deps --no-index dist/*.whl

FROM ${PYTHON}
COPY --from=build /venv /venv
# Numeric, so that Kubernetes' runAsNonRoot can see that it is not root.
RUN install -d -o 10421 -g 10421 /data
USER 10421:10421
# Nothing is written outside /data: run it with --read-only.
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /data
VOLUME /data
EXPOSE 10421
# -I: nothing is imported from the working directory. Without proxies: a proxy of the environment cannot reach loopback.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-I", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:10421/-/healthy', timeout=4)"]
ENTRYPOINT ["statuscode-exporter"]
CMD ["serve", "--config.file=/etc/statuscode-exporter/config.yaml"]
