"""Builds the house, opens it, reloads it, and closes it. The one room that knows everybody."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiohttp import web

from exporter import config, garbage, rounds
from exporter.chronicle import Chronicle
from exporter.config import OPEN, Config, ConfigError, WebConfig
from exporter.gate import Gate
from exporter.grafana import Announcer
from exporter.health import Health
from exporter.incidents import Settings
from exporter.latest import Latest
from exporter.metrics import Metrics
from exporter.model import Combination, Probe, Round, Target
from exporter.probing.certificates import Judge
from exporter.probing.dial import tls_context
from exporter.probing.held import Held
from exporter.probing.resolve import Resolver
from exporter.schedule import Schedule
from exporter.store import Retention, Store
from exporter.web import Certificate, Events, Guard, House, application

logger = logging.getLogger(__name__)

_DRAIN_SECONDS = 15.0  # less than the 30 s that Kubernetes gives by default, more than a round takes
_LOOP_LAG_EVERY_SECONDS = 0.5
_CERTIFICATE_EVERY_SECONDS = 15.0
_MOST_LINES = 5  # of one round in the log


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        listen: (host, port) pairs; an empty host means all interfaces.
        external_url: under which people reach the pages, as said; empty: not said.
        pages_url: the same, or where it is not said, a guess.
        runbook_url: below which the runbooks are, for metrics and annotations.
        storage: the directory of the store; None: in memory.
        web_config_file: of users and of our certificate; None: plain HTTP for everybody.
    """

    config_file: Path
    listen: tuple[tuple[str, int], ...]
    external_url: str = ""
    pages_url: str = ""
    runbook_url: str = "/runbooks"
    storage: Path | None = None
    retention: Retention = field(default_factory=Retention)
    web_config_file: Path | None = None


