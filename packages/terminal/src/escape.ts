// Control characters, line and paragraph separators, and those that reorder or hide text: what a terminal
// would obey.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
const unsafeInJson = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
const unsafeInText =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

const visible = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Text from elsewhere on one line of a terminal: whatever the terminal would obey is shown as `\uXXXX`
 * instead.
 */
export function escapeText(text: string): string {
  return text.replace(unsafe, visible);
}

/** The same for several lines: line feeds and tabs stay. */
export function escapeLines(text: string): string {
  return text.replace(unsafeInText, visible);
}

/**
 * JSON with the same meaning that a terminal does not obey either; JSON itself escapes only U+0000 to U+001F.
 */
export function escapeJson(json: string): string {
  return json.replace(unsafeInJson, visible);
}
