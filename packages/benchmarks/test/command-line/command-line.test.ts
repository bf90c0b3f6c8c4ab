import { describe, expect, test } from '@jest/globals';
import { listText, readCommandLine } from '../../dist/command-line/command-line.js';
import { madeUpMeasurement } from '../made-up-measurement.js';

const measurements = ['nested-unary', 'streams', 'delays'].map((name) => madeUpMeasurement(name, {}));
const running = process.versions.node.split('.')[0]!;

function read(...args: string[]) {
  const { selected, ...commandLine } = readCommandLine(args, measurements);
  return { ...commandLine, selected: selected.map(({ name }) => name) };
}

describe('the command line', () => {
  test('without arguments measures everything on the running Node', () => {
    expect(read()).toEqual({
      action: 'measure',
      quick: false,
      selected: ['nested-unary', 'streams', 'delays'],
      nodes: [{ version: running, path: process.execPath }],
    });
  });

  test('selects measurements, in the order of the report', () => {
    expect(read('--quick', '--only', 'delays, nested-unary')).toMatchObject({
      quick: true,
      selected: ['nested-unary', 'delays'],
    });
  });

  test('takes Node versions, in their order, and the running one with them', () => {
    const others = ['100', '9'].map((version) => ({ version, path: `/node=${version}` }));

    const { nodes } = read('--node=100=/node=100', '--node', '9=/node=9');

    expect(nodes).toEqual([others[1], { version: running, path: process.execPath }, others[0]]);
  });

  test('names the measurements', () => {
    expect(read('--list').action).toBe('list');
    expect(listText(measurements)).toMatch(/^streams {7}Delays of streams$/m);
  });

  test.each<[string, string[], RegExp]>([
    ['an unknown option', ['--fast'], /Unknown option '--fast'\.?$/],
    [
      'an unknown measurement',
      ['--only', 'speed'],
      /no measurement 'speed'. There are nested-unary, streams, delays\./,
    ],
    ['a measurement without --only', ['streams', 'delays'], /--only streams,delays/],
    ['a report of only some', ['--report', '--only', 'streams'], /leave out --only/],
    ['a Node without a path', ['--node', '24'], /--node 24=\/path/],
  ])('teaches about %s', (_, args, mistake) => {
    expect(read(...args).mistake).toMatch(mistake);
  });
});
