import { type ContestantName, contestants, loadContestant } from '../contestants/contestants.js';
import type { Turn } from '../harness/turns.js';

/** Who takes turns: every contestant, and the floor a second time, which tells what is noise. */
export type Seat = ContestantName | typeof FLOOR_AGAIN;

export const FLOOR = 'grpc-js';
export const FLOOR_AGAIN = 'grpc-js-again';
export const BY_HAND = 'grpc-js-deadline';
export const BY_HAND_IN_STORAGE = 'grpc-js-deadline-als';
export const PARENT = 'grpc-js-parent';
export const PROMISES = 'grpc-di';

export const allSeats: readonly Seat[] = [FLOOR, FLOOR_AGAIN, ...names().filter((name) => name !== FLOOR)];

/** Those whose ratios are near 1, for which a median needs many slices. */
export const nearSeats = allSeats.filter((seat) => seat.startsWith('grpc-'));

/** Ahead of which the project wants to be. */
export const peerSeats = allSeats.filter((seat) => !seat.startsWith('grpc-'));

/** Slices of those that are far from the floor tell as much with fewer of them. */
export function turnsOf(seats: readonly Seat[]): Turn<Seat>[] {
  return seats.map((name) => ({ name, everyRounds: nearSeats.includes(name) ? 1 : 4 }));
}

export function contestantOf(seat: Seat): ContestantName {
  return seat === FLOOR_AGAIN ? FLOOR : seat;
}

export async function titleOf(seat: Seat): Promise<string> {
  return seat === FLOOR_AGAIN ? 'grpc-js, the same again' : (await loadContestant(seat)).name;
}

function names(): ContestantName[] {
  return Object.keys(contestants) as ContestantName[];
}
