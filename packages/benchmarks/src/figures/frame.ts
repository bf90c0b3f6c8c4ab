import type { SvgLike } from './render-figure.js';
import { FONT_FAMILY, FONT_SIZE, TITLE_SIZE, textWidth } from './typography.js';

/** What stands around a plot. */
export interface Framed {
  readonly alt: string;
  readonly title?: string;
  readonly subtitle?: string;
  readonly caption?: string;
  readonly legend: ReadonlyArray<{ readonly name: string; readonly colour: string }>;
}

/** An SVG file of a plot's SVG with its title, subtitle and legend above, and its caption below. */
export function frame(plot: SvgLike, { alt, title, subtitle, caption, legend }: Framed): string {
  const width = Number(plot.getAttribute('width'));
  let y = 12;
  const above: string[] = [];
  if (title !== undefined) {
    y += TITLE_SIZE;
    above.push(text(LEFT, y, title, `font-size="${TITLE_SIZE}" font-weight="600"`));
    y += 6;
  }
  if (subtitle !== undefined) {
    y += FONT_SIZE + 3;
    above.push(text(LEFT, y, subtitle, 'fill="#4b5563"'));
    y += 6;
  }
  for (const line of legendLines(legend, width - 2 * LEFT)) {
    y += FONT_SIZE + 7;
    above.push(...line.map(({ name, colour, x }) => swatch(LEFT + x, y, name, colour)));
  }
  const height = y + Number(plot.getAttribute('height')) + (caption === undefined ? 8 : FONT_SIZE + 16);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"` +
      ` font-family="${FONT_FAMILY}" font-size="${FONT_SIZE}" color="#1f2937" fill="currentColor" role="img">`,
    `<title>${escaped(alt)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...above,
    `<g transform="translate(0,${y})" text-anchor="middle" style="white-space:pre">${contents(plot)}</g>`,
    ...(caption === undefined ? [] : [text(LEFT, height - 10, caption, 'fill="#4b5563"')]),
    '</svg>',
    '',
  ].join('\n');
}

const LEFT = 16;
const SWATCH = 11;

// The <style> is for an SVG in a page: its `height: auto` has no place inside of another SVG.
function contents(plot: SvgLike): string {
  for (const style of plot.querySelectorAll('style')) {
    style.remove();
  }
  // Twelve digits after the point say nothing that an eye could see.
  return plot.innerHTML.replaceAll(/-?\d+\.\d{3,}(?=[^<>]*>)/g, (number) => String(Number(Number(number).toFixed(2))));
}

type Item = Framed['legend'][number] & { readonly x: number };

/** The legend in as many lines as it needs. */
function legendLines(legend: Framed['legend'], width: number): Item[][] {
  const lines: Item[][] = [];
  let x = Number.POSITIVE_INFINITY;
  for (const item of legend) {
    const space = SWATCH + 6 + textWidth(item.name) + 18;
    if (x + space > width) {
      lines.push([]);
      x = 0;
    }
    lines.at(-1)!.push({ ...item, x });
    x += space;
  }
  return lines;
}

function swatch(x: number, y: number, name: string, colour: string): string {
  const square = `<rect x="${x}" y="${y - SWATCH + 1}" width="${SWATCH}" height="${SWATCH}" rx="2" fill="${colour}"/>`;
  return square + text(x + SWATCH + 6, y, name);
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
