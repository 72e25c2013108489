/**
 * Conversations: each a tree of messages of which one path is shown. They are kept in this browser alone, in IndexedDB,
 * with their titles apart so that the list is there at once.
 */

const FORMAT = "gptoss-conversations";
const LONGEST_TITLE = 60;

/** An empty conversation. */
export function newConversation() {
	return { id: crypto.randomUUID(), title: "", updated: Date.now(), messages: [], chosen: {} };
}

/** The messages behind a message, or the first ones where it is null. */
export function childrenOf(conversation, parent) {
	return conversation.messages.filter((message) => message.parent === parent);
}

/** The messages that are shown, from the first to the last: at every branch the chosen one. */
export function pathOf(conversation) {
	const path = [];
	for (let parent = null; ; parent = path.at(-1).id) {
		const children = childrenOf(conversation, parent);
		if (children.length === 0) return path;
		path.push(children.find(({ id }) => id === conversation.chosen[parent ?? ""]) ?? children.at(-1));
	}
}

/** Adds a message behind another one, null for the first, and shows its branch. */
export function add(conversation, parent, message) {
	const added = { id: crypto.randomUUID(), parent, ...message };
	conversation.messages.push(added);
	choose(conversation, added);
	conversation.title ||= titleOf(added.text ?? "");
	return added;
}

/** Shows the branch of a message. */
export function choose(conversation, message) {
	conversation.chosen[message.parent ?? ""] = message.id;
}

/** Removes a message and all that follow it. */
export function remove(conversation, message) {
	const gone = new Set([message.id]);
	// A message lies behind its parent in the list.
	for (const { id, parent } of conversation.messages) if (gone.has(parent)) gone.add(id);
	conversation.messages = conversation.messages.filter(({ id }) => !gone.has(id));
}

function titleOf(text) {
	const line = text.trim().split("\n")[0];
	return line.length > LONGEST_TITLE ? `${line.slice(0, LONGEST_TITLE)}…` : line;
}

/** The conversations with their titles alone, newest first. */
export async function list() {
	const titles = await ask("titles", "readonly", (titles) => titles.getAll());
	return titles.sort((one, other) => other.updated - one.updated);
}

export function load(id) {
	return ask("conversations", "readonly", (all) => all.get(id));
}

export async function save(conversation) {
	const { id, title, updated } = conversation;
	const database = await open();
	const change = database.transaction(["titles", "conversations"], "readwrite");
	change.objectStore("titles").put({ id, title, updated });
	change.objectStore("conversations").put(conversation);
	return done(change);
}

export async function forget(id) {
	const database = await open();
	const change = database.transaction(["titles", "conversations"], "readwrite");
	for (const name of change.objectStoreNames) change.objectStore(name).delete(id);
	return done(change);
}

export async function forgetAll() {
	const database = await open();
	const change = database.transaction(["titles", "conversations"], "readwrite");
	for (const name of change.objectStoreNames) change.objectStore(name).clear();
	return done(change);
}

/** The ids of the conversations that have every word, in any message or in the title. */
export async function search(words) {
	const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
	const found = new Set();
	const database = await open();
	const looking = database.transaction("conversations").objectStore("conversations").openCursor();
	return new Promise((resolve, reject) => {
		looking.onerror = () => reject(looking.error);
		looking.onsuccess = () => {
			const cursor = looking.result;
			if (!cursor) return resolve(found);
			const text = textOf(cursor.value).toLowerCase();
			if (wanted.every((word) => text.includes(word))) found.add(cursor.value.id);
			cursor.continue();
		};
	});
}

function textOf({ title, messages }) {
	return [title, ...messages.flatMap(({ text, parts }) => [text ?? "", ...(parts ?? []).map((part) => part.text ?? "")])]
		.join("\n");
}

/** All conversations as JSON. */
export async function exported() {
	const conversations = await ask("conversations", "readonly", (all) => all.getAll());
	return JSON.stringify({ format: FORMAT, version: 1, conversations }, null, 1);
}

/**
 * Keeps the conversations of an exported file; those of the same id are replaced.
 * @returns {Promise<number>} how many they are
 * @throws {Error} where the file holds something else; nothing is kept then
 */
export async function imported(json) {
	const read = JSON.parse(json);
	if (read?.format !== FORMAT || !Array.isArray(read.conversations))
		throw new Error(`the file should be an export of this page, with "format": "${FORMAT}"`);
	const conversations = read.conversations.map(conversationOf);
	for (const conversation of conversations) await save(conversation);
	return conversations.length;
}

/** A conversation of a file, with the fields that are known and of the kinds that they have. */
function conversationOf(read, index) {
	const place = `conversation ${index + 1}`;
	if (typeof read?.id !== "string" || !Array.isArray(read.messages)) throw new Error(`${place} should have id and messages`);
	const known = new Set([null]);
	const messages = read.messages.map((message, at) => {
		const isKnown = typeof message?.id === "string" && known.has(message.parent ?? null);
		if (!isKnown || !["user", "assistant"].includes(message.role))
			throw new Error(`${place}, message ${at + 1} should have id, role and the parent of a message before`);
		known.add(message.id);
		return messageOf(message);
	});
	const chosen = Object.fromEntries(Object.entries(read.chosen ?? {}).filter(([, id]) => known.has(id)));
	return { id: read.id, title: String(read.title ?? ""), updated: Number(read.updated) || Date.now(), messages, chosen };
}

function messageOf({ id, parent = null, role, text, parts, state, error, model, usage, timings, firstMs }) {
	if (role === "user") return { id, parent, role, text: String(text ?? "") };
	return {
		id,
		parent,
		role,
		parts: (Array.isArray(parts) ? parts : []).map(partOf),
		state: typeof state === "string" ? state : "done",
		error: error === undefined ? undefined : String(error),
		model: model === undefined ? undefined : String(model),
		usage: usage && { total_tokens: Number(usage.total_tokens) || 0 },
		timings: timings && { predicted_per_second: Number(timings.predicted_per_second) || 0 },
		firstMs: Number(firstMs) || undefined,
	};
}

function partOf({ type, text, seconds, id, name, arguments: given, result } = {}) {
	if (type !== "call") return { type: type === "reasoning" ? type : "text", text: String(text ?? ""), seconds: Number(seconds) || undefined };
	return { type, id: String(id), name: String(name), arguments: String(given ?? ""), result: result === undefined ? undefined : String(result) };
}

let database;

function open() {
	database ??= new Promise((resolve, reject) => {
		const opening = indexedDB.open("gptoss", 1);
		opening.onupgradeneeded = () => {
			for (const name of ["titles", "conversations"]) opening.result.createObjectStore(name, { keyPath: "id" });
		};
		opening.onsuccess = () => resolve(opening.result);
		opening.onerror = () => reject(opening.error);
	});
	return database;
}

async function ask(name, mode, question) {
	const asking = question((await open()).transaction(name, mode).objectStore(name));
	return new Promise((resolve, reject) => {
		asking.onsuccess = () => resolve(asking.result);
		asking.onerror = () => reject(asking.error);
	});
}

function done(change) {
	return new Promise((resolve, reject) => {
		change.oncomplete = () => resolve();
		change.onerror = change.onabort = () => reject(change.error);
	});
}
