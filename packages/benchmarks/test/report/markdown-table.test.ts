import { describe, expect, test } from '@jest/globals';
import { markdownTable } from '../../dist/report/markdown-table.js';

function cells(...row: string[]): string[] {
  const [, , line] = markdownTable({ columns: row.map(() => ''), rows: [row] }).split('\n');
  return line!
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe('a Markdown table', () => {
  test('shows its cells as they are', () => {
    expect(cells('a | b', '<id>', '*x* ~5~', 'two\nlines', '[a](b)')).toEqual([
      'a \\| b',
      '\\<id>',
      '\\*x\\* \\~5\\~',
      'two lines',
      '\\[a\\](b)',
    ]);
  });

  test('leaves code and words with underscores alone', () => {
    expect(cells('`*.ts` of a_b', '`a|b`', 'DEADLINE_EXCEEDED', '_x_')).toEqual([
      '`*.ts` of a_b',
      '`a\\|b`',
      'DEADLINE_EXCEEDED',
      '\\_x\\_',
    ]);
  });

  test.each([
    ['1.02', '0.98'],
    ['12 ms', '-'],
    ['1,204', '−3 %'],
    ['0.98 (0.97 to 0.99)', ''],
    ['1.2×', '< 1 ms'],
    ['12 of 60', '3 calls/s'],
  ])('aligns %j and %j to the right', (...column) => {
    expect(alignment(column)).toBe('-:');
  });

  test.each([
    ['grpc-di', '12'],
    ['', '-'],
    ['2 contestants failed', '3'],
    ['2.1.18', '3.0.0'],
    ['4 × A Processor', '2 × Another'],
  ])('leaves %j and %j at the left', (...column) => {
    expect(alignment(column)).toBe('--');
  });

  function alignment(column: string[]): string {
    const table = markdownTable({ columns: ['wide enough'], rows: column.map((cell) => [cell]) });
    return table
      .split('\n')[1]!
      .replaceAll(/[| ]/g, '')
      .replace(/^:?-+(?=-.$)/, '')
      .slice(-2);
  }
});
