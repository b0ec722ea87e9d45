// Characters that end lines, move cursors, or change the direction of text: C0, DEL, C1, line separators,
// bidirectional controls.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Escapes control characters in the form `\u000a` and replaces lone surrogates: the result cannot end a line
 * or hide a part of it.
 */
export function printable(text: string): string {
  return text.toWellFormed().replace(CONTROL, escaped);
}

/** JSON on one line, with every control character escaped. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).toWellFormed().replace(CONTROL, escaped);
}

/** A header field of RFC 5424: visible ASCII of at most `maxLength`; `-` if empty. */
export function headerField(text: string, maxLength: number): string {
  return text.replace(/[^\x21-\x7e]/g, '_').slice(0, maxLength) || '-';
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
