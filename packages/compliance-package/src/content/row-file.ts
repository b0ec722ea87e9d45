import { BYTE_ORDER_MARK, csvRow } from '@claviger/csv';
import { canonicalJson, exportLines } from '@claviger/merkle';
import { type Row, type Table, valuesOf } from './tables.ts';

/** The text is not a valid row file. */
export class RowFileProblem extends Error {
  override readonly name = 'RowFileProblem';
}

/**
 * Writes the JSON form row by row: an array with one canonical row per line. `next` returns a row, `end` the
 * end.
 */
export function jsonRows(): { next(row: Row): string; end(): string } {
  let begun = false;
  return {
    next: (row) => {
      const text = `${begun ? ',\n' : '[\n'}${canonicalJson(row)}`;
      begun = true;
      return text;
    },
    end: () => (begun ? '\n]\n' : '[\n]\n'),
  };
}

/** Writes the CSV form in the same way; with `bom` it begins with a byte order mark. */
export function csvRows(table: Table, bom = false): { readonly header: string; next(row: Row): string } {
  return {
    header: `${bom ? BYTE_ORDER_MARK : ''}${csvRow(table.columns)}`,
    next: (row) => csvRow(valuesOf(table, row)),
  };
}

/**
 * Reads the JSON form. It must have exactly the form that is written, so that no two parsers see different
 * rows.
 *
 * @throws {RowFileProblem}, and `ExportLineError` for bytes that are not text.
 */
export async function* readRows(name: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Row> {
  let line = 0;
  let state: 'start' | 'rows' | 'last' | 'end' = 'start';
  for await (const text of exportLines(bytes)) {
    line += 1;
    const problem = (what: string) => new RowFileProblem(`${name}, line ${line}, ${what}`);
    if (state === 'end') throw problem('is after the end');
    if (state === 'start') {
      if (text !== '[') throw problem('does not begin a list');
      state = 'rows';
    } else if (text === ']') {
      if (state === 'rows' && line > 2) throw problem('ends a list after a comma');
      state = 'end';
    } else {
      if (state === 'last') throw problem('is not separated from the row before it');
      const more = text.endsWith(',');
      state = more ? 'rows' : 'last';
      yield parseRow(more ? text.slice(0, -1) : text, problem);
    }
  }
  if (state !== 'end') throw new RowFileProblem(`${name} ends before its list does`);
}

function parseRow(text: string, problem: (what: string) => Error): Row {
  let row: unknown;
  try {
    row = JSON.parse(text);
    if (canonicalJson(row) !== text) throw problem('is not spelled canonically');
  } catch (error) {
    if (error instanceof RowFileProblem) throw error;
    throw problem('is not canonical JSON');
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) throw problem('is not a row');
  return row as Row;
}
