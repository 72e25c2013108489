// The marks inside of a line of Markdown: code, links, emphasis. Links lead to http, https and mailto alone.

import { el } from "./elements.js";

// Quotes, lists and emphasis inside of each other; deeper ones are shown as they are written.
export const DEEPEST = 12;
const LONGEST_LINK = 2000;
// A longer text in one line, such as a heading, is shown without emphasis and links.
const LONGEST_TEXT = 4000;
// So many marks are looked at to close one: each of thousands would look at all others.
const MOST_MARKS = 100;

const SPECIAL = /`+|\\[\s\S]|\$\$|!?\[|\*{1,3}|_{1,3}|~~|https?:\/\/|\n/g;
const PUNCTUATION = /[!-/:-@[-`{-~]/;

// Appends a text with its code, links and emphasis to an element, and returns the element.
export function inline(into, text, depth) {
	const special = new RegExp(text.length > LONGEST_TEXT ? /\n/g : SPECIAL);
	let plain = 0;
	for (let found; (found = special.exec(text)); ) {
		const at = found.index;
		const made = inlineAt(text, at, found[0], depth);
		if (!made) continue;
		into.append(text.slice(plain, at), made.node);
		plain = special.lastIndex = made.end;
	}
	into.append(text.slice(plain));
	return into;
}

// What begins at a special mark: a node and where the text goes on; null where the mark is only a mark.
function inlineAt(text, at, mark, depth) {
	if (mark === "\n") return { node: el("br"), end: at + 1 };
	if (mark[0] === "`") return codeSpan(text, at, mark);
	if (mark === "$$") return asWritten(text, at, "$$");
	if (mark[0] === "\\") return escaped(text, at, mark);
	if (mark.endsWith("[")) return depth < DEEPEST ? link(text, at, mark, depth) : null;
	if (mark.startsWith("http")) return bareLink(text, at);
	return depth < DEEPEST ? emphasis(text, at, mark, depth) : null;
}

function codeSpan(text, at, mark) {
	const closing = new RegExp(`(?<!\`)${mark}(?!\`)`, "g");
	closing.lastIndex = at + mark.length;
	const found = closing.exec(text);
	if (!found) return null;
	const code = text.slice(at + mark.length, found.index).replace(/^ (.*) $/, "$1");
	return { node: el("code", null, code), end: found.index + mark.length };
}

// Maths stays as it is written: its stars and underscores are no emphasis.
function asWritten(text, at, closing) {
	const end = text.indexOf(closing, at + 2);
	if (end < 0) return null;
	return { node: el("span", { class: "maths" }, text.slice(at, end + 2)), end: end + 2 };
}

function escaped(text, at, mark) {
	const maths = mark[1] === "(" ? asWritten(text, at, "\\)") : mark[1] === "[" ? asWritten(text, at, "\\]") : null;
	if (maths) return maths;
	if (mark[1] === "\n") return { node: el("br"), end: at + 2 };
	return PUNCTUATION.test(mark[1]) ? { node: document.createTextNode(mark[1]), end: at + 2 } : null;
}

function link(text, at, mark, depth) {
	const inside = at + mark.length;
	const middle = text.slice(inside, inside + LONGEST_LINK).search(/\]\(/);
	if (middle < 0) return null;
	const rest = text.slice(inside + middle + 2, inside + middle + 2 + LONGEST_LINK);
	const target = /^\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+["'][^"'\n]*["'])?\s*\)/.exec(rest);
	const label = text.slice(inside, inside + middle);
	const node = target ? anchor(target[1]) : null;
	if (!node) return null;
	// An image would tell its host what is talked about, so it is a link.
	if (mark === "![") node.append(label || target[1]);
	else inline(node, label, DEEPEST);
	return { node, end: inside + middle + 2 + target[0].length };
}

function bareLink(text, at) {
	const address = /^[^\s<>"'`]+/.exec(text.slice(at, at + LONGEST_LINK))[0].replace(/[.,;:!?*_~\])}]+$/, "");
	const node = anchor(address);
	node?.append(address);
	return node && { node, end: at + address.length };
}

// A link that tells its target nothing of this page; null where none may lead.
function anchor(address) {
	const url = URL.canParse(address) ? new URL(address) : null;
	if (!url || !["http:", "https:", "mailto:"].includes(url.protocol)) return null;
	return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" });
}

function emphasis(text, at, mark, depth) {
	const inside = at + mark.length;
	if (!/\S/.test(text[inside] ?? " ")) return null;
	if (mark[0] === "_" && /\w/.test(text[at - 1] ?? "")) return null;
	let end = inside;
	for (let tried = 0; tried < MOST_MARKS; tried++) {
		end = text.indexOf(mark, end + 1);
		if (end < 0) return null;
		const after = text[end + mark.length] ?? "";
		if (/\s/.test(text[end - 1]) || after === mark[0] || (mark[0] === "_" && /\w/.test(after))) continue;
		// Of three stars the last two may close what stands around.
		if (mark.length < 3 && text[end - 1] === mark[0]) continue;
		const names = mark === "~~" ? ["del"] : [["em"], ["strong"], ["strong", "em"]][mark.length - 1];
		const outer = el(names[0]);
		const inner = names[1] ? outer.appendChild(el(names[1])) : outer;
		inline(inner, text.slice(inside, end), depth + 1);
		return { node: outer, end: end + mark.length };
	}
	return null;
}
