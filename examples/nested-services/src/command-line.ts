import { scenarios } from './scenarios/index.js';
import type { Scenario } from './scenarios/scenario.js';

export interface CommandLine {
  readonly help: boolean;
  readonly colour: boolean;
  readonly scenarios: readonly Scenario[];
  /** What is wrong with it, and what there is instead. */
  readonly mistake?: string;
}

const OPTIONS = ['--help', '--no-color'];

export function readCommandLine(args: string[]): CommandLine {
  const options = args.filter((arg) => arg.startsWith('-'));
  const names = args.filter((arg) => !arg.startsWith('-'));
  return {
    help: options.includes('--help'),
    colour: !options.includes('--no-color'),
    scenarios: names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name)),
    mistake:
      unknown('option', options, OPTIONS) ??
      unknown(
        'scenario',
        names,
        scenarios.map(({ name }) => name),
      ),
  };
}

export function helpText(): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return [
    'Three gRPC services, each in its own process, and what happens to their calls',
    'when time runs out or the client leaves.',
    '',
    'npm start                   shows all scenarios',
    'npm start -- <scenario>...  shows these',
    '',
    ...scenarios.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`),
    '',
    '--no-color, or NO_COLOR in the environment: without colours',
    'FORCE_COLOR in the environment: with colours, also where there is no terminal',
  ].join('\n');
}

function unknown(what: string, given: string[], known: string[]): string | undefined {
  const wrong = given.find((text) => !known.includes(text));
  return wrong === undefined ? undefined : `There is no ${what} '${wrong}'. There are ${known.join(', ')}.`;
}
