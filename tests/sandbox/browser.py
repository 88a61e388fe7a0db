"""A headless Chromium at the end of a pipe: the DevTools protocol with nothing but the standard library.

With ``--remote-debugging-pipe`` the browser reads commands from descriptor 3 and answers on descriptor 4, each a JSON
document that ends with a NUL.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from dataclasses import dataclass, field

DEADLINE = 30  # seconds
_SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_KEYS = {"Enter": (13, "\r"), "Tab": (9, ""), "Space": (32, " ")}


def executable() -> str | None:
    """Where a Chromium is, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@dataclass
class Tab:
    """One page of a browser, and what it has said since it was opened."""

    browser: Browser
    session: str
    context: str  # cookies and storage, shared with no other tab
    complaints: list[str] = field(default_factory=list)  # dialogs, errors and complaints about the policy

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def open(self, url, query=""):
        """Go to an address; a query is one that its page is expected to lose."""
        self.call("Page.navigate", url=url + query)
        self.until("document.readyState == 'complete' && location.href.startsWith(" + json.dumps(url) + ")")

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def until(self, expression):
        """Wait until something is true in the page, and return it."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            with contextlib.suppress(AssertionError):  # a page that is just being replaced
                if value := self.evaluate(expression):
                    return value
            self.browser.listen(0.02)
        raise AssertionError(f"never true: {expression}")

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def type(self, text):
        self.call("Input.insertText", text=text)

    def press(self, key, modifiers=0):
        code, text = _KEYS[key]
        options = {"key": " " if key == "Space" else key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, modifiers=modifiers, **options)
        self.call("Input.dispatchKeyEvent", type="keyUp", modifiers=modifiers, **options)

    def look_like(self, width, height, scale=1, *, dark=False, mobile=False):
        """Take a size in CSS pixels, and the colours of a person who likes it dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        features.append({"name": "prefers-reduced-motion", "value": "reduce"})
        self.call("Emulation.setEmulatedMedia", features=features)

    def picture(self):
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


class Browser:
    """A running Chromium with a fresh profile; use it as a context manager."""

    def __init__(self, folder, *switches):
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._answers, self._tabs = {}, {}
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        os.set_inheritable(self._write, False)
        command = [executable(), *_SWITCHES, *switches, f"--user-data-dir={folder}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "bash", *command],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError, AssertionError):
            self.call("Browser.close")
        try:
            self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(DEADLINE)
        os.close(self._write)
        os.close(self._read)

    def tab(self, *, scripts=True):
        """Open an empty page in a context of its own."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = self._tabs[session] = Tab(self, session, context)
        for domain in ("Page", "Runtime", "Log"):
            tab.call(f"{domain}.enable")
        if not scripts:
            tab.call("Emulation.setScriptExecutionDisabled", value=True)
        return tab

    def close_tabs(self):
        """Close every page, so that none goes on asking a server that has ended."""
        while self._tabs:
            self.call("Target.disposeBrowserContext", browserContextId=self._tabs.popitem()[1].context)

    def call(self, method, session=None, **parameters):
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        os.write(self._write, json.dumps(command).encode() + b"\0")
        deadline = time.monotonic() + DEADLINE
        while number not in self._answers:
            self.listen(max(0, deadline - time.monotonic()))
            assert time.monotonic() < deadline, f"no answer to {method}"
        answer = self._answers.pop(number)
        assert "error" not in answer, answer
        return answer["result"]

    def listen(self, seconds):
        """Take in what the browser says within some seconds."""
        if not select.select([self._read], [], [], seconds)[0]:
            return
        heard = os.read(self._read, 1 << 20)
        assert heard, "the browser has ended"
        *documents, self._buffer = (self._buffer + heard).split(b"\0")
        for document in map(json.loads, documents):
            if "id" in document:
                self._answers[document["id"]] = document
            else:
                self._note(document)

    def _note(self, event):
        tab, method = self._tabs.get(event.get("sessionId")), event["method"]
        if tab is None:
            return
        if method in {"Page.javascriptDialogOpening", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"}:
            tab.complaints.append(json.dumps(event["params"]))
        elif method == "Log.entryAdded":
            tab.complaints.append(event["params"]["entry"]["text"])
