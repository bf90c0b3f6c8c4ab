import { ending } from './ending.js';

const STATES = {
  OK: ['done', '✓ done'],
  CANCELLED: ['cancelled', '✕ cancelled'],
  DEADLINE_EXCEEDED: ['deadline', '◷ deadline exceeded'],
};

/** The elements by the ids of their requests and calls: each stays the same, so that the picture does not flicker. */
const cards = new Map();
const rows = new Map();

/** Shows the trips, in their order, each as a tree of calls along a common axis of time. */
export function draw(container, trips, own) {
  arrange(
    container,
    trips.map((trip) => card(trip, own.get(trip.request.id))),
  );
}

function card(trip, own) {
  const { request, calls } = trip;
  const element = keyed(cards, request.id, () => newCard(request, own !== undefined));
  const { baseline, words } = ending(trip, own);
  put(element.querySelector('.ending'), words);
  const until = Math.max(...calls.map(({ end }) => end?.at ?? Date.now()), request.at + 500);
  const axis = { from: request.at, until, baseline };
  arrange(
    element.querySelector('tbody'),
    calls.map((call) => row(call, axis)),
  );
  return element;
}

function newCard({ id, at }, isOwn) {
  const element = document.createElement('article');
  element.dataset.request = id;
  element.innerHTML = `
    <h2></h2>
    <p class="ending" role="status"></p>
    <table>
      <thead><tr><th>Call</th><th>State</th><th class="line">Time</th><th>Took</th><th>Stopped</th></tr></thead>
      <tbody></tbody>
    </table>`;
  element.querySelector('h2').textContent =
    `${isOwn ? 'This tab' : 'Another tab'}, ${new Date(at).toLocaleTimeString()}`;
  return element;
}

function row(call, { from, until, baseline }) {
  const { id, at, end, deadline, level } = call;
  const element = keyed(rows, id, () => newRow(call));
  const [state, words] = end === undefined ? ['running', '… running'] : (STATES[end.outcome] ?? failed(end));
  element.dataset.state = state;
  element.title = end?.reason ?? '';
  put(element.querySelector('.state'), words);

  const percent = (time) => `${Math.min(100, (100 * (time - from)) / (until - from))}%`;
  const bar = element.querySelector('.bar');
  bar.style.left = percent(at);
  bar.style.right = `calc(100% - ${percent(end?.at ?? Date.now())})`;
  const mark = element.querySelector('.mark');
  mark.hidden = deadline === undefined || deadline > until;
  mark.style.left = percent(deadline);

  put(element.querySelector('.took'), `${Math.round((end?.at ?? Date.now()) - at)} ms`);
  const wasStopped = baseline !== undefined && (state === 'cancelled' || state === 'deadline') && level > 0;
  put(element.querySelector('.stopped'), wasStopped ? signed(end.at - baseline) : '');
  return element;
}

function newRow({ service, method, subject, level }) {
  const element = document.createElement('tr');
  element.dataset.service = service;
  element.innerHTML = `
    <th scope="row"><b></b> <span></span></th>
    <td class="state"></td>
    <td class="line"><div><i class="bar"></i><i class="mark" title="the deadline of its context"></i></div></td>
    <td class="took"></td>
    <td class="stopped"></td>`;
  element.style.setProperty('--level', level);
  element.querySelector('b').textContent = service;
  element.querySelector('span').textContent = `${method} ${subject}`;
  return element;
}

function failed({ outcome }) {
  return ['failed', `! ${outcome}`];
}

function signed(ms) {
  return `${ms < 0 ? '−' : '+'}${Math.abs(ms)} ms`;
}

function keyed(elements, key, make) {
  const element = elements.get(key) ?? make();
  elements.set(key, element);
  return element;
}

/** Leaves alone what has not changed: a screen reader says every change. */
function put(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

function arrange(parent, children) {
  if (children.length !== parent.children.length || children.some((child, index) => child !== parent.children[index])) {
    parent.replaceChildren(...children);
  }
}
