// A turn: the request, the events of its stream, and the tools that are called in between.

import { askKey, keyHeader } from "./key.js";
import { offered, run } from "./tools.js";

const MOST_ROUNDS = 10;

// What went wrong, in words for the person; `code` is the server's, where it has one.
class TalkError extends Error {
	constructor(message, code) {
		super(message);
		this.code = code;
	}
}

// The model that is served, and the most tokens of a conversation.
export async function servedModel(onWait) {
	const response = await request("v1/models", {}, onWait);
	const [model] = (await response.json()).data;
	return { id: model.id, contextLength: model.max_model_len };
}

// Answers a conversation: fills the message until the answer is complete.
export async function takeTurn(history, message, settings, stop, tell) {
	const tools = offered(settings);
	for (let round = 0; ; round++) {
		const body = bodyOf([...history, message], settings, tools);
		await readAnswer(body, message, stop, tell.changed);
		const calls = message.parts.filter((part) => part.type === "call" && part.result === undefined);
		if (calls.length === 0 || message.finish !== "tool_calls") return;
		if (round === MOST_ROUNDS - 1) throw new TalkError(`${MOST_ROUNDS} rounds of calls are the most of one answer.`);
		for (const call of calls) {
			const tool = tools.find((one) => one.name === call.name);
			const isTyped = tool && !tool.run;
			call.result = await (isTyped ? tell.result(call) : tool ? run(call, stop) : `Error: no tool '${call.name}'`);
			tell.changed();
		}
	}
}

// The body of a request for the next part of an answer.
function bodyOf(history, settings, tools) {
	const system = settings.system.trim();
	return {
		messages: [...(system ? [{ role: "system", content: system }] : []), ...history.flatMap(wireOf)],
		stream: true,
		stream_options: { include_usage: true },
		return_progress: true,
		reasoning_effort: settings.effort,
		temperature: settings.temperature ?? undefined,
		max_completion_tokens: settings.length ?? undefined,
		tools: tools.length > 0 ? tools.map(toolOf) : undefined,
	};
}

function toolOf({ name, description, parameters }) {
	return { type: "function", function: { name, description, parameters } };
}

// A message as the server reads it: an answer with calls is several, each with its result.
function wireOf(message) {
	if (message.role === "user") return [{ role: "user", content: message.text }];
	const sent = [];
	let own = null;
	for (const part of message.parts) {
		if (part.type === "call" && part.result === undefined) continue;
		if (!own) sent.push((own = { role: "assistant" }));
		if (part.type === "reasoning") own.reasoning = (own.reasoning ?? "") + part.text;
		if (part.type === "text") own.content = (own.content ?? "") + part.text;
		if (part.type !== "call") continue;
		const asked = { name: part.name, arguments: part.arguments };
		own.tool_calls = [{ id: part.id, type: "function", function: asked }];
		sent.push({ role: "tool", tool_call_id: part.id, content: part.result });
		own = null;
	}
	return sent;
}

async function readAnswer(body, message, stop, changed) {
	const began = performance.now();
	const onWait = (notice) => {
		message.notice = notice;
		changed();
	};
	const sent = { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
	const response = await request("v1/chat/completions", sent, onWait, stop);
	message.finish = undefined;
	for await (const event of eventsOf(response)) {
		if (event.error) throw new TalkError(event.error.message, event.error.code);
		take(event, message, performance.now() - began);
		changed();
	}
	closeReasoning(message);
	if (!message.finish) broken();
}

// Takes one event of the stream into the message.
function take(event, message, elapsed) {
	if (event.prompt_progress) message.progress = event.prompt_progress;
	if (event.usage) message.usage = event.usage;
	if (event.timings) message.timings = event.timings;
	const choice = event.choices?.[0];
	if (!choice) return;
	const { reasoning, content, tool_calls: calls } = choice.delta;
	if (reasoning || content || calls) {
		message.progress = undefined;
		message.firstMs ??= Math.round(elapsed);
	}
	if (reasoning) grow(message, "reasoning", reasoning);
	if (content) grow(message, "text", content);
	for (const call of calls ?? []) takeCall(message, call);
	if (choice.finish_reason) message.finish = choice.finish_reason;
}

function grow(message, type, text) {
	let part = message.parts.at(-1);
	if (part?.type !== type) {
		closeReasoning(message);
		part = { type, text: "" };
		if (type === "reasoning") part.began = Date.now();
		message.parts.push(part);
	}
	part.text += text;
}

function takeCall(message, { id, function: about }) {
	closeReasoning(message);
	if (id) message.parts.push({ type: "call", id, name: about.name, arguments: "" });
	message.parts.at(-1).arguments += about.arguments ?? "";
}

// Notes how long the model has thought, once it does something else.
export function closeReasoning(message) {
	const part = message.parts.at(-1);
	if (part?.began === undefined) return;
	part.seconds = Math.max(1, Math.round((Date.now() - part.began) / 1000));
	delete part.began;
}

// The events of a stream; lines that are no data are signs of life.
async function* eventsOf(response) {
	let rest = "";
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	for (let read; !(read = await reader.read().catch(broken)).done; ) {
		const lines = (rest + read.value).split("\n");
		rest = lines.pop();
		for (const line of lines) {
			const data = line.startsWith("data: ") ? line.slice(6) : "";
			if (data && data !== "[DONE]") yield JSON.parse(data);
		}
	}
}

function broken(error) {
	if (error?.name === "AbortError") throw error;
	throw new TalkError("The connection broke before the answer was complete.", "broken");
}

// Sends a request with the key, and waits as the server says where it is busy.
async function request(path, options, onWait, stop) {
	for (;;) {
		const headers = { ...options.headers, ...keyHeader() };
		const response = await fetch(path, { ...options, headers, signal: stop }).catch(unreachable);
		if (response.ok) {
			onWait(undefined);
			return response;
		}
		if (response.status === 401 && (await askKey())) continue;
		if (response.status === 503) await wait(response, onWait, stop);
		else throw await errorOf(response);
	}
}

function unreachable(error) {
	if (error.name === "AbortError") throw error;
	throw new TalkError("The server cannot be reached.");
}

async function errorOf(response) {
	const { error } = await response.json().catch(() => ({}));
	return new TalkError(error?.message ?? `The server answered with the status ${response.status}.`, error?.code);
}

// Waits as long as the server asks for, and counts the seconds down.
async function wait(response, onWait, stop) {
	const { message } = await errorOf(response);
	for (let left = Math.max(1, Number(response.headers.get("Retry-After")) || 2); left > 0; left--) {
		onWait(`${message} Trying again in ${left} s.`);
		await pause(1000, stop);
	}
}

function pause(milliseconds, stop) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(resolve, milliseconds);
		stop?.addEventListener("abort", () => {
			clearTimeout(timer);
			reject(stop.reason);
		}, { once: true });
	});
}
