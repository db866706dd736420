"use strict";
// The page without this script is a picture; with it, frames can be pointed at, entered and searched. `data` stands before
// it: names; by frame name, parent, total, self and samples; whole, wholeSamples, unit and what. Frames stand in the order
// of calls: what a frame calls follows it, and a frame's parent comes before it.
const svg = document.documentElement, frames = document.getElementById("frames").children;
const count = data.name.length, start = new Float64Array(count), end = new Int32Array(count);
const height = Number(svg.getAttribute("height"));
const XHTML = "http://www.w3.org/1999/xhtml", SVG = "http://www.w3.org/2000/svg";
const heads = document.querySelectorAll(".head > text"), legend = document.querySelectorAll(".legend > g");
const LEAST_WIDTH = 320;
let shift = 0, zoom = 0, pattern = null, columnWidth = 7.23, pad = 10;

// Children stand side by side from their parent's start on, the heaviest first; what is left over is its own.
const used = new Float64Array(count);
for (let i = 1; i < count; i++) {
	const parent = data.parent[i];
	start[i] = start[parent] + used[parent];
	used[parent] += data.total[i];
}
// What a frame calls, directly or not, has the numbers up to end[frame].
for (let i = count - 1; i >= 0; i--) {
	end[i] = Math.max(end[i], i + 1);
	end[data.parent[i]] = Math.max(end[data.parent[i]], end[i]);
}

function isWide(c) { return c >= "\u1100" && (c <= "\u115f" || c >= "\u2e80"); }

function fit(text, width) {
	let room = Math.floor((width - 6) / columnWidth), end = 0;
	const characters = Array.from(text);
	if (room < 3) return "";
	for (; end < characters.length; end++) {
		room -= isWide(characters[end]) ? 2 : 1;
		if (room < 0) return characters.slice(0, Math.max(end - 1, 0)).join("") + "…";
	}
	return text;
}

function place(i, x, width, up) {
	const g = frames[i], rect = g.firstElementChild;
	let text = rect.nextElementSibling;
	const label = fit(data.names[data.name[i]], width);
	g.style.display = "";
	g.classList.toggle("up", up);
	rect.setAttribute("x", x.toFixed(1));
	rect.setAttribute("width", (width > 3 ? width - 0.8 : Math.max(width, 0.5)).toFixed(1));
	if (!label) {
		if (text) text.textContent = "";
		return;
	}
	if (!text) {
		text = g.appendChild(document.createElementNS(SVG, "text"));
		text.setAttribute("y", Number(rect.getAttribute("y")) + 12.5);
	}
	text.setAttribute("x", (x + 4).toFixed(1));
	text.textContent = label;
}

// A line of the head that is too long ends in an ellipsis, and is whole in its tip.
function shorten(line, width) {
	const whole = line.dataset.whole ?? (line.dataset.whole = line.firstChild.data);
	const tip = line.querySelector("title") ?? line.appendChild(document.createElementNS(SVG, "title"));
	tip.textContent = "";
	line.firstChild.data = whole;
	const characters = Array.from(whole), long = line.getComputedTextLength();
	if (long <= width) return;
	let kept = Math.floor(characters.length * width / long);
	do line.firstChild.data = characters.slice(0, kept).join("") + "…"; while (line.getComputedTextLength() > width && --kept > 0);
	tip.textContent = whole;
}

// On a narrow window the legend takes several rows, and the search a row of its own; the frames move down.
function arrangeHead(width) {
	const narrow = width < 900, room = width - 2 * pad;
	let x = pad, y = 0;
	heads.forEach((line, i) => shorten(line, i === 0 && !narrow ? room - 470 : room));
	for (const entry of legend) {
		if (x + Number(entry.dataset.width) > width && x > pad) {
			x = pad;
			y += 18;
		}
		entry.setAttribute("transform", `translate(${x} ${y})`);
		x += Number(entry.dataset.width);
	}
	controls.setAttribute("x", narrow ? pad : width - 470);
	controls.setAttribute("y", narrow ? 98 + y : 10);
	bar.style.flexDirection = narrow ? "row-reverse" : "row";
	shift = y + (narrow ? 38 : 0);
	box.setAttribute("transform", `translate(0 ${shift})`);
}

function draw() {
	arrangeHead(Math.max(svg.clientWidth, LEAST_WIDTH));
	svg.setAttribute("height", Math.max(height + shift, window.innerHeight));
	const width = Math.max(svg.clientWidth, LEAST_WIDTH) - 2 * pad, scale = width / (data.total[zoom] || 1);
	for (let i = 0; i < count; i++) {
		const inside = i >= zoom && i < end[zoom], pixels = i === zoom ? width : data.total[i] * scale;
		if (inside && pixels >= 0.3)
			place(i, pad + (start[i] - start[zoom]) * scale, pixels, false);
		else if (i < zoom && zoom < end[i])
			place(i, pad, width, true);
		else
			frames[i].style.display = "none";
	}
	reset.disabled = zoom === 0 && !pattern;
}

function number(n) { return n.toLocaleString("en-US"); }

function amount(n) {
	if (data.unit === "ns") return n >= 1e9 ? (n / 1e9).toFixed(2) + " s" : (n / 1e6).toFixed(2) + " ms";
	if (data.unit === "bytes") return n >= 1048576 ? (n / 1048576).toFixed(1) + " MiB" : (n / 1024).toFixed(1) + " KiB";
	return number(n) + (data.unit === "samples" ? (n === 1 ? " sample" : " samples") : "");
}

