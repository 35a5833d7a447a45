// Before the first paint: the theme that was chosen, or else the system's.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem("theme") || (dark.matches ? "dark" : "light");
  const apply = () => document.documentElement.setAttribute("data-bs-theme", chosen());
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#theme")) return;
    localStorage.setItem("theme", chosen() === "dark" ? "light" : "dark");
    apply();
    document.dispatchEvent(new CustomEvent("theme"));
  });
})();
