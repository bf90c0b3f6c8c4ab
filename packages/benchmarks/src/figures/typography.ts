/** What texts in figures look like; legible where GitHub scales a figure down to a column's width. */
export const FONT_FAMILY = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif";
export const FONT_SIZE = 13;
export const TITLE_SIZE = 16;
export const FIGURE_WIDTH = 800;

/** About how wide a text is, in pixels: nothing here can measure it, and the font differs from reader to reader. */
export function textWidth(text: string, size = FONT_SIZE): number {
  return text.length * size * 0.57;
}

/** The room that the widest of these texts takes. */
export function widest(texts: Iterable<string>): number {
  return Math.max(0, ...[...texts].map((text) => textWidth(text)));
}
