"use strict";
/* Pages are whole without this script. With it they stay up to date, times go on, and commands can be copied. */

const status = document.getElementById("live");
const source = document.body.dataset.events;
const REFRESH_AT_MOST_EVERY = 2000; // ms: many rounds end in a second
const REFRESH_AT_LEAST_EVERY = 60000;

function say(words, isBad) {
  status.hidden = false;
  status.textContent = words;
  status.classList.toggle("bad", isBad);
}

/* Times. The same words as the server's. */

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const skew = { seconds: 0 }; // how much this clock is ahead of the server's

function inWords(seconds, isLong) {
  const whole = Math.max(0, Math.floor(seconds));
  const index = UNITS.findIndex(([size]) => whole >= size);
  if (index < 0) return "0 s";
  const [size, unit] = UNITS[index];
  const first = `${Math.floor(whole / size)} ${unit}`;
  const [lesser, lesserUnit] = UNITS[index + 1] || [1, ""];
  const rest = Math.floor((whole % size) / lesser);
  return isLong && lesserUnit && rest ? `${first} ${rest} ${lesserUnit}` : first;
}

function tick() {
  const now = Date.now() / 1000 - skew.seconds;
  for (const time of document.querySelectorAll("time[data-ago], time[data-for]")) {
    const seconds = now - Date.parse(time.dateTime) / 1000;
    const isAgo = "ago" in time.dataset;
    const words = isAgo ? `${inWords(seconds, false)} ago` : inWords(seconds, true);
    if (time.textContent !== words) time.textContent = words;
  }
}

/* What changed on the page is put in place of what was there; the rest, and where the reader is, stays. */

const was = new Map(); // by id: what the server said last, without times, which go on by themselves
const essence = (part) => part.innerHTML.replace(/(<time [^>]*>)[^<]*/g, "$1");
let refreshing = false;
let again = false;
let refreshed = 0;
let timer = 0;

function refreshSoon() {
  if (document.hidden) return;
  if (refreshing) {
    again = true;
  } else if (!timer) {
    timer = setTimeout(refresh, Math.max(50, refreshed + REFRESH_AT_MOST_EVERY - Date.now()));
  }
}

async function refresh() {
  timer = 0;
  refreshing = true;
  refreshed = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      readClock(answer);
      exchange(new DOMParser().parseFromString(await answer.text(), "text/html"));
      tick();
      if (listening?.readyState === EventSource.OPEN) say("live", false);
    }
  } catch {
    say("no connection: what you see is old", true);
  } finally {
    refreshing = false;
  }
  if (again) {
    again = false;
    refreshSoon();
  }
}

function readClock(answer) {
  const said = Date.parse(answer.headers.get("Date"));
  if (said && Math.abs(Date.now() - said) > 5000) skew.seconds = (Date.now() - said) / 1000;
}

function exchange(fresh) {
  document.title = fresh.title;
  const here = document.querySelectorAll("[data-live]");
  const there = new Map([...fresh.querySelectorAll("[data-live]")].map((part) => [part.id, part]));
  if (here.length !== there.size || [...here].some((part) => !there.has(part.id))) {
    document.getElementById("main").replaceWith(document.adoptNode(fresh.getElementById("main")));
    prepare();
    return;
  }
  for (const part of here) exchangePart(part, document.adoptNode(there.get(part.id)));
  prepare();
}

function exchangePart(old, fresh) {
  const now = essence(fresh);
  if (was.get(old.id) === now) return;
  was.set(old.id, now);
  const open = [...old.querySelectorAll("details[open][id]")].map((details) => details.id);
  const scrolled = [...old.querySelectorAll(".scroll")].map((part) => part.scrollLeft);
  const focus = old.contains(document.activeElement) ? selectorOf(document.activeElement) : "";
  old.replaceWith(fresh);
  for (const id of open) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  fresh.querySelectorAll(".scroll").forEach((part, index) => { part.scrollLeft = scrolled[index] || 0; });
  if (focus) fresh.querySelector(focus)?.focus({ preventScroll: true });
}

function selectorOf(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  for (const name of ["href", "data-copy", "aria-label"]) {
    const value = element.getAttribute(name);
    if (value) return `[${name}="${CSS.escape(value)}"]`;
  }
  const parent = element.parentElement;
  return parent && parent.id ? `#${CSS.escape(parent.id)} > ${element.localName}` : "";
}

/* Commands to copy. */

async function copy(button) {
  const text = document.getElementById(button.dataset.copy).textContent;
  let done = false;
  try {
    await navigator.clipboard.writeText(text); // only where the page came by HTTPS, or from this machine
    done = true;
  } catch {
    done = copiedByHand(button.dataset.copy);
  }
  button.textContent = done ? "Copied" : "Select it";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

function copiedByHand(id) {
  const selection = getSelection();
  selection.selectAllChildren(document.getElementById(id));
  return document.execCommand("copy");
}

/* A round now. */

async function check(form) {
  const told = form.querySelector("[role=status]");
  const button = form.querySelector("button");
  button.disabled = true;
  told.textContent = "asking …";
  try {
    const answer = await fetch(form.dataset.check, { method: "POST" });
    const wait = answer.headers.get("Retry-After");
    told.textContent = { 200: "done", 202: "it takes long; the page will follow", 429: `ask again in ${wait} s` }[answer.status]
      || `it did not work: ${answer.status}`;
    if (answer.ok) await refresh();
  } catch {
    told.textContent = "no connection";
  }
  button.disabled = false;
  button.focus();
}

/* Put to work. */

function prepare() {
  for (const pre of document.querySelectorAll(".runbook pre:not([id])")) makeCopyable(pre);
  for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

let serial = 0;

function makeCopyable(pre) {
  pre.id = `command-${++serial}`;
  pre.tabIndex = 0;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
  button.dataset.copy = pre.id;
  const around = Object.assign(document.createElement("div"), { className: "command" });
  pre.replaceWith(around);
  around.append(pre, button);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});
document.addEventListener("submit", (event) => {
  if (event.target.dataset.check) {
    event.preventDefault();
    check(event.target);
  }
});

let listening = null;

function listen() {
  if (!source || document.hidden || listening) return;
  listening = new EventSource(source);
  listening.onopen = () => { say("live", false); refreshSoon(); };
  listening.onerror = () => say("no connection: what you see is old", true);
  listening.addEventListener("incident", refreshSoon);
  listening.addEventListener("missed", refreshSoon);
  listening.addEventListener("round", (event) => {
    if (source.includes("?") || JSON.parse(event.data).changed) refreshSoon();
  });
}

/* A page that nobody sees holds no connection: a browser has six for one server. */
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    listening?.close();
    listening = null;
  } else {
    listen();
  }
});

for (const part of document.querySelectorAll("[data-live]")) was.set(part.id, essence(part));
prepare();
listen();
setInterval(tick, 1000);
if (source) setInterval(refreshSoon, REFRESH_AT_LEAST_EVERY);
