// Code with its comments, strings, numbers and keywords in colours.

import { copyButton, el } from "./elements.js";

// The most lines in one element: a browser lays out only the last one anew.
const LINES_TOGETHER = 50;

const LINE_COMMENTS = { python: "#", bash: "#", ruby: "#", sql: "--" };
const OTHER_NAMES = new Map(Object.entries({
	js: "javascript", json: "javascript", ts: "typescript",
	py: "python", cs: "csharp", "c#": "csharp", "c++": "cpp", h: "c",
	rs: "rust", sh: "bash", shell: "bash", rb: "ruby",
}));
// One list for the languages with braces: a word that only a relative knows is rare.
const BRACES = "abstract any as async auto await base bool boolean break byte case catch chan char class const "
	+ "constexpr continue default defer delegate delete do double else enum export extends extern false final finally "
	+ "float fn for foreach from func function go goto if impl implements import in init instanceof int interface "
	+ "internal is keyof let long loop map match mod mut namespace never new nil null nullptr number object operator "
	+ "out override package private protected pub public range readonly record ref return sealed select self set short "
	+ "signed sizeof static string struct super switch template this throw throws trait true try type typedef typeof "
	+ "undefined union unknown unsafe unsigned use using var virtual void volatile when where while yield";
const PYTHON = "and as assert async await break case class continue def del elif else except False finally for from "
	+ "global if import in is lambda match None nonlocal not or pass raise return self True try while with yield";
const RUBY = "and begin break case class def do else elsif end ensure false for if in module next nil not or redo "
	+ "require rescue return self super then true unless until when while yield";
const BASH = "case do done echo elif else esac export fi for function if in local return select set then until while";
const SQL = "add all alter and as asc between by case create delete desc distinct drop else end exists from group "
	+ "having in index inner insert into is join key left like limit not null on or order outer primary references right "
	+ "select set table then union unique update values view when where with";
const WORDS = { python: PYTHON, ruby: RUBY, bash: BASH, sql: SQL };
for (const name of ["c", "cpp", "csharp", "java", "javascript", "typescript", "go", "rust"]) WORDS[name] = BRACES;
const KEYWORDS = new Map(Object.entries(WORDS).map(([name, words]) => [name, new Set(words.split(" "))]));

// The marks of a language's tokens, in the order in which they are tried.
function tokensOf(language) {
	const comment = LINE_COMMENTS[language] ?? "//";
	const begin = comment === "#" ? "(?<![^\\s])#.*" : comment === "--" ? "--.*" : "//.*";
	return new RegExp(
		[
			`(?<comment>${begin})`,
			`(?<open>${language === "python" ? "\"\"\"|'''" : "/\\*|`"})`,
			`(?<string>"(?:\\\\.|[^"\\\\])*"?|'(?:\\\\.|[^'\\\\])*'?)`,
			"(?<number>\\b(?:0[xX][\\da-fA-F_]+|\\d[\\d_]*(?:\\.\\d+)?(?:[eE][+-]?\\d+)?)\\w*)",
			"(?<word>[A-Za-z_]\\w*)",
		].join("|"),
		"g",
	);
}

// Code that may still grow, in the language of its fence: complete lines stay.
export function codeView(language) {
	const name = OTHER_NAMES.get(language) ?? language;
	const words = KEYWORDS.get(name);
	const rules = words && { name, words, tokens: tokensOf(name) };
	const code = el("code");
	const bar = el("div", { class: "code-bar" }, el("span", null, language), copyButton("Copy code", () => whole));
	const label = language ? `Code, ${language}` : "Code";
	const pre = el("pre", { tabindex: 0, role: "group", "aria-label": label }, code);
	let whole = "";
	let shown = 0;
	let lines = 0;
	let tail = [];
	let open = null;

	// Shows the whole text so far; a closed fence ends the last line.
	function show(text, isClosed) {
		whole = text;
		for (const node of tail) node.remove();
		for (let end; (end = text.indexOf("\n", shown)) >= 0; shown = end + 1) {
			const [nodes, closing] = nodesOf(text.slice(shown, end), "\n");
			group().append(...nodes);
			open = closing;
			lines++;
		}
		if (shown > text.length || (shown === text.length && !isClosed)) return;
		[tail] = nodesOf(text.slice(shown), isClosed ? "\n" : "");
		group().append(...tail);
	}

	function group() {
		if (code.childElementCount <= lines / LINES_TOGETHER) code.append(el("span", { class: "lines" }));
		return code.lastChild;
	}

	function nodesOf(line, end) {
		const [tokens, closing] = rules ? cut(line, open, rules) : [[[null, line]], null];
		const nodeOf = ([kind, text]) => (kind ? el("span", { class: kind }, text) : document.createTextNode(text));
		return [[...tokens, [null, end]].map(nodeOf), closing];
	}

	return { language, element: el("div", { class: "code" }, bar, pre), show };
}

// Cuts a line into tokens, each with its kind, which is null for plain text.
function cut(line, open, { name, words, tokens }) {
	const pieces = [];
	let plain = 0;
	// Adds the text up to a closing mark, and says whether it is there.
	const addTo = (close, from) => {
		const closes = line.indexOf(close, plain);
		const end = closes < 0 ? line.length : closes + close.length;
		pieces.push([close === "*/" ? "comment" : "string", line.slice(from, end)]);
		plain = tokens.lastIndex = end;
		return closes >= 0;
	};
	tokens.lastIndex = 0;
	if (open && !addTo(open, 0)) return [pieces, open];
	for (let found; (found = tokens.exec(line)); ) {
		const { open: begin, word, ...others } = found.groups;
		if (word && !words.has(name === "sql" ? word.toLowerCase() : word)) continue;
		if (found.index > plain) pieces.push([null, line.slice(plain, found.index)]);
		plain = tokens.lastIndex;
		if (!begin) {
			pieces.push([word ? "word" : Object.keys(others).find((kind) => others[kind]), found[0]]);
			continue;
		}
		const close = begin === "/*" ? "*/" : begin;
		if (!addTo(close, found.index)) return [pieces, close];
	}
	if (plain < line.length) pieces.push([null, line.slice(plain)]);
	return [pieces, null];
}
