// Makes elements; no text is ever read as HTML.

// Makes an element; a function among the attributes listens to the event of that name.
export function el(name, attributes, ...children) {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes ?? {})) {
		if (typeof value === "function") made.addEventListener(key, value);
		else if (value === true) made.setAttribute(key, "");
		else if (value !== false && value != null) made.setAttribute(key, value);
	}
	made.append(...children);
	return made;
}

// A picture of index.html's list.
function icon(name) {
	const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
	const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
	use.setAttribute("href", `#icon-${name}`);
	picture.setAttribute("aria-hidden", "true");
	picture.append(use);
	return picture;
}

// A button that shows a picture and has a name all the same.
export function iconButton(name, label, onClick, attributes) {
	return el("button", { class: "icon", "aria-label": label, title: label, click: onClick, ...attributes }, icon(name));
}

// A button that copies what the function gives, and says for a moment that it has.
export function copyButton(label, textOf) {
	// Over plain HTTP from another machine a browser lets no page copy.
	const button = el("button", { class: "quiet", click: copy, hidden: !navigator.clipboard }, label);
	async function copy() {
		await navigator.clipboard.writeText(textOf());
		button.textContent = "Copied";
		setTimeout(() => (button.textContent = label), 1500);
	}
	return button;
}
