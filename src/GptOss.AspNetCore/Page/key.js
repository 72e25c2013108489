// The key that a server may need: asked for once, kept until the tab is closed.

const PLACE = "gptoss-key";
const at = (id) => document.getElementById(id);

// The key as a request carries it.
export function keyHeader() {
	const key = sessionStorage.getItem(PLACE);
	return key && { Authorization: `Bearer ${key}` };
}

// Asks the person for the key, and says whether they gave one.
export function askKey() {
	const dialog = at("key");
	at("key-problem").textContent = keyHeader() ? "This key is not one of the server's." : "";
	dialog.returnValue = "";
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener("close", () => {
			const key = dialog.returnValue && at("key-input").value.trim();
			at("key-input").value = "";
			if (key) sessionStorage.setItem(PLACE, key);
			resolve(Boolean(key));
		}, { once: true });
	});
}
