// The page: the list of conversations, the composer, and the answers that are being made.

import { el, iconButton } from "./elements.js";
import { bindExchange, bindSettings, keepSettings, readSettings } from "./settings.js";
import * as store from "./store.js";
import { closeReasoning, servedModel, takeTurn } from "./talk.js";
import { isSendKey, threadView } from "./thread.js";
import { offered } from "./tools.js";

// How often, in milliseconds, an answer that grows is kept.
const KEEP_EVERY = 2000;
const SEARCH_AFTER = 150;

const at = (id) => document.getElementById(id);
const settings = readSettings();
// The answers that are being made: what stops each, by the conversation's id.
const running = new Map();
let conversation = store.newConversation();
let model = null;

const thread = threadView(at("scroller"), at("messages"), at("to-end"), {
	edit: (message, text) => ask(text, message.parent),
	regenerate,
	remove,
	choose(message) {
		store.choose(conversation, message);
		changed();
	},
});
bindSettings(at("settings"), settings, () => {
	keepSettings(settings);
	showSettings();
});
bindExchange(at("settings"), showList);

// Sends what the person typed, behind a message, or behind the last one that is shown.
function ask(text, parent = store.pathOf(conversation).at(-1)?.id ?? null) {
	if (running.has(conversation.id)) return;
	const question = store.add(conversation, parent, { role: "user", text });
	answer(question.id);
}

function regenerate(message) {
	if (running.has(conversation.id)) return;
	// An answer of which nothing came is no branch that somebody would go back to.
	if (message.parts.length === 0) store.remove(conversation, message);
	answer(message.parent);
}

function remove(message) {
	const count = store.childrenOf(conversation, message.id).length;
	if (running.has(conversation.id) || (count > 0 && !confirm("Delete this message and all that follow it?"))) return;
	store.remove(conversation, message);
	changed();
}

// Lets the model answer the message of an id, and keeps the answer while it grows.
async function answer(parent) {
	const own = conversation;
	const message = store.add(own, parent, { role: "assistant", parts: [], state: "running" });
	const stopping = new AbortController();
	running.set(own.id, { own, stopping });
	const keeping = setInterval(() => keep(own), KEEP_EVERY);
	changed();
	thread.follow();
	say("The answer begins.");
	try {
		const path = store.pathOf(own);
		await takeTurn(path.slice(0, path.indexOf(message)), message, settings, stopping.signal, {
			changed: () => thread.update(message),
			result: (call) => thread.askResult(message, call, stopping.signal),
		});
		message.state = message.finish === "length" ? "length" : "done";
		say("The answer is complete.");
	} catch (error) {
		end(message, error, stopping.signal.aborted);
	} finally {
		clearInterval(keeping);
		running.delete(own.id);
		closeReasoning(message);
		message.progress = message.notice = undefined;
		own.updated = Date.now();
		await keep(own);
		if (own === conversation) show();
		await showList();
	}
}

// Notes why an answer ended early; what came of it stays.
function end(message, error, isStopped) {
	message.state = isStopped ? "stopped" : error.code === "broken" ? "broken" : "error";
	if (!isStopped) message.error = error.message;
	say(isStopped ? "The answer is stopped." : `The answer failed: ${error.message}`);
}

// Tells who does not see the screen what happens.
function say(text) {
	at("live").textContent = text;
}

// Keeps a conversation, unless it was deleted meanwhile.
async function keep(own) {
	if (own.isForgotten) return;
	try {
		await store.save(own);
		notice("");
	} catch (error) {
		notice(`This browser does not keep the conversation: ${error.message}`);
	}
}

function notice(text) {
	at("notice").textContent = text;
	at("notice").hidden = !text;
}

// Shows the conversation after a change, and keeps it.
function changed() {
	conversation.updated = Date.now();
	show();
	if (conversation.messages.length > 0) keep(conversation).then(showList);
}

function show() {
	const path = store.pathOf(conversation);
	thread.show(conversation);
	at("welcome").hidden = path.length > 0;
	at("title").textContent = conversation.title || "New conversation";
	document.title = conversation.title ? `${conversation.title} · gptoss` : "gptoss";
	const isRunning = running.has(conversation.id);
	at("send").hidden = isRunning;
	at("stop").hidden = !isRunning;
	const used = path.findLast((message) => message.usage)?.usage.total_tokens ?? 0;
	const count = (number) => number.toLocaleString("en");
	const limit = model?.contextLength ? ` of ${count(model.contextLength)}` : "";
	at("meter").textContent = used > 0 ? `${count(used)}${limit} tokens` : "";
}

async function open(id) {
	const opened = running.get(id)?.own ?? (await store.load(id)) ?? store.newConversation();
	for (const message of opened.messages) {
		// Nobody makes this answer any more: the page was closed meanwhile.
		if (message.state !== "running" || running.has(id)) continue;
		Object.assign(message, { state: "broken", progress: undefined });
		message.parts.forEach((part) => delete part.began);
	}
	turnTo(opened);
}

