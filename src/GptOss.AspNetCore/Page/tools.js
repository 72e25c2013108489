// What the model may call when the person lets it: each tool runs in this browser.

import { el } from "./elements.js";

const SANDBOX_TIME = 5000;
const LONGEST_RESULT = 20000;

const FUNCTIONS = ["sqrt", "abs", "round", "floor", "ceil", "min", "max", "sin", "cos", "tan", "log", "log10", "exp"];
const CALCULATOR = {
	label: "Calculator",
	name: "calculator",
	description: `Computes an arithmetic expression with + - * / % ^ ( ) pi e ${FUNCTIONS.join(" ")}.`,
	parameters: textSchema("expression", "Such as (3 + 4) * 2 ^ 10"),
	run: ({ expression }) => calculate(String(expression)),
};
const CLOCK = {
	label: "Clock",
	name: "clock",
	description: "Tells the date, the time and the time zone of the person.",
	parameters: { type: "object", properties: {} },
	run: () => String(new Date()),
};
const JAVASCRIPT = {
	label: "JavaScript, in a sandbox",
	name: "javascript",
	description: "Runs JavaScript in a sandbox without network, for five seconds at most. The result is what is logged "
		+ "with console.log, and the value of the last expression.",
	parameters: textSchema("code", "The program"),
	run: ({ code }, stop) => runInSandbox(String(code), stop),
};

// The tools that the page has itself.
export const BUILT_IN = [CALCULATOR, CLOCK, JAVASCRIPT];

// The tools that are switched on; one of the person's own has no `run`: the person types its result.
export function offered({ tools, ownTools }) {
	const own = ownTools.filter((tool) => tool.isOn).map((tool) => ({ ...tool, parameters: JSON.parse(tool.schema) }));
	return [...BUILT_IN.filter((tool) => tools.includes(tool.name)), ...own];
}

// Why a tool of the person's own cannot be offered; null where it can.
export function problemOf({ name, schema }) {
	if (!/^[A-Za-z0-9_.-]{1,128}$/.test(name)) return "The name should be 1 to 128 letters, digits, '_', '.' or '-'.";
	if (BUILT_IN.some((tool) => tool.name === name)) return `The page has a tool '${name}' itself.`;
	try {
		const read = JSON.parse(schema);
		return read?.constructor === Object ? null : "The schema should be an object.";
	} catch (error) {
		return `The schema should be JSON: ${error.message}`;
	}
}

// Runs a call and gives its result, which is the error's text where it fails.
export async function run(call, stop) {
	try {
		const tool = BUILT_IN.find((one) => one.name === call.name);
		const result = await tool.run(JSON.parse(call.arguments || "{}"), stop);
		return result.length > LONGEST_RESULT ? `${result.slice(0, LONGEST_RESULT)} [cut]` : result;
	} catch (error) {
		if (stop.aborted) throw error;
		return `Error: ${error.message}`;
	}
}

function textSchema(name, description) {
	return { type: "object", properties: { [name]: { type: "string", description } }, required: [name] };
}

// The value of an arithmetic expression, as a text.
export function calculate(expression) {
	const tokens = expression.match(/\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+|[a-z]\w*|\*\*|\S/gi) ?? [];
	let at = 0;
	const takes = (...marks) => marks.includes(tokens[at]) && tokens[at++];
	const needs = (mark) => {
		if (!takes(mark)) throw new Error(`expected '${mark}', but found ${quoted(tokens[at])}`);
	};

	function sum() {
		let value = product();
		for (let mark; (mark = takes("+", "-", "−")); ) value = mark === "+" ? value + product() : value - product();
		return value;
	}
	function product() {
		let value = signed();
		for (let mark; (mark = takes("*", "/", "%", "×", "÷")); ) {
			const other = signed();
			value = mark === "%" ? value % other : "/÷".includes(mark) ? value / other : value * other;
		}
		return value;
	}
	function signed() {
		if (takes("-", "−")) return -signed();
		return takes("+") ? signed() : power();
	}
	function power() {
		const base = atom();
		return takes("^", "**") ? base ** signed() : base;
	}
	function atom() {
		if (takes("(")) {
			const value = sum();
			needs(")");
			return value;
		}
		const token = tokens[at++];
		if (/^[\d.]/.test(token ?? "")) return Number(token);
		if (token === "pi" || token === "e") return token === "pi" ? Math.PI : Math.E;
		if (!FUNCTIONS.includes(token)) throw new Error(`expected a number, but found ${quoted(token)}`);
		needs("(");
		const values = [sum()];
		while (takes(",")) values.push(sum());
		needs(")");
		return Math[token](...values);
	}

	const value = sum();
	if (at < tokens.length) throw new Error(`expected the end, but found ${quoted(tokens[at])}`);
	// Fifteen digits are what a double holds: 0.1 + 0.2 is 0.3.
	return String(Number(value.toPrecision(15)));
}

function quoted(token) {
	return token === undefined ? "the end" : `'${token}'`;
}

// Runs a program in a frame of no origin, which lets nothing out but the result.
async function runInSandbox(code, stop) {
	const frame = el("iframe", { sandbox: "allow-scripts", src: "page/sandbox.html", hidden: true, title: "Sandbox" });
	const { port1, port2 } = new MessageChannel();
	let timer, onStop;
	try {
		return await new Promise((resolve, reject) => {
			timer = setTimeout(() => reject(new Error("it ran for five seconds and was ended")), SANDBOX_TIME);
			onStop = () => reject(new Error("stopped"));
			stop.addEventListener("abort", onStop);
			port1.onmessage = ({ data }) => resolve(String(data));
			frame.addEventListener("load", () => frame.contentWindow?.postMessage(code, "*", [port2]), { once: true });
			document.body.append(frame);
		});
	} finally {
		clearTimeout(timer);
		stop.removeEventListener("abort", onStop);
		port1.close();
		frame.remove();
	}
}
