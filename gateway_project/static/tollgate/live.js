// A doorbell: the server says that figures have changed, the page asks for those it shows.
// Parts of a page listen with hx-trigger="live from:body". Without a socket it rings every 10 s.
(() => {
  const POLL_MS = 10000;
  const RETRY_MS = [1000, 2000, 5000, 10000, 30000];
  let tries = 0;
  let poll = 0;

  const ring = () => document.body && htmx.trigger(document.body, "live");
  const show = (state, text) => {
    const sign = document.getElementById("live");
    if (!sign) return;
    sign.dataset.state = state;
    sign.querySelector(".live-text").textContent = text;
  };

  function connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/live`);
    socket.onopen = () => {
      tries = 0;
      clearInterval(poll);
      show("live", "live");
      ring(); // what changed while nobody listened
    };
    socket.onmessage = ring;
    socket.onclose = () => {
      show("polling", "every 10 s");
      clearInterval(poll);
      poll = setInterval(ring, POLL_MS);
      setTimeout(connect, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
    };
  }

  connect();
})();
