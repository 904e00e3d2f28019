"""What axe finds on a page, in light and dark, and whether it fits a phone."""

from axe_playwright_python.sync_playwright import Axe

PHONE = {"width": 390, "height": 844}

# Elements that reach beyond the right edge without a scrolling element of their own around them.
_TOO_WIDE = """() => {
  const wide = document.documentElement.scrollWidth;
  if (wide <= innerWidth) return null;
  const scrolls = (one) => one && one !== document.body && one !== document.documentElement
    && (getComputedStyle(one).overflowX !== 'visible' || scrolls(one.parentElement));
  const beyond = [...document.body.querySelectorAll('*')].filter((one) =>
    one.getBoundingClientRect().right > innerWidth + 1 && !scrolls(one.parentElement));
  const named = beyond.slice(-3).map((one) => one.outerHTML.slice(0, 160).replace(/\\s+/g, ' '));
  return `${wide} pixels wide: ${named.join(' | ')}`;
}"""


class Auditor:
    """Called with a page and its name; keeps one line for each thing that is wrong.

    ``but`` is a selector of what was looked at before and would only take time again.
    """

    def __init__(self):
        self.axe = Axe()
        self.found = []

    def __call__(self, page, name, *, but=""):
        page.wait_for_load_state()
        page.emulate_media(color_scheme="light")
        context = {"exclude": [[but]]} if but else None
        self._run(page, f"{name}, light", context, {"resultTypes": ["violations"]})
        page.emulate_media(color_scheme="dark")
        # Structure is the same; only colours differ.
        contrast = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
        self._run(page, f"{name}, dark", context, contrast)
        page.emulate_media(color_scheme="light")
        self._try_phone(page, name)

    def _run(self, page, where, context, options):
        for violation in self.axe.run(page, context, options).response["violations"]:
            for node in violation["nodes"]:
                self.found.append(
                    f"{where}: {violation['id']} ({violation['impact']}): "
                    f"{' '.join(map(str, node['target']))}: "
                    f"{' '.join(node['failureSummary'].split())}"
                )

    def _try_phone(self, page, name):
        before = page.viewport_size
        page.set_viewport_size(PHONE)
        wide = page.evaluate(_TOO_WIDE)
        if wide:
            self.found.append(f"{name}, phone: scrolls sideways, {wide}")
        page.set_viewport_size(before)
