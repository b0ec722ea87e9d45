import { escapeText } from '@claviger/terminal/escape';
import type { Cell, Column } from './noun.ts';

/** A time of the API, to the second, as UTC. */
export function timeText(time: string | undefined): string {
  return time === undefined ? '' : time.replace(/\.\d+Z$/, 'Z').replace('T', ' ');
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** The escaped text of a value: times to the second, list items joined by `between`. */
function textOf(value: unknown, between: string): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map((each) => textOf(each, between)).join(between);
  if (typeof value === 'string') return escapeText(TIME.test(value) ? timeText(value) : value);
  return typeof value === 'object' ? escapeText(JSON.stringify(value)) : String(value);
}

function valueAt(row: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], row);
}

/** The properties that an expression reads. */
export function pathsOf(expression: string): string[] {
  if (expression.includes('{'))
    return [...expression.matchAll(/\{([^}]+)\}/g)].flatMap((match) => pathsOf(match[1]!));
  return expression.replace(/\?.*$/, '').split('|');
}

/** A text with expressions in braces. */
export function template(text: string, row: unknown, between?: string): string {
  return text.replaceAll(/\{([^}]+)\}/g, (_, inner: string) => evaluate(inner, row, between));
}

/** The text of a column's expression for a row. */
export function evaluate(expression: string, row: unknown, between = ' '): string {
  if (expression.includes('{')) return template(expression, row, between);
  const condition = /^([^?]+)\?(.*):([^:]*)$/s.exec(expression);
  if (condition !== null) return (valueAt(row, condition[1]!) ? condition[2] : condition[3])!;
  for (const path of expression.split('|')) {
    const text = textOf(valueAt(row, path), between);
    if (text !== '') return text;
  }
  return '';
}

const split = (column: string) => /^(.*?) {2}(.*)$/.exec(column)?.slice(1) as [string, string] | undefined;

/** Splits strings that contain several columns, separated by semicolons. */
function separate(columns: readonly Column[]): Column[] {
  return columns.flatMap((column): Column[] => (typeof column === 'string' ? column.split('; ') : [column]));
}

/** Heading and text of a column for a row. */
export function cellOf(column: Column, row: unknown, between?: string): string {
  if (typeof column !== 'string') return cellText(column[1](row as never));
  return evaluate(split(column)![1], row, between);
}

export function headingOf(column: Column): string {
  return typeof column === 'string' ? split(column)![0] : column[0];
}

/** The expressions of columns, without those that are functions. */
export function expressionsOf(columns: readonly Column[]): string[] {
  return separate(columns).flatMap((column) => (typeof column === 'string' ? [split(column)![1]] : []));
}

const cellText = (value: Cell) => (value === undefined || value === null ? '' : escapeText(String(value)));

/** Aligned columns under headings, every cell escaped. */
export function tableText(specified: readonly Column[], rows: readonly unknown[]): string {
  const columns = separate(specified);
  const lines = [columns.map(headingOf), ...rows.map((row) => columns.map((column) => cellOf(column, row)))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return lines
    .map((line) => line.map((cell, i) => (i === line.length - 1 ? cell : cell.padEnd(widths[i]!))).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}

/** One object as `name  value` lines; empty values are left out. */
export function fieldsText(columns: readonly Column[], row: unknown): string {
  const shown = separate(columns)
    .map((column) => [headingOf(column), cellOf(column, row, ', ')] as const)
    .filter(([, text]) => text !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n');
}

/** Computed lines as columns. */
export const lines = (pairs: readonly (readonly [name: string, value: Cell])[]): Column[] =>
  pairs.map(([name, value]) => [name, () => value]);
