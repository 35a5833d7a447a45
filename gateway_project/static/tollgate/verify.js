// The check of the chains: its lines are read as they come, and shown as a bar and in words.
(() => {
  const form = document.getElementById("verify");
  const bar = document.getElementById("verify-progress");
  const words = document.getElementById("verify-words");
  const count = (number) => number.toLocaleString("en");

  function show(state, text) {
    words.dataset.state = state;
    words.textContent = text;
  }

  function tell(line) {
    switch (line.state) {
      case "running":
        bar.max = Math.max(line.total, 1);
        bar.value = line.checked;
        show("running", `${count(line.checked)} of ${count(line.total)} rows checked${line.chain ? `, now in ${line.chain}` : ""}`);
        break;
      case "intact":
        bar.max = bar.value = 1;
        show("intact", `Intact: ${count(line.chains)} chains with ${count(line.entries)} entries, and every posting, are as they were written.`);
        break;
      case "broken":
        show("broken", "Broken: " + line.bad.map((bad) => `chain ${bad.chain}, entry ${bad.seq}: ${bad.reason}`).join("; ") + ".");
        break;
      case "busy":
        show("failed", "Other checks are under way; try again in a minute.");
        break;
      default:
        show("failed", "The check failed; the gateway's log has the reason.");
    }
    return line.state !== "running";
  }

  async function run() {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    let isOver = false;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) isOver = tell(JSON.parse(line)) || isOver;
    }
    if (!isOver) throw new Error("it ended early");
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    bar.value = 0;
    show("running", "The check begins.");
    try {
      await run();
    } catch (error) {
      show("failed", `The check did not come to its end: ${error.message}.`);
    } finally {
      button.disabled = false;
    }
  });
})();
