import { draw } from './picture.js';
import { Trips } from './trips.js';

const SHOWN = 4;

const form = document.querySelector('#plan');
const start = document.querySelector('#start');
const cancel = document.querySelector('#cancel');
const answer = document.querySelector('#answer');

const trips = new Trips();
/** The requests of this tab, by their ids, and when Cancel was pressed on them (epoch ms). */
const own = new Map();

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void plan();
});

async function plan() {
  const { city, timeout } = Object.fromEntries(new FormData(form));
  const id = crypto.randomUUID();
  const headers = { 'x-request-id': id };
  if (timeout !== '') {
    headers['x-timeout-ms'] = timeout;
  }
  const controller = new AbortController();
  cancel.onclick = () => {
    own.get(id).cancelledAt = Date.now();
    controller.abort();
  };
  own.set(id, { cancelledAt: undefined });
  start.disabled = true;
  cancel.disabled = false;
  answer.textContent = 'Waiting for the answer …';
  const since = performance.now();
  const text = await request(`/api/trips/${encodeURIComponent(city)}`, { headers, signal: controller.signal });
  answer.textContent = `${text} (after ${Math.round(performance.now() - since)} ms)`;
  start.disabled = false;
  cancel.disabled = true;
}

async function request(url, options) {
  try {
    const response = await fetch(url, options);
    const body = await response.json();
    return response.ok ? summary(body) : `${response.status} ${response.statusText}: ${body.error.status}`;
  } catch (error) {
    return error.name === 'AbortError' ? 'Cancelled' : String(error);
  }
}

function summary({ city, flights, hotels }) {
  const cheapest = (offers) => Math.min(...offers.map(({ price }) => price.euro));
  return `200 OK: ${city}, flights from ${cheapest(flights)} €, hotels from ${cheapest(hotels)} €`;
}

const reports = new EventSource('/api/calls');
const connection = document.querySelector('#connection');
reports.addEventListener('open', () => {
  // The gateway repeats all that it remembers.
  trips.clear();
  connection.textContent = '';
  drawSoon();
});
reports.addEventListener('error', () => {
  connection.textContent = 'The gateway does not answer; trying again.';
});
reports.addEventListener('message', ({ data }) => {
  trips.add(JSON.parse(data));
  drawSoon();
});

let frame;

function drawSoon() {
  frame ??= requestAnimationFrame(() => {
    frame = undefined;
    const shown = trips.newestFirst().slice(0, SHOWN);
    draw(document.querySelector('#trips'), shown, own);
    document.querySelector('#empty').hidden = shown.length > 0;
    if (shown.some(({ running }) => running > 0)) {
      drawSoon();
    }
  });
}
