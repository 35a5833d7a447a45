// What pages share: the drawer, copying a secret, and bars. Pages work without it as far as they can.
(() => {
  const drawer = () => document.getElementById("drawer");

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "drawer") tabler.Offcanvas.getOrCreateInstance(drawer()).show();
  });

  document.addEventListener("htmx:responseError", (event) => say(
    `That did not work (${event.detail.xhr.status}). Load the page again, or ask for request ` +
    `${event.detail.xhr.getResponseHeader("x-request-id") || "?"}.`));
  document.addEventListener("htmx:sendError", () => say("The gateway does not answer."));

  function say(text) {
    const box = document.createElement("div");
    box.className = "alert alert-danger";
    box.setAttribute("role", "alert");
    box.textContent = text;
    document.getElementById("messages")?.replaceChildren(box);
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    button.textContent = "Copied";
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });
})();
