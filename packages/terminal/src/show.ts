import { styleText } from 'node:util';
import { escapeJson } from './escape.ts';

export const FORMATS = ['table', 'json', 'yaml', 'name'] as const;
/** Output formats: a table for people, JSON and YAML for programs, or names only. */
export type OutputFormat = (typeof FORMATS)[number];

/** Prints JSON to standard output: indented on a terminal, otherwise on one line. */
export function showJson(value: unknown): void {
  const json = JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : undefined);
  process.stdout.write(`${escapeJson(json)}\n`);
}

/** Styles text for standard error if it is a terminal and NO_COLOR is unset. */
export function styled(style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text, { stream: process.stderr });
}
