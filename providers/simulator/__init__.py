"""A provider that answers by itself, so that everything works without an account anywhere.

`python -m providers.simulator --data DIR` speaks OpenAI's and Anthropic's wire over real HTTP,
counts tokens exactly, keeps a journal of every call that it served, and misbehaves on request.
It answers embeddings too, under any name (`sim-embed`), with vectors made of the input's hash.

| model | what it does |
|---|---|
| sim-echo, and any other name | says back the last user message; calls a tool if asked to |
| sim-fixed | says "Hello from the simulator." |
| sim-long | says exactly `max_tokens` tokens (200 without a cap), 10 ms apart |
| sim-slow | says 20 words, 100 ms apart |
| sim-400, 401, 403, 404, 429, 500, 503, 529 | answers with that status |
| sim-hang, sim-hang-N | never answers; falls silent after N chunks |
| sim-reset | closes the connection without an answer |
| sim-cut-N | cuts the connection after N chunks |
| sim-error-event-N | an error event after N chunks |
| sim-nousage, sim-badusage | leaves usage out; sends absurd usage |
| sim-garbage, sim-empty | HTML, or nothing, with status 200 |
"""
