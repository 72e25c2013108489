// What the person has set: kept in this browser, changed in the panel.

import { el, iconButton } from "./elements.js";
import { exported, imported } from "./store.js";
import { BUILT_IN, problemOf } from "./tools.js";

const PLACE = "gptoss-settings";

// The settings, of which only those that fit are taken from what was kept.
export function readSettings() {
	let kept = {};
	try {
		kept = JSON.parse(localStorage.getItem(PLACE)) ?? {};
	} catch {
		// Not written by this page.
	}
	const one = (value, ...others) => (others.includes(value) ? value : others[0]);
	const number = (value, least, most) => (value >= least && value <= most ? Number(value) : null);
	const list = (value) => (Array.isArray(value) ? value : []);
	return {
		system: String(kept.system ?? ""),
		effort: one(kept.effort, "medium", "low", "high"),
		temperature: number(kept.temperature ?? NaN, 0, 2),
		length: number(kept.length, 1, 2 ** 31 - 1),
		theme: one(kept.theme, "auto", "light", "dark"),
		tools: list(kept.tools),
		ownTools: list(kept.ownTools).filter((tool) => problemOf(tool) === null),
	};
}

export function keepSettings(settings) {
	localStorage.setItem(PLACE, JSON.stringify(settings));
}

export function bindSettings(dialog, settings, changed) {
	const find = (selector) => dialog.querySelector(selector);
	const set = (name, value) => {
		settings[name] = value;
		changed();
	};
	for (const name of ["system", "temperature", "length", "theme"]) {
		const field = find(`[name=${name}]`);
		field.value = settings[name] ?? "";
		// An empty number is left to the server; one outside of its range is told by the browser.
		const valueOf = () => (field.type !== "number" ? field.value : field.value === "" ? null : Number(field.value));
		field.addEventListener("input", () => field.reportValidity() && set(name, valueOf()));
	}
	for (const { name, label } of BUILT_IN) {
		const turn = (isOn) => set("tools", [...settings.tools.filter((tool) => tool !== name), ...(isOn ? [name] : [])]);
		find("#built-in").append(switchOf(label, settings.tools.includes(name), turn));
	}
	find("#own-tool").addEventListener("submit", addTool);
	showOwnTools();

	function addTool(event) {
		event.preventDefault();
		const { name, description, schema } = Object.fromEntries(new FormData(event.target));
		const tool = { name: name.trim(), description: description.trim(), schema: schema.trim() || "{}", isOn: true };
		const isTaken = settings.ownTools.some((other) => other.name === tool.name);
		const problem = problemOf(tool) ?? (isTaken ? `There is a tool '${tool.name}' already.` : "");
		find("#tool-problem").textContent = problem;
		if (problem) return;
		event.target.reset();
		set("ownTools", [...settings.ownTools, tool]);
		showOwnTools();
	}

	function showOwnTools() {
		find("#own-tools").replaceChildren(...settings.ownTools.map((tool) => {
			const turn = (isOn) => {
				tool.isOn = isOn;
				changed();
			};
			const remove = () => {
				set("ownTools", settings.ownTools.filter((other) => other !== tool));
				showOwnTools();
			};
			const button = iconButton("delete", `Remove ${tool.name}`, remove);
			return el("div", { class: "row" }, switchOf(tool.name, tool.isOn, turn), button);
		}));
	}
}

function switchOf(label, isOn, turn) {
	const change = ({ target }) => turn(target.checked);
	return el("label", { class: "switch" }, el("input", { type: "checkbox", checked: isOn, change }), label);
}

export function bindExchange(dialog, changed) {
	const [button, input, result] = ["#export", "#import", "#import-result"].map((id) => dialog.querySelector(id));
	button.addEventListener("click", async () => {
		const address = URL.createObjectURL(new Blob([await exported()], { type: "application/json" }));
		el("a", { href: address, download: "conversations.json" }).click();
		setTimeout(() => URL.revokeObjectURL(address), 10000);
	});
	input.addEventListener("change", async () => {
		try {
			result.textContent = `${await imported(await input.files[0].text())} taken.`;
			changed();
		} catch (error) {
			result.textContent = `Not taken: ${error.message}`;
		}
		input.value = "";
	});
}