function begin() {
	turnTo(store.newConversation());
	at("ask").focus();
}

function turnTo(own) {
	conversation = own;
	show();
	thread.follow();
	showDrawer(false);
	showList();
}

async function showList() {
	const words = at("search").value.trim();
	try {
		const [titles, found] = await Promise.all([store.list(), words ? store.search(words) : null]);
		const rows = titles.filter(({ id }) => !found || found.has(id)).map(rowOf);
		const none = el("p", { class: "faint" }, words ? "Nothing found." : "Nothing here yet.");
		at("conversations").replaceChildren(...(rows.length > 0 ? [el("ul", null, ...rows)] : [none]));
	} catch (error) {
		notice(`This browser keeps no conversations: ${error.message}`);
	}
}

function rowOf({ id, title }) {
	const name = title || "Untitled";
	const isCurrent = id === conversation.id;
	return el("li", { class: isCurrent ? "current" : null },
		el("button", { title: name, "aria-current": isCurrent && "true", click: () => open(id) }, name),
		iconButton("delete", `Delete ${name}`, () => forget(id, name)),
	);
}

async function forget(id, name) {
	if (!confirm(`Delete the conversation "${name}"?`)) return;
	giveUp(running.get(id));
	await store.forget(id);
	if (id === conversation.id) begin();
	else await showList();
}

// Ends an answer of a conversation that is not to be kept any more.
function giveUp(one) {
	if (!one) return;
	one.own.isForgotten = true;
	one.stopping.abort();
}

async function forgetAll() {
	if (!confirm("Delete all conversations? They cannot be brought back.")) return;
	for (const one of running.values()) giveUp(one);
	await store.forgetAll();
	begin();
}

function showSettings() {
	document.documentElement.dataset.theme = settings.theme;
	at("effort").value = settings.effort;
	const count = offered(settings).length;
	at("tools-on").textContent = count > 0 ? `${count} tool${count > 1 ? "s" : ""}` : "";
}

function showDrawer(isOpen) {
	document.body.classList.toggle("drawer", isOpen);
	at("menu").setAttribute("aria-expanded", isOpen);
}

function submit() {
	const text = at("ask").value;
	if (!text.trim() || running.has(conversation.id)) return;
	at("ask").value = "";
	ask(text);
}

function onAskKey(event) {
	if (isSendKey(event)) {
		event.preventDefault();
		submit();
	} else if (event.key === "ArrowUp" && at("ask").value === "") {
		event.preventDefault();
		const last = store.pathOf(conversation).findLast((message) => message.role === "user");
		if (last && !running.has(conversation.id)) thread.edit(last);
	}
}

function onKey(event) {
	const isControl = event.ctrlKey || event.metaKey;
	if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
		if (document.body.classList.contains("drawer")) showDrawer(false);
		else stop();
	} else if (isControl && event.key.toLowerCase() === "k") {
		event.preventDefault();
		showDrawer(true);
		at("search").focus();
	} else if (isControl && event.shiftKey && event.key.toLowerCase() === "o") {
		event.preventDefault();
		begin();
	}
}

// Learns what is served, and says meanwhile how far the loading is.
async function connect() {
	try {
		model = await servedModel(async (waiting) => {
			if (!waiting) return;
			const health = await fetch("health").then((response) => response.json()).catch(() => ({}));
			at("model").textContent = health.status === "loading" ? `Loading, ${Math.round(100 * health.progress)} %` : waiting;
		});
		at("model").textContent = model.id;
		at("tiny").hidden = model.id !== "gptoss-tiny";
	} catch (error) {
		at("model").textContent = error.message;
	}
	show();
}

const stop = () => running.get(conversation.id)?.stopping.abort();

function listen() {
	const clicks = {
		new: begin,
		send: submit,
		stop,
		menu: () => showDrawer(true),
		"close-drawer": () => showDrawer(false),
		"open-settings": () => at("settings").showModal(),
		"forget-all": forgetAll,
	};
	for (const [id, action] of Object.entries(clicks)) at(id).addEventListener("click", action);
	for (const one of document.querySelectorAll(".suggestion")) one.addEventListener("click", () => ask(one.textContent));
	at("ask").addEventListener("keydown", onAskKey);
	at("effort").addEventListener("change", ({ target }) => {
		settings.effort = target.value;
		keepSettings(settings);
	});
	let searching;
	at("search").addEventListener("input", () => {
		clearTimeout(searching);
		searching = setTimeout(showList, SEARCH_AFTER);
	});
	document.addEventListener("keydown", onKey);
	// Another tab may have changed the list.
	addEventListener("focus", showList);
}

listen();
showSettings();
begin();
connect();
