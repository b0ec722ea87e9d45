// What ends lines, moves cursors, or changes the direction of writing: C0, DEL, C1, line separators,
// bidirectional controls.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Control characters as `\u000a`, lone surrogates replaced: what is left can neither end a line nor hide a
 * part of it.
 */
export function printable(text: string): string {
  return text.toWellFormed().replace(CONTROL, escaped);
}

/** JSON in one line, with every control character escaped as JSON does it. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).toWellFormed().replace(CONTROL, escaped);
}

/** A header field of RFC 5424: visible ASCII of at most `maxLength`, `-` when empty. */
export function headerField(text: string, maxLength: number): string {
  return text.replace(/[^\x21-\x7e]/g, '_').slice(0, maxLength) || '-';
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
