// usage: node flame_page.mjs CONSUMERS CHROMIUM FILE.svg SEARCH [SCREENSHOT]
//
// Uses the flame graph as a person would, without a network, and prints as JSON what they see: the frames drawn, the tip of
// the widest frame below the root, what the search finds, what is left after entering that frame and after Escape; in a
// narrow window, how far right the head reaches and how far the search is from it and from the frames; and all that went
// wrong: errors of the script, requests for anything but the page itself.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [consumers, executablePath, file, search, screenshot] = process.argv.slice(2);
const { chromium } = createRequire(join(consumers, 'node_modules', 'x.js'))('playwright-core');
const browser = await chromium.launch({ executablePath });
const errors = [], seen = {};
const shown = page => page.evaluate(() => [...document.querySelectorAll('#frames > g')].filter(g => g.style.display !== 'none').length);
const rightEdge = page => page.evaluate(() => Math.max(...[...document.querySelectorAll('#frames > g')].filter(g => g.style.display !== 'none')
	.map(g => g.firstElementChild.getBoundingClientRect().right)));
try {
	const page = await (await browser.newContext({ offline: true, viewport: { width: 1100, height: 700 } })).newPage();
	page.on('pageerror', error => errors.push(String(error)));
	page.on('console', message => errors.push(message.text()));
	page.on('request', request => { if (request.url() !== `file://${encodeURI(resolve(file))}`) errors.push(`request for ${request.url()}`); });
	await page.goto(`file://${encodeURI(resolve(file))}`);
	seen.frames = await page.evaluate(() => document.querySelectorAll('#frames > g').length);
	seen.shown = await shown(page);
	seen.rightEdge = await rightEdge(page);
	if (seen.frames > 1) {
		const widest = page.locator('#frames > g').nth(1);
		await widest.hover();
		seen.tip = await page.evaluate(() => document.querySelector('.tip').innerText);
		await page.keyboard.press('Control+f');
		await page.keyboard.type(search);
		seen.found = await page.evaluate(() => document.querySelector('.controls span').innerText);
		seen.hits = await page.evaluate(() => document.querySelectorAll('#frames g.hit').length);
		if (screenshot) await page.screenshot({ path: screenshot });
		await page.keyboard.press('Control+a');
		await page.keyboard.type('(');
		seen.bad = await page.evaluate(() => document.querySelector('.controls input').className);
		await page.keyboard.press('Escape');
		await page.locator('#frames > g').nth(Math.min(2, seen.frames - 1)).click();
		seen.entered = await shown(page);
		seen.enteredEdge = await rightEdge(page);
		await page.keyboard.press('Escape');
		seen.left = await shown(page);
	}
	await page.setViewportSize({ width: 400, height: 700 });
	await page.waitForFunction(() => window.innerWidth === 400);
	await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))); // the page follows
	seen.narrowEdge = await page.evaluate(() => Math.max(...[...document.querySelectorAll('.head text, .controls input, .controls button')]
		.map(e => e.getBoundingClientRect().right)));
	seen.searchBelow = await page.evaluate(() => document.querySelector('.controls').getBoundingClientRect().top -
		Math.max(...[...document.querySelectorAll('.head text')].map(e => e.getBoundingClientRect().bottom)));
	seen.searchAbove = await page.evaluate(() => document.querySelector('#frames').getBoundingClientRect().top -
		document.querySelector('.controls button').getBoundingClientRect().bottom);
} catch (error) {
	errors.push(String(error));
} finally {
	await browser.close();
}
console.log(JSON.stringify({ ...seen, errors }));
process.exitCode = errors.length ? 1 : 0;
