// Conversations: each a tree of messages, of which one path is shown, kept in this browser's IndexedDB.

const FORMAT = "gptoss-conversations";
// The titles lie apart, so that the list is there at once.
const STORES = ["titles", "conversations"];
const LONGEST_TITLE = 60;
// Also where the page comes over plain HTTP, and randomUUID is not there.
const newId = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

export function newConversation() {
	return { id: newId(), title: "", updated: Date.now(), messages: [], chosen: {} };
}

// The messages behind a message; behind null the first ones.
export function childrenOf(conversation, parent) {
	return conversation.messages.filter((message) => message.parent === parent);
}

// The messages that are shown: at every branch the chosen one.
export function pathOf(conversation) {
	const path = [];
	for (let parent = null; ; parent = path.at(-1).id) {
		const children = childrenOf(conversation, parent);
		if (children.length === 0) return path;
		path.push(children.find(({ id }) => id === conversation.chosen[parent ?? ""]) ?? children.at(-1));
	}
}

// Adds a message behind another one, and shows its branch.
export function add(conversation, parent, message) {
	const added = { id: newId(), parent, ...message };
	conversation.messages.push(added);
	choose(conversation, added);
	conversation.title ||= titleOf(added.text ?? "");
	return added;
}

export function choose(conversation, message) {
	conversation.chosen[message.parent ?? ""] = message.id;
}

// Removes a message and all that follow it.
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

// The conversations with their titles alone, newest first.
export async function list() {
	const titles = await ask("titles", (titles) => titles.getAll());
	return titles.sort((one, other) => other.updated - one.updated);
}

export function load(id) {
	return ask("conversations", (all) => all.get(id));
}

export function save(conversation) {
	const { id, title, updated } = conversation;
	return change((store) => store.put(store.name === "titles" ? { id, title, updated } : conversation));
}

export function forget(id) {
	return change((store) => store.delete(id));
}

export function forgetAll() {
	return change((store) => store.clear());
}

// The ids of the conversations that have every word somewhere.
export async function search(words) {
	const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
	const all = await everything();
	const has = (text) => wanted.every((word) => text.includes(word));
	return new Set(all.filter((one) => has(textOf(one).toLowerCase())).map(({ id }) => id));
}

function everything() {
	return ask("conversations", (all) => all.getAll());
}

function textOf({ title, messages }) {
	const texts = messages.flatMap(({ text, parts = [] }) => [text, ...parts.map((part) => part.text)]);
	return [title, ...texts].join("\n");
}

export async function exported() {
	return JSON.stringify({ format: FORMAT, version: 1, conversations: await everything() }, null, 1);
}

// Keeps the conversations of an exported file, and counts them.
export async function imported(json) {
	const read = JSON.parse(json);
	if (read?.format !== FORMAT || !Array.isArray(read.conversations))
		throw new Error(`the file should be an export of this page, with "format": "${FORMAT}"`);
	const conversations = read.conversations.map(conversationOf);
	for (const conversation of conversations) await save(conversation);
	return conversations.length;
}

// A conversation of a file: its known fields alone, each of its own kind.
function conversationOf({ id, title, updated, messages, chosen }, index) {
	const known = new Set([null]);
	const check = (message) => {
		const isWhole = typeof message.id === "string" && known.has(message.parent ?? null);
		if (!isWhole || !["user", "assistant"].includes(message.role))
			throw new Error(`conversation ${index + 1}: a message should have id, role and the parent of one before`);
		known.add(message.id);
		return messageOf(message);
	};
	return {
		id: String(id),
		title: textOr(title, ""),
		updated: numberOr(updated, Date.now()),
		messages: messages.map(check),
		chosen: Object.fromEntries(Object.entries(chosen ?? {}).filter(([, to]) => known.has(to))),
	};
}

const textOr = (value, other) => (value == null ? other : String(value));
const numberOr = (value, other) => Number(value) || other;

function messageOf({ id, parent = null, role, text, parts, state, error, usage, timings, firstMs }) {
	if (role === "user") return { id, parent, role, text: textOr(text, "") };
	return {
		id,
		parent,
		role,
		parts: Array.from(parts ?? [], partOf),
		state: textOr(state, "done"),
		error: textOr(error),
		usage: { total_tokens: numberOr(usage?.total_tokens, 0) },
		timings: { predicted_per_second: numberOr(timings?.predicted_per_second, 0) },
		firstMs: numberOr(firstMs),
	};
}

function partOf({ type, text, seconds, id, name, arguments: given, result }) {
	return type === "call"
		? { type, id: String(id), name: String(name), arguments: textOr(given, ""), result: textOr(result) }
		: { type: type === "reasoning" ? type : "text", text: textOr(text, ""), seconds: numberOr(seconds) };
}

let database;

function open() {
	database ??= new Promise((resolve, reject) => {
		const opening = indexedDB.open("gptoss", 1);
		opening.onupgradeneeded = () => {
			for (const name of STORES) opening.result.createObjectStore(name, { keyPath: "id" });
		};
		opening.onsuccess = () => resolve(opening.result);
		opening.onerror = () => reject(opening.error);
	});
	return database;
}

async function ask(name, question) {
	const asking = question((await open()).transaction(name).objectStore(name));
	return new Promise((resolve, reject) => {
		asking.onsuccess = () => resolve(asking.result);
		asking.onerror = () => reject(asking.error);
	});
}

// Changes titles and conversations together, or neither.
async function change(how) {
	const changing = (await open()).transaction(STORES, "readwrite");
	for (const name of STORES) how(changing.objectStore(name));
	return new Promise((resolve, reject) => {
		changing.oncomplete = () => resolve();
		changing.onerror = changing.onabort = () => reject(changing.error);
	});
}
