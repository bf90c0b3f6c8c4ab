import { describe, expect, test } from '@jest/globals';
import { DOMParser } from 'linkedom';
import { barsFigure } from '../../dist/figures/bars-figure.js';
import { linesFigure } from '../../dist/figures/lines-figure.js';
import { ratioFigure } from '../../dist/figures/ratio-figure.js';
import { renderFigure } from '../../dist/figures/render-figure.js';
import type { Figure } from '../../dist/measurement.js';

function parsed(figure: Figure) {
  const { documentElement } = new DOMParser().parseFromString(renderFigure(figure), 'image/svg+xml');
  return documentElement as unknown as {
    getAttribute(name: string): string | null;
    querySelectorAll(selector: string): Iterable<{ textContent: string; getAttribute(name: string): string }>;
  };
}

function texts(figure: Figure): string[] {
  return [...parsed(figure).querySelectorAll('text')].map(({ textContent }) => textContent);
}

const bars = barsFigure(
  'bars',
  'Delays, of <two>',
  [
    { contestant: 'grpc-di', value: 2 },
    { contestant: 'nice-grpc', value: 4 },
  ],
  { label: 'delay, ms', title: 'Delays & more' },
);

describe('a figure', () => {
  test('is an SVG file of its own, opaque, without scripts', () => {
    const svg = parsed(bars);

    expect(svg.getAttribute('xmlns')).toBe('http://www.w3.org/2000/svg');
    expect([...svg.querySelectorAll('title')][0]!.textContent).toBe('Delays, of <two>');
    const [background] = svg.querySelectorAll('rect');
    expect(background!.getAttribute('fill')).toBe('#ffffff');
    expect(background!.getAttribute('width')).toBe(svg.getAttribute('width'));
    expect(renderFigure(bars)).not.toMatch(/<script|<style|href/);
  });

  test('is the same each time', () => {
    expect(renderFigure(bars)).toBe(renderFigure(bars));
  });

  test('has title, names and values in it', () => {
    expect(texts(bars)).toEqual(
      expect.arrayContaining(['Delays & more', 'delay, ms', 'grpc-di', 'nice-grpc', '2', '4']),
    );
    const [, first, second] = parsed(bars).querySelectorAll('rect');
    expect(Number(second!.getAttribute('width')) / Number(first!.getAttribute('width'))).toBeCloseTo(2, 1);
    expect(first!.getAttribute('fill')).not.toBe(second!.getAttribute('fill'));
  });

  test('of ratios has a facet for each group, and each median as a number', () => {
    const rows = ['1 in flight', '16 in flight'].flatMap((group, i) =>
      ['by hand', 'grpc-di'].map((contestant) => ({ group, contestant, lower: 0.9, median: 0.95 + i, upper: 2.1 })),
    );
    const figure = ratioFigure('ratios', 'Ratios', rows, { label: 'multiples' });

    expect(texts(figure)).toEqual(expect.arrayContaining(['1 in flight', '16 in flight', '0.95', '1.95']));
    expect([...parsed(figure).querySelectorAll('circle')]).toHaveLength(4);
  });

  test.each(['at the ends', 'above'] as const)('of lines has their names %s', (names) => {
    const points = ['by hand', 'grpc-di'].flatMap((series) => [1, 16, 128].map((x) => ({ series, x, y: x })));
    const figure = linesFigure('lines', 'Lines', points, {
      x: 'calls',
      y: 'ms',
      logarithmic: 'x',
      ticks: [1, 16, 128],
      names,
    });

    expect(texts(figure)).toEqual(expect.arrayContaining(['by hand', 'grpc-di', '16', '128', 'calls', 'ms']));
    expect(texts(figure).filter((text) => text === 'grpc-di')).toHaveLength(1);
  });
});
