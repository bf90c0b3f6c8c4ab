/**
 * What the services reported, as a tree for each request. The reports of several processes may overtake each other: a
 * call may be here before its caller, and waits for it.
 */
export class Trips {
  #calls = new Map();
  #ends = new Map();

  add(event) {
    if (event.kind === 'started') {
      this.#calls.set(event.id, event);
    } else {
      this.#ends.set(event.id, event);
    }
  }

  clear() {
    this.#calls.clear();
    this.#ends.clear();
  }

  newestFirst() {
    const children = Map.groupBy(this.#calls.values(), ({ caller }) => caller);
    const requests = children.get(undefined) ?? [];
    return requests.map((request) => this.#trip(request, children)).sort((a, b) => b.request.at - a.request.at);
  }

  #trip(request, children) {
    const calls = this.#withDescendants(request, children, 0);
    return { request: calls[0], calls, running: calls.filter(({ end }) => end === undefined).length };
  }

  #withDescendants(call, children, level) {
    const below = (children.get(call.id) ?? []).sort((a, b) => a.at - b.at);
    return [
      { ...call, level, end: this.#ends.get(call.id) },
      ...below.flatMap((child) => this.#withDescendants(child, children, level + 1)),
    ];
  }
}
