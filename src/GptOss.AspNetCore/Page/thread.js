/** The messages of a conversation on the screen. */

import { copyButton, el, iconButton } from "./elements.js";
import { Growing } from "./markdown.js";
import { childrenOf, pathOf } from "./store.js";

/** How far from the end, in pixels, a reader still counts as at the end. */
const NEAR_END = 48;
/** The screen rests for this many times of what the last change took, so that typing stays smooth. */
const REST = 3;

/** Shows one conversation, and follows an answer that grows while the reader is at its end. */
export class Thread {
	#scroller;
	#column;
	#toEnd;
	#actions;
	#views = new Map();
	#changed = new Set();
	#isAtEnd = true;
	#restsUntil = 0;

	/**
	 * @param {{scroller: HTMLElement, column: HTMLElement, toEnd: HTMLElement}} places
	 * @param {object} actions what a person can do with a message: edit, regenerate, remove, choose
	 */
	constructor({ scroller, column, toEnd }, actions) {
		this.#scroller = scroller;
		this.#column = column;
		this.#toEnd = toEnd;
		this.#actions = actions;
		scroller.addEventListener("scroll", () => this.#noteEnd(), { passive: true });
		toEnd.addEventListener("click", () => this.follow());
	}

	/** Shows the chosen path of a conversation; messages that are shown already stay as they are. */
	show(conversation) {
		const path = pathOf(conversation);
		const shown = new Map();
		for (const message of path) shown.set(message, this.#views.get(message) ?? this.#viewOf(message));
		for (const [message, view] of this.#views) if (!shown.has(message)) view.element.remove();
		this.#views = shown;
		for (const [message, view] of shown) {
			const siblings = childrenOf(conversation, message.parent);
			view.showBranch(siblings, siblings.indexOf(message));
			if (this.#column.children[[...shown.keys()].indexOf(message)] !== view.element) this.#column.append(view.element);
			view.update();
		}
	}

	/** Shows what has changed in a message, with the next picture of the screen. */
	update(message) {
		if (this.#changed.size === 0) requestAnimationFrame(() => this.#draw());
		this.#changed.add(message);
	}

	/** Goes to the end, and stays there while it moves. */
	follow() {
		this.#isAtEnd = true;
		this.#scroller.scrollTop = this.#scroller.scrollHeight;
		this.#toEnd.hidden = true;
	}

	/** Lets the person change a message of theirs. */
	edit(message) {
		this.#views.get(message)?.edit();
	}

	/** Asks the person for the result of a call to a tool of their own. */
	askResult(message, call, stop) {
		return new Promise((resolve, reject) => {
			call.answer = resolve;
			stop.addEventListener("abort", () => reject(stop.reason), { once: true });
			this.update(message);
		}).finally(() => delete call.answer);
	}

	#viewOf(message) {
		return message.role === "user" ? new Question(message, this.#actions) : new Answer(message, this.#actions);
	}

	#draw() {
		const began = performance.now();
		if (began < this.#restsUntil) {
			requestAnimationFrame(() => this.#draw());
			return;
		}
		for (const message of this.#changed) this.#views.get(message)?.update();
		this.#changed.clear();
		if (this.#isAtEnd) this.#scroller.scrollTop = this.#scroller.scrollHeight;
		else this.#noteEnd();
		const ended = performance.now();
		this.#restsUntil = ended + REST * (ended - began);
	}

	#noteEnd() {
		const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
		this.#isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
		this.#toEnd.hidden = this.#isAtEnd;
	}
}

/** The buttons to the other branches at a place: < 2/3 >. */
class Branches {
	element = el("span", { class: "branches" });

	constructor(actions) {
		this.actions = actions;
	}

	show(siblings, at) {
		this.element.hidden = siblings.length < 2;
		if (this.element.hidden) return;
		const go = (to) => () => this.actions.choose(siblings[to]);
		this.element.replaceChildren(
			iconButton("left", "Earlier version", go(at - 1), { disabled: at === 0 }),
			`${at + 1}/${siblings.length}`,
			iconButton("right", "Later version", go(at + 1), { disabled: at === siblings.length - 1 }),
		);
	}
}

/** A message of the person. */
class Question {
	#message;
	#actions;
	#branches;
	#text = el("div", { class: "bubble" });
	#footer;

	constructor(message, actions) {
		this.#message = message;
		this.#actions = actions;
		this.#branches = new Branches(actions);
		this.#text.textContent = message.text;
		this.#footer = el("footer", null,
			this.#branches.element,
			copyButton("Copy", () => message.text),
			iconButton("edit", "Edit", () => this.edit()),
			iconButton("delete", "Delete from here on", () => actions.remove(message)),
		);
		this.element = el("article", { class: "question", "aria-label": "You" }, this.#text, this.#footer);
	}

	showBranch(siblings, at) {
		this.#branches.show(siblings, at);
	}

	update() {}

	edit() {
		const input = el("textarea", { "aria-label": "Edit the message", keydown: onKey });
		input.value = this.#message.text;
		const close = () => this.element.replaceChildren(this.#text, this.#footer);
		const send = () => {
			close();
			if (input.value.trim()) this.#actions.edit(this.#message, input.value);
		};
		function onKey(event) {
			if (event.key === "Escape") {
				event.stopPropagation();
				close();
			} else if (isSendKey(event)) {
				event.preventDefault();
				send();
			}
		}
		this.element.replaceChildren(input, el("footer", null,
			el("button", { type: "button", class: "quiet", click: close }, "Cancel"),
			el("button", { type: "button", class: "main", click: send }, "Send"),
		));
		input.focus();
	}
}

/** Whether a key sends what is typed: Enter, but on a touch screen it breaks the line. */
export function isSendKey(event) {
	return event.key === "Enter" && !event.shiftKey && !event.isComposing && !matchMedia("(pointer: coarse)").matches;
}

/** A message of the model, which may still grow. */
class Answer {
	#message;
	#parts = el("div", { class: "parts" });
	#views = [];
	#status = el("div", { class: "status" });
	#bar = el("progress", { "aria-label": "Reading", max: 1 });
	#statusText = el("span");
	#error = el("div", { class: "error" });
	#branches;
	#stats = el("span", { class: "stats" });
	#footer;

	constructor(message, actions) {
		this.#message = message;
		this.#branches = new Branches(actions);
		this.#status.append(this.#bar, this.#statusText);
		this.#footer = el("footer", null,
			this.#branches.element,
			copyButton("Copy", () => textOf(message)),
			iconButton("again", "Answer again", () => actions.regenerate(message)),
			iconButton("delete", "Delete from here on", () => actions.remove(message)),
			this.#stats,
		);
		this.#error.append(el("p"), el("button", { type: "button", class: "quiet", click: () => actions.regenerate(message) }, "Try again"));
		this.element = el("article", { class: "answer", "aria-label": "Answer" }, this.#parts, this.#status, this.#error, this.#footer);
	}

	showBranch(siblings, at) {
		this.#branches.show(siblings, at);
	}

	update() {
		const { parts, state, error } = this.#message;
		parts.forEach((part, at) => {
			if (!this.#views[at]) this.#parts.append((this.#views[at] = viewOf(part)).element);
			this.#views[at].update();
		});
		this.#updateStatus();
		this.#error.hidden = !error;
		this.#error.firstChild.textContent = error ?? "";
		this.#footer.hidden = state === "running";
		this.#stats.textContent = statsOf(this.#message);
	}

	#updateStatus() {
		const { state, parts, progress, notice } = this.#message;
		const waits = state === "running" && (notice || progress || parts.length === 0);
		this.#status.hidden = !waits && !ENDS[state];
		this.#status.classList.toggle("waits", waits && !notice && !progress);
		this.#bar.hidden = !waits || !progress || Boolean(notice);
		if (progress) this.#bar.value = progress.processed / Math.max(1, progress.total);
		const reading = progress ? `Reading ${Math.floor((100 * progress.processed) / Math.max(1, progress.total))} %` : "";
		this.#statusText.textContent = waits ? notice ?? reading : ENDS[state] ?? "";
	}
}

const ENDS = {
	stopped: "You stopped the answer here.",
	broken: "The answer is not complete.",
	length: "The answer ends here: it reached the most tokens it may have.",
};

/** The answer alone, as the model wrote it. */
function textOf({ parts }) {
	return parts.filter((part) => part.type === "text").map((part) => part.text).join("\n\n").trim();
}

function statsOf({ timings, firstMs }) {
	const rate = timings?.predicted_per_second;
	const first = firstMs === undefined ? "" : `first word after ${(firstMs / 1000).toFixed(1)} s`;
	return [rate ? `${rate.toFixed(1)} tokens/s` : "", first].filter(Boolean).join(", ");
}

function viewOf(part) {
	return new { text: TextView, reasoning: ReasoningView, call: CallView }[part.type](part);
}

/** A part of an answer that is text. */
class TextView {
	element = el("div", { class: "text" });
	#part;
	#growing = new Growing(this.element);
	#shown = 0;

	constructor(part) {
		this.#part = part;
	}

	update() {
		if (this.#part.text.length === this.#shown) return;
		this.#shown = this.#part.text.length;
		this.#growing.show(this.#part.text);
	}
}

/** What the model thought, folded until somebody wants to read it. */
class ReasoningView {
	#part;
	#summary = el("summary");
	#text;

	constructor(part) {
		this.#part = part;
		this.#text = new TextView(part);
		const toggle = () => this.element.open && this.#text.update();
		this.element = el("details", { class: "reasoning", toggle }, this.#summary, this.#text.element);
	}

	update() {
		const { seconds, began } = this.#part;
		const label = began !== undefined ? "Thinking…" : seconds ? `Thought for ${seconds} s` : "Thoughts";
		if (this.#summary.textContent !== label) this.#summary.textContent = label;
		if (this.element.open) this.#text.update();
	}
}

/** A call of a tool, with its result, which the person types where the tool is theirs. */
class CallView {
	#call;
	#summary = el("summary");
	#input = el("pre", { tabindex: 0, role: "group", "aria-label": "Arguments" });
	#result = el("pre", { tabindex: 0, role: "group", "aria-label": "Result" });
	#form;

	constructor(call) {
		this.#call = call;
		const typed = el("textarea", { "aria-label": "Result of the call", required: true });
		const send = (event) => {
			event.preventDefault();
			call.answer?.(typed.value);
		};
		this.#form = el("form", { submit: send }, typed, el("button", { class: "main" }, "Give the result"));
		const details = el("details", null, this.#summary, this.#input, this.#result);
		this.element = el("div", { class: "call" }, details, this.#form);
	}

	update() {
		const { name, arguments: input, result, answer } = this.#call;
		this.#summary.textContent = result === undefined ? `Calls ${name}` : `Called ${name}`;
		this.#input.textContent = input;
		this.#result.textContent = result ?? "";
		this.#result.hidden = result === undefined;
		if (answer) this.#summary.parentElement.open = true;
		this.#form.hidden = !answer;
	}
}
