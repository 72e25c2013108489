// The messages on the screen: views, each of an element and of how it follows its message.

import { copyButton, el, iconButton } from "./elements.js";
import { growing } from "./markdown.js";
import { childrenOf, pathOf } from "./store.js";

// How far from the end, in pixels, a reader still counts as at the end.
const NEAR_END = 48;
// Nothing is drawn for this many times of what the last drawing took, so that typing stays smooth.
const REST = 3;
// What takes the result of a call from the person.
const answers = new Map();

// Shows one conversation, and moves along with an answer while the reader is at the end.
export function threadView(scroller, column, toEnd, actions) {
	let views = new Map();
	const waiting = new Set();
	let isAtEnd = true;
	let restsUntil = 0;
	scroller.addEventListener("scroll", noteEnd, { passive: true });
	toEnd.addEventListener("click", follow);

	function noteEnd() {
		isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;
		toEnd.hidden = isAtEnd;
	}

	// Goes to the end, and stays there while it moves.
	function follow() {
		isAtEnd = toEnd.hidden = true;
		scroller.scrollTop = scroller.scrollHeight;
	}

	// Shows the chosen path; messages that are shown already stay.
	function show(conversation) {
		const before = views;
		views = new Map();
		for (const message of pathOf(conversation)) {
			const make = message.role === "user" ? questionView : answerView;
			const view = before.get(message) ?? make(message, actions);
			const siblings = childrenOf(conversation, message.parent);
			view.branches.show(siblings, siblings.indexOf(message));
			view.update();
			if (column.children[views.size] !== view.element) column.append(view.element);
			views.set(message, view);
		}
		for (const [message, view] of before) if (!views.has(message)) view.element.remove();
	}

	// Shows what has changed in a message, with the next picture of the screen.
	function update(message) {
		if (waiting.size === 0) requestAnimationFrame(draw);
		waiting.add(message);
	}

	function draw() {
		const began = performance.now();
		if (began < restsUntil) {
			requestAnimationFrame(draw);
			return;
		}
		for (const message of waiting) views.get(message)?.update();
		waiting.clear();
		if (isAtEnd) scroller.scrollTop = scroller.scrollHeight;
		else noteEnd();
		const ended = performance.now();
		restsUntil = ended + REST * (ended - began);
	}

	// Asks the person for the result of a call to a tool of their own.
	function askResult(message, call, stop) {
		return new Promise((resolve, reject) => {
			answers.set(call, resolve);
			stop.addEventListener("abort", () => reject(stop.reason), { once: true });
			update(message);
		}).finally(() => answers.delete(call));
	}

	return { show, update, follow, askResult, edit: (message) => views.get(message)?.edit() };
}

// Whether a key sends: Enter does, but on touch it breaks the line.
export function isSendKey(event) {
	return event.key === "Enter" && !event.shiftKey && !event.isComposing && !matchMedia("(pointer: coarse)").matches;
}

// The buttons to the other branches at a place: < 2/3 >.
function branchesView(actions) {
	const element = el("span", { class: "branches" });
	function show(siblings, at) {
		element.hidden = siblings.length < 2;
		const go = (to) => () => actions.choose(siblings[to]);
		element.replaceChildren(
			iconButton("left", "Earlier version", go(at - 1), { disabled: at === 0 }),
			`${at + 1}/${siblings.length}`,
			iconButton("right", "Later version", go(at + 1), { disabled: at === siblings.length - 1 }),
		);
	}
	return { element, show };
}

function questionView(message, actions) {
	const branches = branchesView(actions);
	const text = el("div", { class: "bubble" }, message.text);
	const footer = el("footer", null,
		branches.element,
		copyButton("Copy", () => message.text),
		iconButton("edit", "Edit", edit),
		iconButton("delete", "Delete from here on", () => actions.remove(message)),
	);
	const element = el("article", { class: "question", "aria-label": "You" }, text, footer);

	function edit() {
		const input = el("textarea", { "aria-label": "Edit the message", keydown: onKey }, message.text);
		const close = () => element.replaceChildren(text, footer);
		const send = () => {
			close();
			if (input.value.trim()) actions.edit(message, input.value);
		};
		function onKey(event) {
			const action = event.key === "Escape" ? close : isSendKey(event) ? send : null;
			if (!action) return;
			event.preventDefault();
			event.stopPropagation();
			action();
		}
		element.replaceChildren(input, el("footer", null,
			el("button", { class: "quiet", click: close }, "Cancel"),
			el("button", { class: "main", click: send }, "Send"),
		));
		input.focus();
	}
	return { element, branches, edit, update() {} };
}

