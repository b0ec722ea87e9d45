// Characters that a terminal interprets: control characters, line and paragraph separators, and characters
// that reorder or hide text.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
const unsafeInJson = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
const unsafeInText =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

const visible = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Foreign text as one line for a terminal. Characters that a terminal interprets are shown as `\uXXXX`. */
export function escapeText(text: string): string {
  return text.replace(unsafe, visible);
}

/** The same for several lines: line feeds and tabs are kept. */
export function escapeLines(text: string): string {
  return text.replace(unsafeInText, visible);
}

/**
 * The same JSON value, with all characters escaped that a terminal interprets. `JSON.stringify` escapes only
 * U+0000 to U+001F.
 */
export function escapeJson(json: string): string {
  return json.replace(unsafeInJson, visible);
}
