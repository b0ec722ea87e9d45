import { styleText } from 'node:util';
import { escapeJson } from './escape.ts';

export const FORMATS = ['table', 'json', 'yaml', 'name'] as const;
/** How an answer is printed: for people, for programs, or the names alone. */
export type OutputFormat = (typeof FORMATS)[number];

/** JSON on standard output: indented for a person, one line for a program. */
export function showJson(value: unknown): void {
  const json = JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : undefined);
  process.stdout.write(`${escapeJson(json)}\n`);
}

/** Colour on standard error only when it is a terminal and NO_COLOR does not forbid it. */
export function styled(style: Parameters<typeof styleText>[0], text: string): string {
  return styleText(style, text, { stream: process.stderr });
}
