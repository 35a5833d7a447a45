// A conversation with the public API. The key lives in its field and nowhere else; what models say
// is put in as text, never as HTML.
(() => {
  const at = (id) => document.getElementById(id);
  const root = at("playground");
  const talk = [];
  let abort = null;

  function body(messages) {
    const wanted = { model: at("model").value.trim(), messages };
    const cap = Number.parseInt(at("max-tokens").value, 10);
    const heat = Number.parseFloat(at("temperature").value);
    if (cap > 0) wanted.max_tokens = cap;
    if (heat >= 0) wanted.temperature = heat;
    if (at("stream").checked) Object.assign(wanted, { stream: true, stream_options: { include_usage: true } });
    return wanted;
  }

  function messages() {
    const system = at("system").value.trim();
    return [...(system ? [{ role: "system", content: system }] : []), ...talk];
  }

  function turn(who, look) {
    at("lines").querySelector(".talk-empty")?.remove();
    const box = document.createElement("div");
    box.className = `turn ${look}`;
    const name = document.createElement("span");
    name.className = "turn-who";
    name.textContent = who;
    const text = document.createElement("span");
    box.append(name, text);
    at("lines").append(box);
    return { add(more) { text.textContent += more; at("lines").scrollTop = at("lines").scrollHeight; }, box, get text() { return text.textContent; } };
  }

  function figures(known) {
    const parts = [];
    if (known.usage) parts.push(`${known.usage.prompt_tokens} tokens in, ${known.usage.completion_tokens} out`);
    if (known.cost != null) parts.push(`cost $${dollars(known.cost)}`);
    if (known.first != null) parts.push(`first token after ${Math.round(known.first)} ms`);
    if (known.total != null) parts.push(`${Math.round(known.total)} ms in all`);
    at("figures").replaceChildren(...parts.map((part) => Object.assign(document.createElement("span"), { textContent: part })));
    if (known.call) {
      const link = Object.assign(document.createElement("a"), { href: `/requests/${encodeURIComponent(known.call)}/`, textContent: "In the request log" });
      at("figures").append(link);
    }
  }

  function dollars(nanos) {
    const text = BigInt(nanos).toString().padStart(10, "0");
    return `${text.slice(0, -9)}.${text.slice(-9).replace(/0+$/, "").padEnd(2, "0")}`;
  }

  async function fail(answer) {
    const text = await answer.text();
    let message = text.slice(0, 500);
    try { message = JSON.parse(text).error.message; } catch { /* not ours: shown as it is */ }
    throw new Error(`${answer.status}: ${message}`);
  }

  async function readStream(answer, said, known, started) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (!line.startsWith("data:")) continue;
        const data = line.slice(5).trim();
        if (data === "[DONE]") return;
        const chunk = JSON.parse(data);
        if (chunk.error) throw new Error(chunk.error.message);
        const text = chunk.choices?.[0]?.delta?.content;
        if (text) {
          known.first ??= performance.now() - started;
          said.add(text);
        }
        if (chunk.usage) known.usage = chunk.usage;
        figures(known);
      }
    }
  }

  async function readWhole(answer, said, known) {
    const whole = await answer.json();
    known.usage = whole.usage;
    known.cost = answer.headers.get("x-tollgate-cost-nanos");
    said.add(whole.choices?.[0]?.message?.content ?? "(no text)");
  }

  async function send() {
    const text = at("say").value.trim();
    if (!text || abort) return;
    turn("You", "turn-user").add(text);
    talk.push({ role: "user", content: text });
    at("say").value = "";
    const said = turn(at("model").value.trim(), "turn-model");
    const known = {};
    const started = performance.now();
    abort = new AbortController();
    busy(true);
    try {
      const asked = body(messages());
      const answer = await fetch("/v1/chat/completions", {
        method: "POST",
        credentials: "omit",
        headers: { "content-type": "application/json", authorization: `Bearer ${at("api-key").value.trim()}` },
        body: JSON.stringify(asked),
        signal: abort.signal,
      });
      if (!answer.ok) await fail(answer);
      known.call = answer.headers.get("x-tollgate-call");
      await (asked.stream ? readStream(answer, said, known, started) : readWhole(answer, said, known));
      talk.push({ role: "assistant", content: said.text });
    } catch (error) {
      tellError(error, said);
    } finally {
      known.total = performance.now() - started;
      figures(known);
      abort = null;
      busy(false);
    }
  }

  function tellError(error, said) {
    if (error.name === "AbortError") {
      said.add(" (stopped)");
      talk.push({ role: "assistant", content: said.text });
      return;
    }
    if (!said.text) said.box.remove();
    talk.pop();
    turn("Not answered", "turn-error").add(error.message);
  }

  function busy(is) {
    at("send").hidden = is;
    at("stop").hidden = !is;
    (is ? at("stop") : at("say")).focus();
  }

  function showCode() {
    const asked = body(messages().length ? messages() : [{ role: "user", content: at("say").value.trim() || "Hello!" }]);
    const quoted = JSON.stringify(asked).replaceAll("'", "'\\''");
    at("code-curl").textContent = [
      `curl '${root.dataset.origin}/v1/chat/completions' \\`,
      `  -H "Authorization: Bearer $TOLLGATE_KEY" \\`,
      "  -H 'Content-Type: application/json' \\",
      `  -d '${quoted}'`,
    ].join("\n");
    const { stream, stream_options: _, ...rest } = asked;
    const named = Object.entries(rest).map(([name, value]) => `    ${name}=${JSON.stringify(value)},`);
    at("code-python").textContent = [
      "import os",
      "from openai import OpenAI",
      "",
      `client = OpenAI(base_url=${JSON.stringify(`${root.dataset.origin}/v1`)}, api_key=os.environ["TOLLGATE_KEY"])`,
      `${stream ? "chunks" : "answer"} = client.chat.completions.create(`,
      ...named,
      ...(stream ? ["    stream=True,"] : []),
      ")",
      ...(stream
        ? ["for chunk in chunks:", '    print(chunk.choices[0].delta.content or "", end="")']
        : ["print(answer.choices[0].message.content)"]),
    ].join("\n");
  }

  at("send").addEventListener("click", send);
  at("stop").addEventListener("click", () => abort?.abort());
  at("say").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
  });
  at("clear").addEventListener("click", () => {
    talk.length = 0;
    at("lines").replaceChildren();
    at("figures").replaceChildren();
  });
  at("code-button").addEventListener("click", (event) => {
    const code = at("code");
    code.hidden = !code.hidden;
    event.currentTarget.setAttribute("aria-expanded", String(!code.hidden));
    if (!code.hidden) showCode();
  });
  root.addEventListener("input", () => { if (!at("code").hidden) showCode(); });
})();
