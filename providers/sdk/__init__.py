"""The rooms behind the public door `providers/__init__.py`; import names from there.

| room | what stands there |
|---|---|
| `arguments.py`, `answer_format.py` | keyword arguments of a call -> a checked `Call`; pure |
| `addresses.py` | which provider, at what address, with which key; reads the environment |
| `exchange.py` | build, send, read, retry, fall back: generators that do no I/O |
| `drivers.py`, `connections.py` | the two that do it for them: a thread's and a loop's |
| `chat.py`, `streams.py`, `results.py` | `completion`, `acompletion` and what they give back |
| `vectors.py`, `responses.py` | `embedding` and `responses` with their twins |
| `prices.py`, `costs.py`, `models.py`, `abilities.py` | what a call costs and what a model can do |
| `counting.py`, `gathering.py` | tokens of a text; chunks of a stream put together |
| `callbacks.py`, `mocks.py` | who is told of a call; answers without a provider |
| `failures.py`, `openai_classes.py` | errors by LiteLLM's and openai's names |
"""
