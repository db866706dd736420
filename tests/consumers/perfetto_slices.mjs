// usage: node perfetto_slices.mjs CONSUMERS CHROMIUM TRACE
//
// Opens TRACE in the real page of Perfetto (CONSUMERS/perfetto/web_dist, see tools/get-consumers.sh) and prints what its trace processor
// made of it as JSON: {"slices": [{pid, tid, process, thread, ts, dur, depth, name, source}], "errors": []}, the errors being its own
// counters of what it dropped. Status 1: it did not take the file; the reason is in "errors".
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

const [consumers, executablePath, trace] = process.argv.slice(2);
const { chromium } = createRequire(join(consumers, 'node_modules', 'x.js'))('playwright-core');
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.json': 'application/json' };
const query = `select process.pid, process.name as process, thread.tid, thread.name as thread, slice.ts, slice.dur, slice.depth, slice.name,
  extract_arg(slice.arg_set_id, 'source.file_name') as file, extract_arg(slice.arg_set_id, 'source.line_number') as line,
  slice.category
  from slice join thread_track on slice.track_id = thread_track.id join thread using (utid) left join process using (upid) order by slice.id`;

// This copy of the page opens /localtrace by itself when its viewer's questions are answered.
const server = createServer(async (request, response) => {
	const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname));
	if (path === '/localtrace') return response.end(await readFile(trace));
	if (path === '/vizviewer_info' || path === '/file_info') return response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
	const file = path === '/' ? '/index.html' : path;
	try {
		const data = await readFile(join(consumers, 'perfetto', 'web_dist', file));
		response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(data);
	} catch {
		response.writeHead(404).end();
	}
});
await new Promise(done => server.listen(0, '127.0.0.1', done));
const home = `http://127.0.0.1:${server.address().port}/`;

async function ask(page, text) {
	return page.evaluate(async text => {
		const result = await window.app.trace.engine.query(text), columns = result.columns(), rows = [];
		for (const row = result.iter({}); row.valid(); row.next())
			rows.push(Object.fromEntries(columns.map(name => [name, typeof row.get(name) === 'bigint' ? String(row.get(name)) : row.get(name)])));
		return rows;
	}, text);
}

let browser, slices = [], errors = [];
try {
	browser = await chromium.launch({ executablePath });
	const context = await browser.newContext({ serviceWorkers: 'block' });
	await context.route('**/*', route => route.request().url().startsWith(home) || /^(blob|data):/.test(route.request().url()) ? route.continue() : route.abort());
	const page = await context.newPage();
	await page.goto(home);
	await page.waitForFunction(() => window.app, null, { timeout: 30000 });
	const refused = page.locator('.pf-modal-dialog, .modal-dialog').first();
	await Promise.race([page.waitForFunction(() => window.app.trace, null, { timeout: 60000 }), refused.waitFor({ timeout: 60000 })]);
	if (!await page.evaluate(() => Boolean(window.app.trace))) throw new Error(await refused.innerText());
	slices = await ask(page, query);
	errors = await ask(page, "select name, value from stats where severity in ('error', 'data_loss') and value > 0");
} catch (error) {
	errors.push(String(error));
} finally {
	await browser?.close();
	server.close();
	server.closeAllConnections?.();
}
process.exitCode = slices.length ? 0 : 1; // process.exit() would cut what a pipe has not taken yet
console.log(JSON.stringify({ slices, errors }));
