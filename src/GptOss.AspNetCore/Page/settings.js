/** What the person has set: kept in this browser, changed in the panel. */

import { el, iconButton } from "./elements.js";
import { BUILT_IN, problemOf } from "./tools.js";

const PLACE = "gptoss-settings";
const EFFORTS = ["low", "medium", "high"];

/** The settings, of which only those that fit are taken from what was kept. */
export function readSettings() {
	let kept = {};
	try {
		kept = JSON.parse(localStorage.getItem(PLACE)) ?? {};
	} catch {
		// What is no JSON was not written by this page.
	}
	const numberOf = (value, least, most) => (typeof value === "number" && value >= least && value <= most ? value : null);
	return {
		system: typeof kept.system === "string" ? kept.system : "",
		effort: EFFORTS.includes(kept.effort) ? kept.effort : "medium",
		temperature: numberOf(kept.temperature, 0, 2),
		length: numberOf(kept.length, 1, 2 ** 31 - 1),
		theme: ["light", "dark"].includes(kept.theme) ? kept.theme : "auto",
		tools: Array.isArray(kept.tools) ? kept.tools : [],
		ownTools: Array.isArray(kept.ownTools) ? kept.ownTools.filter((tool) => problemOf(tool) === null) : [],
	};
}

export function keepSettings(settings) {
	localStorage.setItem(PLACE, JSON.stringify(settings));
}

/** The panel's fields, which change the settings as they are typed. */
export class SettingsPanel {
	#dialog;
	#settings;
	#changed;

	/**
	 * @param {HTMLDialogElement} dialog
	 * @param {object} settings
	 * @param {() => void} changed called after each change
	 */
	constructor(dialog, settings, changed) {
		this.#dialog = dialog;
		this.#settings = settings;
		this.#changed = changed;
		this.#bindText("system");
		this.#bindNumber("temperature");
		this.#bindNumber("length");
		this.#field("theme").value = settings.theme;
		this.#field("theme").addEventListener("change", ({ target }) => this.#set("theme", target.value));
		for (const tool of BUILT_IN) dialog.querySelector("#built-in").append(this.#switch(tool));
		dialog.querySelector("#own-tool").addEventListener("submit", (event) => this.#addTool(event));
		this.#showOwnTools();
	}

	open() {
		this.#dialog.showModal();
	}

	#field(name) {
		return this.#dialog.querySelector(`[name=${name}]`);
	}

	#set(name, value) {
		this.#settings[name] = value;
		this.#changed();
	}

	#bindText(name) {
		this.#field(name).value = this.#settings[name];
		this.#field(name).addEventListener("input", ({ target }) => this.#set(name, target.value));
	}

	/** An empty field leaves the number to the server; one outside of its range is told by the browser. */
	#bindNumber(name) {
		this.#field(name).value = this.#settings[name] ?? "";
		this.#field(name).addEventListener("input", ({ target }) => {
			if (target.reportValidity()) this.#set(name, target.value === "" ? null : Number(target.value));
		});
	}

	#switch({ name, label }) {
		const change = ({ target }) => {
			const others = this.#settings.tools.filter((tool) => tool !== name);
			this.#set("tools", target.checked ? [...others, name] : others);
		};
		const box = el("input", { type: "checkbox", checked: this.#settings.tools.includes(name), change });
		return el("label", { class: "switch" }, box, label);
	}

	#addTool(event) {
		event.preventDefault();
		const { toolName, toolDescription, toolSchema } = event.target.elements;
		const tool = {
			name: toolName.value.trim(),
			description: toolDescription.value.trim(),
			schema: toolSchema.value.trim() || "{}",
			isOn: true,
		};
		const isTaken = this.#settings.ownTools.some(({ name }) => name === tool.name);
		const problem = problemOf(tool) ?? (isTaken ? `There is a tool '${tool.name}' already.` : null);
		this.#dialog.querySelector("#tool-problem").textContent = problem ?? "";
		if (problem) return;
		event.target.reset();
		this.#set("ownTools", [...this.#settings.ownTools, tool]);
		this.#showOwnTools();
	}

	#showOwnTools() {
		const rows = this.#settings.ownTools.map((tool) => {
			const change = ({ target }) => {
				tool.isOn = target.checked;
				this.#changed();
			};
			const remove = () => {
				this.#set("ownTools", this.#settings.ownTools.filter((other) => other !== tool));
				this.#showOwnTools();
			};
			return el("div", { class: "row" },
				el("label", { class: "switch" }, el("input", { type: "checkbox", checked: tool.isOn, change }), tool.name),
				iconButton("delete", `Remove ${tool.name}`, remove),
			);
		});
		this.#dialog.querySelector("#own-tools").replaceChildren(...rows);
	}
}
