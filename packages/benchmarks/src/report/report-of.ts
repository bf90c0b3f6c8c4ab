import { renderFigure } from '../figures/render-figure.js';
import type { Measurement, Section } from '../measurement.js';
import { blockKind } from './block-kind.js';
import { kept, type RawResults } from './raw-results.js';

/** What the report says of one measurement. */
export interface ReportPart {
  readonly title: string;
  readonly results: RawResults;
  readonly section: Section;
  /** Its figures as SVG, by their names. */
  readonly figures: ReadonlyMap<string, string>;
}

export interface Report {
  readonly parts: readonly ReportPart[];
  /** Measurements whose raw numbers give no section, and why. */
  readonly problems: readonly string[];
}

/** A report of all measurements that have raw numbers in a folder, in their order. */
export function reportOf(measurements: readonly Measurement[], folder: string): Report {
  const parts: ReportPart[] = [];
  const problems: string[] = [];
  const figureNames = new Set<string>();
  for (const measurement of measurements) {
    try {
      const results = kept(folder, measurement.name);
      if (results !== undefined) {
        const section = measurement.report(results.raw);
        parts.push({ title: measurement.title, results, section, figures: figuresOf(section, figureNames) });
      }
    } catch (error) {
      // Numbers of an earlier form of the measurement, for instance.
      const again = `npm run bench -- --only ${measurement.name}`;
      problems.push(`${measurement.name}: ${String(error)}. \`${again}\` measures it again.`);
    }
  }
  return { parts, problems };
}

/** @throws Error for two figures of one name, as the first's file would be lost. */
function figuresOf({ blocks }: Section, taken: Set<string>): Map<string, string> {
  const figures = new Map<string, string>();
  for (const { figure } of blocks.map(blockKind)) {
    if (figure !== undefined) {
      if (taken.has(figure.name)) {
        throw new Error(`there is a figure "${figure.name}" already`);
      }
      taken.add(figure.name);
      figures.set(figure.name, renderFigure(figure));
    }
  }
  return figures;
}
