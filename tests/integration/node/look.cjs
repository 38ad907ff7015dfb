/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * look.cjs PLAN: opens pages in headless Chromium and prints, as JSON, what it saw; the assertions are the caller's.
 *
 * PLAN is a JSON file: [{"file": page, "widths": [360, ...], "schemes": ["light", "dark"], "axe": true|false}]. Pages
 * are read from disk; any request for anything else is refused and told.
 */
const fs = require("fs");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/* Runs inside the page. */
function measure() {
  const boxes = [...document.querySelectorAll("svg text, .lane > p")]
    .filter((e) => e.textContent.trim() && e.getBoundingClientRect().width > 0)
    .map((e) => ({ text: e.textContent.trim(), box: e.getBoundingClientRect() }));
  const overlaps = [];
  for (let i = 0; i < boxes.length; i++)
    for (let j = i + 1; j < boxes.length; j++) {
      const a = boxes[i].box, b = boxes[j].box;
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
        overlaps.push(`${boxes[i].text} / ${boxes[j].text}`);
    }
  const wide = [...document.body.querySelectorAll("*")]
    .filter((e) => !e.closest(".scroll") && !e.closest("svg") && !e.closest(".skip"))
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => `${e.tagName}.${e.className}`);
  return { overflow: document.documentElement.scrollWidth - innerWidth, wide: wide.slice(0, 5), overlaps: overlaps.slice(0, 5), texts: boxes.length };
}

/* Everything folded is opened (at once: each opening costs a layout), can be reached by the keyboard, and has a size. */
function openAll() {
  const stuck = [];
  for (const details of document.querySelectorAll("details"))
    details.open = true;
  for (const details of document.querySelectorAll("details")) {
    const summary = details.querySelector("summary");
    summary.focus();
    if (document.activeElement !== summary || [...details.children].some((c) => c !== summary && c.getBoundingClientRect().height === 0))
      stuck.push(summary.textContent.trim());
  }
  return { details: document.querySelectorAll("details").length, stuck };
}

function printed() {
  const hidden = [...document.querySelectorAll("details > :not(summary)")].filter((e) => e.getBoundingClientRect().height === 0);
  return {
    background: getComputedStyle(document.body).backgroundColor,
    text: getComputedStyle(document.body).color,
    navigation: getComputedStyle(document.querySelector("nav")).display,
    closed: document.querySelectorAll("details:not([open])").length,
    hidden: hidden.map((e) => e.className).slice(0, 5),
  };
}

async function look(browser, entry, width, scheme) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: "reduce" });
  page.setDefaultTimeout(0);
  const said = [], asked = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  await page.route(/^(?!file:)/, (route) => route.abort());
  await page.goto("file://" + entry.file);
  const seen = { file: entry.file, width, scheme, closed: await page.evaluate(measure) };
  await page.emulateMedia({ media: "print", colorScheme: scheme });
  seen.print = await page.evaluate(printed);
  await page.emulateMedia({ media: "screen", colorScheme: scheme });
  seen.open = await page.evaluate(openAll);
  seen.opened = await page.evaluate(measure);
  if (entry.axe) {
    await page.evaluate(axe);
    const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], preload: false }));
    seen.violations = result.violations.map((v) => `${v.id}: ${v.nodes.length}: ${v.nodes[0].html.slice(0, 120)}`);
    seen.checked = result.passes.length;
  }
  seen.said = said;
  seen.asked = asked.filter((url) => url !== "file://" + entry.file);
  await page.close();
  return seen;
}

(async () => {
  const plan = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    timeout: 0, /* the caller has one, for however busy a machine */
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  const wanted = plan.flatMap((entry) => entry.schemes.flatMap((scheme) => entry.widths.map((width) => [entry, width, scheme])));
  const seen = [];
  const work = async () => {
    for (let next; (next = wanted.shift()); ) seen.push(await look(browser, ...next));
  };
  await Promise.all([work(), work(), work()]);
  await browser.close();
  process.stdout.write(JSON.stringify(seen));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