function percent(share) { return (share * 100).toFixed(share > 0 && share < 0.001 ? 2 : 1); }

// The 95 % interval after Wilson, as in the other reports.
function interval(weight) {
	const n = data.wholeSamples, p = Math.min(weight / data.whole, 1), z = 1.959963984540054;
	if (!n) return "";
	const middle = (p + z * z / (2 * n)) / (1 + z * z / n), half = z / (1 + z * z / n) * Math.sqrt(p * (1 - p) / n + z * z / (4 * n * n));
	return percent(Math.max(middle - half, 0)) + " to " + percent(Math.min(middle + half, 1)) + " %";
}

function element(name, parent, text) {
	const made = parent.appendChild(document.createElementNS(XHTML, name));
	if (text !== undefined) made.textContent = text;
	return made;
}

function overlay(x, y, width, height) {
	const made = svg.appendChild(document.createElementNS(SVG, "foreignObject"));
	for (const [name, value] of Object.entries({ x, y, width, height })) made.setAttribute(name, value);
	return made;
}

const controls = overlay(0, 10, 460, 34), bar = element("div", controls);
bar.className = "controls";
const matched = element("span", bar, ""), search = element("input", bar), reset = element("button", bar, "Reset");
search.type = "search";
search.placeholder = "Search (regex), Ctrl-F";
search.setAttribute("aria-label", "Search functions by regular expression");

function find() {
	let sum = 0;
	const hits = new Uint8Array(count);
	search.classList.remove("bad");
	try {
		pattern = search.value ? new RegExp(search.value, "i") : null;
	} catch {
		pattern = null;
		search.classList.add("bad");
	}
	const good = data.names.map(name => pattern !== null && pattern.test(name));
	for (let i = 0; i < count; i++) {
		const above = i > 0 && hits[data.parent[i]], hit = i > 0 && good[data.name[i]];
		frames[i].classList.toggle("hit", hit);
		hits[i] = hit || above ? 1 : 0;
		if (hit && !above) sum += data.total[i];
	}
	matched.textContent = pattern ? "found in " + percent(sum / (data.whole || 1)) + " %" : "";
	reset.disabled = zoom === 0 && !pattern;
}

const tipBox = overlay(0, 0, 540, 260), tip = element("div", tipBox);
tip.className = "tip";
tipBox.style.pointerEvents = "none";
tipBox.style.display = "none";

function showTip(i, event) {
	tip.textContent = "";
	element("b", tip, data.names[data.name[i]]);
	element("span", tip, percent(data.total[i] / (data.whole || 1)) + " % of " + data.what + " ");
	const sampled = data.wholeSamples > 0; // else it is exact
	if (sampled)
		element("i", tip, "(95 %: " + interval(data.total[i]) + ")");
	element("br", tip);
	element("span", tip, amount(data.total[i]) + (data.unit === "samples" || !sampled ? "" : ", " + number(data.samples[i]) + " samples") + " in all, of it its own "
		+ amount(data.self[i]) + ", " + percent(data.self[i] / (data.whole || 1)) + " % ");
	if (sampled)
		element("i", tip, "(95 %: " + interval(data.self[i]) + ")");
	tipBox.style.display = "";
	const view = svg.getBoundingClientRect(), x = event.clientX - view.left, y = event.clientY - view.top;
	const width = tip.offsetWidth || 400, height = tip.offsetHeight || 90;
	tipBox.setAttribute("x", Math.max(Math.min(x + 14, svg.clientWidth - width - 8), 4));
	tipBox.setAttribute("y", event.clientY + height + 30 > window.innerHeight ? Math.max(y - height - 12, 0) : y + 18);
}

function frameOf(event) {
	const g = event.target.closest("#frames > g");
	return g ? Number(g.dataset.i ?? (g.dataset.i = Array.prototype.indexOf.call(frames, g))) : -1;
}

const box = document.getElementById("frames");
box.addEventListener("mousemove", event => { const i = frameOf(event); if (i >= 0) showTip(i, event); });
box.addEventListener("mouseleave", () => { tipBox.style.display = "none"; });
box.addEventListener("click", event => { const i = frameOf(event); if (i >= 0) { zoom = i; tipBox.style.display = "none"; draw(); } });
search.addEventListener("input", find);
reset.addEventListener("click", () => { search.value = ""; zoom = 0; find(); draw(); });
window.addEventListener("keydown", event => {
	const typing = document.activeElement === search;
	if (((event.ctrlKey || event.metaKey) && event.key === "f" || event.key === "/") && !typing) {
		event.preventDefault();
		search.focus();
		search.select();
	} else if (event.key === "Escape") {
		if (search.value) { search.value = ""; find(); } else { zoom = 0; draw(); }
		search.blur();
	}
});
window.addEventListener("resize", draw);

svg.removeAttribute("viewBox");
svg.setAttribute("width", "100%");
const ruler = svg.appendChild(document.createElementNS(SVG, "text"));
ruler.textContent = "m".repeat(100);
columnWidth = ruler.getComputedTextLength() / 100 || columnWidth;
ruler.remove();
draw();
