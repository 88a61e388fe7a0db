// Keeps a conversation up to date, what is being written in its place, and the focus where it was.
// Without it the page works by hand: a link looks for messages, buttons send.
"use strict";

const messages = document.getElementById("messages");
const log = document.querySelector(".log");
const write = document.getElementById("write");
const text = document.getElementById("text");
const newest = document.getElementById("newest");
const state = document.getElementById("state");
const draft = "draft of " + location.pathname;
const LONGEST_WAIT = 20; // seconds that the sandbox may wait for something new
const PAUSE = 2000; // milliseconds before it is asked again after it didn't answer
let listening = null;

// Messages

async function listen() {
  const mine = (listening = new AbortController());
  let wait = 0; // at first only to see whether the sandbox answers
  while (!mine.signal.aborted) {
    try {
      await ask(mine.signal, wait);
      if (mine.signal.aborted) return;
      showState("Live", true);
      wait = LONGEST_WAIT;
    } catch {
      if (mine.signal.aborted) return;
      wait = 0;
      showState("The sandbox doesn't answer. Trying again …", false);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

async function ask(signal, wait) {
  const headers = { "If-None-Match": messages.dataset.seen, Prefer: "wait=" + wait };
  const answer = await fetch(messages.dataset.from, { headers, signal, cache: "no-store" });
  if (answer.status === 304) return;
  if (answer.status === 401) return lock();
  if (!answer.ok) throw new Error(answer.status);
  show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  messages.dataset.seen = answer.headers.get("ETag");
}

function show(fresh) {
  const isReadingEarlier = log.scrollTop < -80; // the log grows upwards: zero is its lower end
  const added = ["talk", "answers"].map((id) => renew(document.getElementById(id), fresh.getElementById(id)));
  if (isReadingEarlier) newest.hidden = newest.hidden && !added[0];
  else log.scrollTop = 0;
  if (document.activeElement === document.body) text.focus({ preventScroll: true });
}

// Puts in what is new and takes out what is gone; what stayed the same isn't touched, whatever was typed into it.
function renew(old, fresh) {
  let added = 0;
  for (const item of [...old.children]) if (!within(fresh, item.id)) item.remove();
  [...fresh.children].forEach((item, place) => {
    const present = within(old, item.id);
    if (present && present.isEqualNode(item)) return;
    if (present) return present.replaceWith(item);
    old.insertBefore(item, old.children[place]);
    added += 1;
  });
  return added;
}

// Another sandbox answers here by now, with a token of its own: asking again would never help.
function lock() {
  listening.abort();
  showState("This sandbox was started again. Open the address that it printed.", false);
}

function within(parent, id) {
  return [...parent.children].find((item) => item.id === id);
}

function showState(words, isWell) {
  if (state.textContent !== words) state.textContent = words;
  state.className = isWell ? "well" : "unwell";
}

// Answers

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target, event.submitter));
  try {
    const answer = await fetch(event.target.action, { method: "POST", body, redirect: "manual" });
    if (answer.type !== "opaqueredirect") throw new Error(answer.status);
  } catch {
    showState("That wasn't sent; it is still here.", false);
    return;
  }
  if (event.target === write && text.value === body.get("text")) {
    text.value = "";
    sessionStorage.removeItem(draft);
  }
  log.scrollTop = 0;
  text.focus({ preventScroll: true });
});

text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (text.value.trim()) write.requestSubmit();
});

text.addEventListener("input", () => sessionStorage.setItem(draft, text.value));
if (!text.value) text.value = sessionStorage.getItem(draft) || "";

newest.addEventListener("click", () => {
  log.scrollTop = 0;
  text.focus({ preventScroll: true });
});
log.addEventListener("scroll", () => {
  if (log.scrollTop >= -8) newest.hidden = true;
});

// A page that nobody looks at keeps no connection open: a browser has six for one host.
document.addEventListener("visibilitychange", () => (document.hidden ? listening.abort() : listen()));
listen();
