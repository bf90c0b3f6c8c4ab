import { styleText } from 'node:util';

/** Gives a text the colour of what it means; every meaning can be read without colour, too. */
export type Paint = (text: string, meaning: string) => string;

const colours: Record<string, Parameters<typeof styleText>[0]> = {
  OK: 'green',
  CANCELLED: 'yellow',
  DEADLINE_EXCEEDED: 'red',
  late: 'magenta',
  deadline: 'bold',
  axis: 'dim',
  heading: 'bold',
  failure: 'red',
};

export const plain: Paint = (text) => text;

export const coloured: Paint = (text, meaning) => {
  const colour = colours[meaning];
  // Whether the output can show colours was decided before (wantsColour).
  return colour === undefined ? text : styleText(colour, text, { validateStream: false });
};

/** See https://no-color.org and https://force-color.org. */
export function wantsColour(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (env.NO_COLOR) {
    return false;
  }
  return env.FORCE_COLOR ? env.FORCE_COLOR !== '0' : isTerminal && env.TERM !== 'dumb';
}
