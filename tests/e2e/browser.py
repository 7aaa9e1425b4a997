"""Headless Chromium, and looking at a page until it shows something."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

_OPTIONS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
--disable-background-networking --disable-component-update --window-size=2200,1300
"""


class Browser:
    """One window; what it saw is kept as pictures."""

    def __init__(self, driver: webdriver.Chrome, pictures: Path) -> None:
        self.driver, self.pictures = driver, pictures

    def open(self, address: str) -> None:
        self.driver.get(address)

    def text(self) -> str:
        try:
            return self.driver.find_element(By.TAG_NAME, "body").text
        except StaleElementReferenceException:  # it was drawn anew in between
            return ""

    def see(self, *words: str, timeout_s: float = 120) -> None:
        """Wait until the page shows all of these."""
        print(f"  waiting for the page to show {', '.join(words)} ...", end="", flush=True)
        started = time.monotonic()
        while missing := [word for word in words if word not in self.text()]:
            if time.monotonic() - started > timeout_s:
                self.picture("missing")
                raise AssertionError(
                    f"{self.driver.current_url} does not show {missing} after {timeout_s:g} s; "
                    f"it shows:\n{self.text()}"
                )
            time.sleep(0.5)
        print(f" {time.monotonic() - started:.1f} s")

    def click(self, text: str) -> None:
        """Click what has exactly this text."""
        found = self.driver.find_elements(By.XPATH, f"//*[normalize-space(text())='{text}']")
        next(element for element in found if element.is_displayed()).click()

    def press_alt(self, code: str) -> None:
        """Alt and a key, given to the page itself: Chromium takes the real ones for its menu."""
        event = "new KeyboardEvent('keydown', {code: arguments[0], altKey: true, bubbles: true})"
        self.driver.execute_script(f"document.body.dispatchEvent({event})", code)

    def picture(self, name: str) -> Path:
        time.sleep(1.0)  # what opens fades in
        file = self.pictures / f"{name}.png"
        self.driver.save_screenshot(str(file))
        print(f"  picture: {file}")
        return file


@contextmanager
def browser(pictures: Path) -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    chromedriver = shutil.which("chromedriver")
    if not chromium or not chromedriver:
        pytest.fail(
            "Chromium or chromedriver is missing: install them (apt install chromium-driver)"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for option in _OPTIONS.split():
        options.add_argument(option)
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    try:
        driver.set_page_load_timeout(120)
        yield Browser(driver, pictures)
    finally:
        driver.quit()
