import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Figure } from '../measurement.js';
import { type Framed, frame } from './frame.js';
import { FIGURE_WIDTH, FONT_FAMILY, FONT_SIZE } from './typography.js';

/**
 * A figure as a file: SVG that needs nothing else, on white so that it can be read in a dark page too. Title,
 * subtitle, caption and `color: { legend: true }` of the plot, which Plot itself puts into HTML around an SVG, are
 * drawn inside.
 */
export function renderFigure({ alt, plot }: Figure): string {
  const { title, subtitle, caption, color, ...options } = plot;
  const drawn = Plot.plot({
    width: FIGURE_WIDTH,
    marginBottom: 46,
    marginTop: 24,
    style: { fontSize: `${FONT_SIZE}px`, fontFamily: FONT_FAMILY },
    ...options,
    color: { ...color, legend: false },
    document: parseHTML('<html><body></body></html>').document,
  });
  const framed: Framed = {
    alt,
    title: asText(title),
    subtitle: asText(subtitle),
    caption: asText(caption),
    legend: color?.legend ? legendOf(drawn.scale('color')) : [],
  };
  return frame(drawn, framed);
}

/** What of an SVG element the frame reads: linkedom's, which no DOM types describe here. */
export interface SvgLike {
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): Iterable<{ remove(): void }>;
  innerHTML: string;
}

function legendOf(scale: Plot.Scale | undefined): Framed['legend'] {
  const names = (scale?.domain ?? []) as Iterable<string>;
  return [...names].map((name) => ({ name: String(name), colour: String(scale!.apply(name)) }));
}

function asText(text: unknown): string | undefined {
  return typeof text === 'string' ? text : undefined;
}
