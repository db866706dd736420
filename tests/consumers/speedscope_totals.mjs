// usage: node speedscope_totals.mjs CONSUMERS CHROMIUM FILE
//
// Opens FILE in the real speedscope (CONSUMERS/node_modules, see tools/get-consumers.sh), has it export what it made of it,
// and prints the totals of that as JSON: {"profiles": [{name, unit, total, functions: {"name (file)": {self, total}}}], "errors": []}.
// Status 1: speedscope did not take the file; the reason is in "errors".
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const [consumers, executablePath, file] = process.argv.slice(2);
const { chromium } = createRequire(join(consumers, 'node_modules', 'x.js'))('playwright-core');
const app = join(consumers, 'node_modules', 'speedscope', 'dist', 'release', 'index.html');
const folder = mkdtempSync(join(tmpdir(), 'speedscope-'));
const errors = [];

// The export has a profile's samples as opening and closing of frames: what passes while a frame is on top is its own.
function totalsOf(profile, frames) {
	const functions = {}, open = [], entered = new Map();
	let last = profile.startValue;
	for (const event of profile.events) {
		const frame = frames[event.frame], key = frame.file ? `${frame.name} (${frame.file})` : frame.name;
		if (open.length) functions[open.at(-1)].self += event.at - last;
		last = event.at;
		functions[key] ??= { self: 0, total: 0 };
		const outermost = entered.get(key) ?? { depth: 0, at: 0 };
		if (event.type === 'O') {
			if (outermost.depth++ === 0) outermost.at = event.at;
			open.push(key);
		} else {
			open.pop();
			if (--outermost.depth === 0) functions[key].total += event.at - outermost.at;
		}
		entered.set(key, outermost);
	}
	return { name: profile.name, unit: profile.unit, total: profile.endValue - profile.startValue, functions };
}

async function exported(page) {
	await page.goto(`file://${app}#localProfilePath=${join(folder, 'load.js').slice(1)}`);
	const button = page.getByText('Export').first(), refused = page.getByText(/Something went wrong|Unrecognized format|failed to load/i).first();
	await Promise.race([button.waitFor({ timeout: 60000 }), refused.waitFor({ timeout: 60000 })]);
	if (!await button.count()) throw new Error(await page.evaluate(() => document.body.innerText));
	const [download] = await Promise.all([page.waitForEvent('download', { timeout: 60000 }), button.click()]);
	await download.saveAs(join(folder, 'export.json'));
	return JSON.parse(readFileSync(join(folder, 'export.json'), 'utf8'));
}

const browser = await chromium.launch({ executablePath, args: ['--allow-file-access-from-files', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'] });
let profiles = [];
try {
	const page = await (await browser.newContext({ acceptDownloads: true, offline: true })).newPage();
	page.on('pageerror', error => errors.push(String(error)));
	page.on('dialog', dialog => { errors.push(dialog.message()); dialog.dismiss(); });
	writeFileSync(join(folder, 'load.js'),
		`speedscope.loadFileFromBase64(${JSON.stringify(basename(file))}, "${readFileSync(file).toString('base64')}")`);
	const { profiles: found, shared } = await exported(page);
	profiles = found.map(profile => totalsOf(profile, shared.frames));
} catch (error) {
	errors.push(String(error));
} finally {
	await browser.close();
	rmSync(folder, { recursive: true });
}
console.log(JSON.stringify({ profiles, errors }));
process.exitCode = profiles.length && !errors.length ? 0 : 1; // exit() would cut what a pipe has not taken yet