const ENDS = {
	stopped: "You stopped the answer here.",
	broken: "The answer is not complete.",
	length: "The answer ends here: it reached the most tokens it may have.",
};

// A message of the model, which may still grow.
function answerView(message, actions) {
	const views = [];
	const branches = branchesView(actions);
	const parts = el("div", { class: "parts" });
	const bar = el("progress", { "aria-label": "Reading", max: 1 });
	const note = el("span");
	const status = el("div", { class: "status" }, bar, note);
	const problem = el("p");
	const again = () => actions.regenerate(message);
	const error = el("div", { class: "error" }, problem, el("button", { class: "quiet", click: again }, "Try again"));
	const stats = el("span", { class: "stats" });
	const footer = el("footer", null,
		branches.element,
		copyButton("Copy", () => textOf(message)),
		iconButton("again", "Answer again", again),
		iconButton("delete", "Delete from here on", () => actions.remove(message)),
		stats,
	);
	const element = el("article", { class: "answer", "aria-label": "Answer" }, parts, status, error, footer);

	function update() {
		message.parts.forEach((part, at) => {
			if (!views[at]) parts.append((views[at] = VIEWS[part.type](part)).element);
			views[at].update();
		});
		updateStatus();
		error.hidden = !message.error;
		problem.textContent = message.error;
		footer.hidden = message.state === "running";
		stats.textContent = statsOf(message);
	}
	function updateStatus() {
		const { state, progress, notice } = message;
		const waits = state === "running" && (notice || progress || message.parts.length === 0);
		const read = progress ? progress.processed / Math.max(1, progress.total) : 0;
		status.hidden = !waits && !ENDS[state];
		status.classList.toggle("waits", waits && !notice && !progress);
		bar.hidden = !waits || !progress || notice;
		bar.value = read;
		const reading = progress ? `Reading ${Math.floor(100 * read)} %` : "";
		note.textContent = waits ? notice ?? reading : ENDS[state] ?? "";
	}
	return { element, branches, update };
}

// The answer alone, as the model wrote it.
function textOf({ parts }) {
	return parts.filter((part) => part.type === "text").map((part) => part.text).join("\n\n").trim();
}

function statsOf({ timings, firstMs }) {
	const rate = timings?.predicted_per_second;
	const first = firstMs === undefined ? "" : `first word after ${(firstMs / 1000).toFixed(1)} s`;
	return [rate ? `${rate.toFixed(1)} tokens/s` : "", first].filter(Boolean).join(", ");
}

const VIEWS = { text: textView, reasoning: reasoningView, call: callView };

function textView(part) {
	const element = el("div", { class: "text" });
	const show = growing(element);
	let shown = 0;
	function update() {
		if (part.text.length > shown) show(part.text);
		shown = part.text.length;
	}
	return { element, update };
}

// What the model thought, folded until somebody wants to read it.
function reasoningView(part) {
	const summary = el("summary");
	const text = textView(part);
	const element = el("details", { class: "reasoning", toggle: update }, summary, text.element);
	function update() {
		const { seconds, began } = part;
		summary.textContent = began !== undefined ? "Thinking…" : seconds ? `Thought for ${seconds} s` : "Thoughts";
		if (element.open) text.update();
	}
	return { element, update };
}

// A call, with its result, which the person types where the tool is theirs.
function callView(call) {
	const summary = el("summary");
	const box = (label) => el("pre", { tabindex: 0, role: "group", "aria-label": label });
	const input = box("Arguments");
	const output = box("Result");
	const details = el("details", null, summary, input, output);
	const typed = el("textarea", { "aria-label": "Result of the call", required: true });
	const form = el("form", { submit }, typed, el("button", { class: "main" }, "Give the result"));
	function submit(event) {
		event.preventDefault();
		answers.get(call)?.(typed.value);
	}
	function update() {
		const { name, result } = call;
		const isAsked = answers.has(call);
		summary.textContent = result === undefined ? `Calls ${name}` : `Called ${name}`;
		input.textContent = call.arguments;
		output.textContent = result;
		output.hidden = result === undefined;
		details.open ||= isAsked;
		form.hidden = !isAsked;
	}
	return { element: el("div", { class: "call" }, details, form), update };
}
