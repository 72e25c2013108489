// Markdown as elements. No text is ever read as HTML: all of it becomes elements and text nodes.

import { codeView } from "./code.js";
import { el } from "./elements.js";
import { DEEPEST, inline } from "./inline.js";

// The most characters of a paragraph, quote or list: what is longer goes on in another block.
const LARGEST_BLOCK = 4000;

const FENCE = /^ {0,3}(`{3,}|~{3,}(?!~))([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?!\S)(.*)$/s;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(?:(\s+)(.*)|\s*)$/;
const TABLE_RULE_CELL = /^:?-+:?$/;

// Gives what shows a text that grows, in an element: complete blocks stay, only the one that grows is made anew.
export function growing(root) {
	let start = 0;
	let nodes = [];
	let code = null;

	return function show(text) {
		const blocks = split(text.slice(start), 0);
		let last = blocks.length - 1;
		// What follows a block is sure once its line is complete: until then it may become a part of the block.
		if (last > 0 && !blocks[last - 1].goesOn && !text.includes("\n", start + blocks[last].start)) last--;
		if (blocks[0]?.language !== code?.language) code = null;
		for (const node of nodes) if (node !== code?.element) node.remove();
		nodes = blocks.map((block, at) => (block.kind === "code" && at === 0 ? codeNode(block) : render(block, 0)));
		root.append(...nodes.filter((node) => node.parentNode !== root));
		if (last <= 0) return;
		start += blocks[last].start;
		nodes.splice(0, last);
		code = null;
	};

	function codeNode(block) {
		code ??= codeView(block.language);
		code.show(block.text, block.isClosed);
		return code.element;
	}
}

// Cuts a text into blocks, each with the place where it starts.
function split(text, depth) {
	const lines = text.split("\n");
	const blocks = [];
	let place = 0;
	for (let at = 0; at < lines.length; ) {
		const start = place;
		const [block, count] = lines[at].trim() ? blockAt(lines, at, depth) : [null, 1];
		for (let i = 0; i < count; i++) place += lines[at + i].length + 1;
		at += count;
		if (block?.kind === "text") blocks.push(...piecesOf(block, start));
		else if (block) blocks.push({ ...block, start });
	}
	return blocks;
}

function blockAt(lines, at, depth) {
	const line = lines[at];
	const fence = FENCE.exec(line);
	if (fence) return codeAt(lines, at, fence);
	const heading = HEADING.exec(line);
	if (heading) return [{ kind: "heading", level: heading[1].length, text: headingText(heading[2]) }, 1];
	if (RULE.test(line)) return [{ kind: "rule" }, 1];
	if (depth < DEEPEST && QUOTE.test(line)) return quoteAt(lines, at);
	if (depth < DEEPEST && ITEM.test(line)) return listAt(lines, at);
	if (line.includes("|") && isTableRule(lines[at + 1])) return tableAt(lines, at);
	let end = at + 1;
	while (end < lines.length && !endsText(lines[end], depth)) end++;
	return [{ kind: "text", text: lines.slice(at, end).join("\n") }, end - at];
}

function endsText(line, depth) {
	if (!line.trim() || FENCE.test(line) || HEADING.test(line) || RULE.test(line)) return true;
	if (depth >= DEEPEST) return false;
	const item = ITEM.exec(line);
	return QUOTE.test(line) || (item?.[4] != null && (!/\d/.test(item[2]) || parseInt(item[2], 10) === 1));
}

// A paragraph in pieces that a browser lays out quickly, cut where a word ends.
function piecesOf({ text }, start) {
	const pieces = [];
	for (let at = 0; at < text.length; ) {
		let end = text.length;
		if (end - at > LARGEST_BLOCK) {
			const space = text.lastIndexOf(" ", at + LARGEST_BLOCK);
			end = space > at ? space + 1 : at + LARGEST_BLOCK;
		}
		pieces.push({ kind: "text", text: text.slice(at, end), goesOn: end < text.length, start: start + at });
		at = end;
	}
	return pieces;
}

// The text without the marks that may close a heading.
function headingText(rest) {
	const text = rest.trim();
	let end = text.length;
	while (text[end - 1] === "#") end--;
	return /\S/.test(text[end - 1] ?? " ") ? text : text.slice(0, end).trim();
}

function isTableRule(line) {
	return line !== undefined && cellsOf(line).every((cell) => TABLE_RULE_CELL.test(cell));
}

function codeAt(lines, at, [, mark, info]) {
	const closing = new RegExp(`^ {0,3}${mark[0]}{${mark.length},}\\s*$`);
	let end = at + 1;
	while (end < lines.length && !closing.test(lines[end])) end++;
	const isClosed = end < lines.length;
	const block = {
		kind: "code",
		language: info.trim().split(/\s/)[0].toLowerCase(),
		text: lines.slice(at + 1, end).join("\n"),
		isClosed,
	};
	return [block, end - at + (isClosed ? 1 : 0)];
}

function quoteAt(lines, at) {
	let end = at;
	for (let length = 0; end < lines.length && QUOTE.test(lines[end]) && length <= LARGEST_BLOCK; end++)
		length += lines[end].length;
	return [{ kind: "quote", text: lines.slice(at, end).map((line) => line.replace(QUOTE, "")).join("\n") }, end - at];
}

function tableAt(lines, at) {
	let end = at + 2;
	while (end < lines.length && lines[end].includes("|")) end++;
	const sideOf = (cell) => (/^:.*:$/.test(cell) ? "center" : /:$/.test(cell) ? "right" : null);
	const sides = cellsOf(lines[at + 1]).map(sideOf);
	const rows = [lines[at], ...lines.slice(at + 2, end)].map(cellsOf);
	return [{ kind: "table", rows, sides }, end - at];
}

function cellsOf(line) {
	const inner = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
	return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function listAt(lines, at) {
	const first = ITEM.exec(lines[at]);
	const indent = first[1].length;
	const isOrdered = /\d/.test(first[2]);
	const items = [];
	let end = at;
	let isLoose = false;
	let length = 0;
	for (; end < lines.length; end++) {
		const line = lines[end];
		const item = ITEM.exec(line);
		const isOwn = item && item[1].length <= indent + 1 && !RULE.test(line);
		if (isOwn) {
			if (/\d/.test(item[2]) !== isOrdered || length > LARGEST_BLOCK) break;
			items.push({ width: item[0].length - (item[4]?.length ?? 0), lines: [item[4] ?? ""] });
		} else if (!line.trim()) {
			const next = nextText(lines, end);
			if (next === lines.length || !(ITEM.test(lines[next]) || indentOf(lines[next]) > indent + 1)) break;
			isLoose ||= indentOf(lines[next]) <= indent + 1;
			items.at(-1).lines.push("");
			end = next - 1;
		} else if (indentOf(line) > indent || !(endsText(line, 0) || lines[end - 1].trim() === "")) {
			const own = items.at(-1);
			own.lines.push(line.slice(Math.min(indentOf(line), own.width)));
		} else break;
		length += line.length + 1;
	}
	return [{ kind: "list", isOrdered, isLoose, number: parseInt(first[2], 10), items }, end - at];
}

function nextText(lines, at) {
	while (at < lines.length && !lines[at].trim()) at++;
	return at;
}

function indentOf(line) {
	return line.length - line.trimStart().length;
}

function render(block, depth) {
	switch (block.kind) {
		case "code": {
			const code = codeView(block.language);
			code.show(block.text, block.isClosed);
			return code.element;
		}
		case "heading":
			// The page has the first heading.
			return inline(el(`h${Math.min(6, block.level + 1)}`), block.text, depth);
		case "rule":
			return el("hr");
		case "quote":
			return el("blockquote", null, ...split(block.text, depth + 1).map((inner) => render(inner, depth + 1)));
		case "list":
			return renderList(block, depth);
		case "table":
			return renderTable(block, depth);
		default:
			return inline(el("p", { class: block.goesOn ? "goes-on" : null }), block.text.trimEnd(), depth);
	}
}

function renderList({ isOrdered, isLoose, number, items }, depth) {
	const list = el(isOrdered ? "ol" : "ul", { start: isOrdered && number !== 1 ? number : null });
	for (const item of items) {
		const text = item.lines.join("\n").replace(/^\[([ xX])\] /, (_, mark) => (mark === " " ? "☐ " : "☑ "));
		const entry = el("li");
		for (const block of split(text, depth + 1)) {
			if (block.kind === "text" && !isLoose) inline(entry, block.text.trimEnd(), depth + 1);
			else entry.append(render(block, depth + 1));
		}
		list.append(entry);
	}
	return list;
}

function renderTable({ rows, sides }, depth) {
	const columns = rows[0].length;
	const row = (cells, name) =>
		el("tr", null, ...Array.from({ length: columns }, (_, column) => {
			const cell = el(name, { class: sides[column], scope: name === "th" ? "col" : null });
			return inline(cell, cells[column] ?? "", depth);
		}));
	const body = el("tbody", null, ...rows.slice(1).map((cells) => row(cells, "td")));
	const table = el("table", null, el("thead", null, row(rows[0], "th")), body);
	return el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Table" }, table);
}
