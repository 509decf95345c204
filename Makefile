# Two commands: `make run` (a demo of everything) and `make test` (everything is checked).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Programs that the tests put on loopback: <program>=<Debian package>; a path may hold a pattern instead of a version.
SERVERS := nginx=nginx apache2=apache2 prometheus=prometheus promtool=prometheus openssl=openssl curl=curl \
    haproxy=haproxy caddy=caddy h2o=h2o nghttpd=nghttp2-server nghttp=nghttp2-client varnishd=varnish hitch=hitch \
    /usr/share/jetty9/bin/jetty.sh=jetty9 /usr/share/tomcat10/bin/catalina.sh=tomcat10-common /usr/sbin/php-fpm[0-9]*=php-fpm \
    chromium=chromium firefox-esr=firefox-esr certutil=libnss3-tools \
    prometheus-alertmanager=prometheus-alertmanager amtool=prometheus-alertmanager node=nodejs npm=npm \
    docker-compose=docker-compose
PEERS   := prometheus-blackbox-exporter=prometheus-blackbox-exporter
PAINTER := chromium=chromium pngquant=pngquant

.PHONY: run test check bench accuracy dashboards pictures look lock servers clean

run: $(VENV)/.run
	$(BIN)/statuscode-exporter demo --config.file=config.example.yaml

# `make test` prepares the machine as far as it may, then checks everything.
test: servers
	@$(MAKE) --no-print-directory check

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

bench: $(VENV)/.dev
	@sh scripts/install-servers $(SERVERS)
	@sh scripts/install-servers $(PEERS)
	$(BIN)/python -m benchmarks

# The causes that the exporter names for servers set up wrongly, beside the truth.
accuracy: $(VENV)/.dev servers
	$(BIN)/python -m tests.lab

# Dashboards and alert rules, anew from their source.
dashboards: $(VENV)/.dev
	$(BIN)/python -m dashboards.build

# README's pictures of the exporter's pages, anew from the laboratory.
pictures: $(VENV)/.dev
	@sh scripts/install-servers $(PAINTER)
	$(BIN)/python -m tests.real.pictures

# The dashboards in a Grafana that runs, seen and walked through by a browser, and their pictures.
GRAFANA ?= http://localhost:3000
OUT     ?= build/screenshots
look: $(VENV)/.dev
	@sh scripts/install-servers chromium=chromium
	$(BIN)/python -m tests.dashboards.look $(GRAFANA) --output=$(OUT)

servers:
	@sh scripts/install-servers $(SERVERS)

# Exact versions with hashes, for all supported Pythons and platforms at once.
lock: $(VENV)/.dev
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --upgrade \
	    pyproject.toml --extra h3 -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --upgrade \
	    pyproject.toml --extra h3 --group build --group test -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --upgrade \
	    --group build -o requirements-build.txt

$(VENV)/bin/python:
	@sh scripts/make-venv $(PYTHON) $(VENV)

$(VENV)/.run: $(VENV)/bin/python requirements.txt requirements-build.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-build.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements-dev.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) data .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