class Exporter:
    """The daemon: rounds by schedule, their results to whoever reads them."""

    def __init__(self, options: Options, loaded: Config, web_config: WebConfig = OPEN) -> None:
        self._options = options
        self._config = loaded
        self._targets = _by_domain(loaded)
        self._complaints: tuple[str, ...] = ()
        self._started = False
        self._started_at = time.time()
        self._reloading = asyncio.Lock()
        self._web_config = web_config
        self._guard = Guard(web_config.users)
        self._certificate = None if web_config.tls is None else Certificate(web_config.tls)
        self.health = Health()
        self.health.found_at(options.pages_url, options.runbook_url)
        self.latest = Latest()
        self.metrics = Metrics(self.health, loaded.max_series, options.runbook_url)
        self.store = Store(options.storage, self.health, options.retention)
        self.chronicle = Chronicle(self.store, self.metrics.incidents, lambda: self._targets, time.time)
        self.announcer = Announcer(self.store, self.health, options.external_url)
        self.events = Events()
        self.chronicle.listeners += [self.announcer.wake, self.events.changed]
        self._schedule = Schedule(self._round, self.health)
        self._investigator = rounds.Investigator()
        self._remember_as_configured()
        judge = Judge()
        self._instruments = rounds.Instruments(
            self._targets, self.latest, Resolver(), judge, _gate(loaded, self.health), Held(judge)
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Probe and serve while inside; on leaving, let the rounds in flight end within a bound."""
        self.health.reloaded(ok=True, now=time.time())
        self.health.targets(len(self._targets))
        async with self.store.running(), self.announcer.running(), self._serving():
            watching = (self._watch_the_loop, self._watch_the_certificate, garbage.collect_in_pieces)
            watches = [asyncio.create_task(watch()) for watch in watching]
            self._schedule.start()
            self._schedule.update(self._targets)
            self._started = True
            try:
                yield
            finally:
                self._started = False
                for watch in watches:
                    watch.cancel()
                await self._schedule.stop(_DRAIN_SECONDS)
                await asyncio.gather(*watches, return_exceptions=True)
                self._instruments.held.keep(())
                await self._instruments.resolver.close()

    async def reload(self) -> tuple[str, ...]:
        """Take the file's new content. What is wrong with it, if anything: then all stays as it was."""
        async with self._reloading:
            try:
                loaded, web_config = await asyncio.to_thread(
                    load, self._options.config_file, self._options.web_config_file
                )
            except ConfigError as error:
                self._complaints = error.complaints
                self.health.reloaded(ok=False, now=time.time())
                for complaint in error.complaints:
                    logger.error("configuration not reloaded: %s", complaint)
                return error.complaints
            self._apply(loaded)
            self._guard.users = web_config.users
            self._follow_certificate()
            if web_config.tls != self._web_config.tls:
                logger.warning("web: tls_server_config has changed, which takes a restart")
            self._complaints = ()
            logger.info("configuration reloaded: %d domains", len(self._targets))
            return ()

    def _apply(self, loaded: Config) -> None:
        before, self._config, self._targets = self._targets, loaded, _by_domain(loaded)
        for domain in before.keys() - self._targets.keys():
            self.latest.forget(domain)
            self._investigator.forget(domain)
            self.metrics.forget(domain)
            self.chronicle.forget(domain)
        self._remember_as_configured()
        self.metrics.max_series = loaded.max_series
        tls_context.cache_clear()  # client certificates may have been renewed under the same name
        self._instruments.judge.forget()
        self._instruments.resolver.forget(frozenset(self._targets))
        self._instruments.held.keep(
            [domain for domain, target in self._targets.items() if before.get(domain) == target]
        )
        self._instruments = replace(self._instruments, targets=self._targets, gate=_gate(loaded, self.health))
        self._schedule.update(self._targets)
        self.health.reloaded(ok=True, now=time.time())
        self.health.targets(len(self._targets))

    async def _round(self, target: Target, turn: int) -> None:
        done = await rounds.run(target, turn, self._instruments, self._investigator)
        if self._targets.get(target.domain) != target:
            return  # a reload has removed or changed it meanwhile: what was seen is about a target that is no more
        before = self.latest.get(target.domain)
        self._log_change(before, done)
        self.latest.put(done)
        self.metrics.record(done)
        await self.chronicle.record(self.latest.get(target.domain) or done)  # without the bodies that show nothing
        self.events.finished(before, done)

    def _remember_as_configured(self) -> None:
        self.chronicle.settings = Settings(self._config.confirm_rounds, self._config.resolve_rounds)
        self.metrics.incidents.scrape_interval_seconds = self._config.scrape_interval_seconds
        self.announcer.configure(self._config.grafana)

    def _log_change(self, before: Round | None, now: Round) -> None:
        """Say what has become wrong since the last round, and that all is right again."""
        fine_before = {} if before is None else _expected(before)
        domain, wrong = now.target.domain, 0
        for observation, verdict in zip(now.observations, now.verdicts, strict=True):
            if not verdict.expected and fine_before.get(observation.probe, True):
                wrong += 1
                if wrong <= _MOST_LINES:
                    logger.warning("%s: %s", describe(observation.probe), verdict.reason)
        if wrong > _MOST_LINES:
            logger.warning("%s: and %d more probes went wrong in this round", domain, wrong - _MOST_LINES)
        if now.up and (before is None or not before.up):
            logger.info("%s answers as expected", domain)

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        house = House(
            latest=self.latest,
            metrics=self.metrics,
            health=self.health,
            store=self.store,
            chronicle=self.chronicle,
            events=self.events,
            targets=lambda: self._targets,
            ready=lambda: self._started,
            reload=self.reload,
            complaints=lambda: self._complaints,
            check=self._schedule.at_once,
            now=time.time,
            started_at=self._started_at,
            external_url=self._options.external_url,
        )
        runner = web.AppRunner(application(house, self._guard), access_log=None, handle_signals=False)
        await runner.setup()
        context = None if self._certificate is None else self._certificate.context
        try:
            for host, port in self._options.listen:
                await web.TCPSite(runner, host or None, port, ssl_context=context).start()
                logger.info("listening on %s:%d", host, port)
            yield
        finally:
            await runner.cleanup()

    def _follow_certificate(self) -> None:
        if self._certificate is not None:
            self._certificate.follow()

    async def _watch_the_certificate(self) -> None:
        """What renews certificates does not know whom to tell."""
        while True:
            await asyncio.sleep(_CERTIFICATE_EVERY_SECONDS)
            self._follow_certificate()

    async def _watch_the_loop(self) -> None:
        """How late the loop runs what is due: what a scrape or a probe waits for without any fault of its own."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LOOP_LAG_EVERY_SECONDS
            await asyncio.sleep(_LOOP_LAG_EVERY_SECONDS)
            self.health.loop_lag(max(0.0, loop.time() - due))


def _expected(done: Round) -> dict[Probe, bool]:
    pairs = zip(done.observations, done.verdicts, strict=True)
    return {observation.probe: verdict.expected for observation, verdict in pairs}


def describe(probe: Probe) -> str:
    """What was asked, in a line: for logs."""
    how = {
        Combination.MATCHED: "",
        Combination.NO_SNI: " without SNI",
        Combination.OTHER_SNI: f" by SNI {probe.sni}",
        Combination.COALESCED: f" on the connection of {probe.sni}",
        Combination.UNKNOWN_HOST: f" asked for {probe.host}",
        Combination.HELD: " on its held connection",
        Combination.ALTERNATIVE: " as advertised",
    }
    return f"{probe.domain} at {probe.place or 'no address'} over {probe.protocol}{how[probe.combination]}"


def _by_domain(loaded: Config) -> dict[str, Target]:
    return {target.domain: target for target in loaded.targets}


def _gate(loaded: Config, health: Health) -> Gate:
    return Gate(loaded.max_in_flight, loaded.max_in_flight_per_address, health)


def load(config_file: Path, web_config_file: Path | None) -> tuple[Config, WebConfig]:
    """Both files; raises ConfigError with all that is wrong with either."""
    complaints: list[str] = []
    loaded, web_config = None, OPEN
    try:
        loaded = config.load(config_file, os.environ)
    except ConfigError as error:
        complaints += error.complaints
    try:
        web_config = config.load_web(web_config_file) if web_config_file is not None else web_config
    except ConfigError as error:
        complaints += error.complaints
    if loaded is None or complaints:
        raise ConfigError(complaints)
    return loaded, web_config


async def serve(options: Options, loaded: Config, web_config: WebConfig = OPEN) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP reloads. Raises OSError where an address cannot be listened on."""
    exporter = Exporter(options, loaded, web_config)
    garbage.calm()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    reloads: set[asyncio.Task[Sequence[str]]] = set()

    def reload() -> None:
        task = loop.create_task(exporter.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    async with exporter.running():
        await stop.wait()
        logger.info("stopping: letting rounds in flight end")
