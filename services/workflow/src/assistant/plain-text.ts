/**
 * Text that is displayed as text everywhere: Markdown links and images are split, HTML tags lose their
 * brackets, control characters are removed. The words remain readable.
 */
export function plainText(text: string, maxLength = 8_000): string {
  const plain = text
    .slice(0, 2 * maxLength)
    .replaceAll('\r\n', '\n')
    // Includes invisible characters and those that change the direction of text.
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, '')
    .replaceAll(/(?<!!)!+(?=\[)/g, '')
    .replaceAll(/\](?=[([])/g, '] ')
    .replaceAll(/^([ \t]*\[[^\]\n]*\])[ \t]*:/gm, '$1 -')
    .replaceAll(/<(?=[a-z/!?])/gi, '‹');
  return plain.length <= maxLength ? plain : `${plain.slice(0, maxLength).trimEnd()} …`;
}

/** One line of text, for names and reasons written by other users. */
export function plainLine(text: string, maxLength = 200): string {
  return plainText(text, maxLength).replaceAll(/\s+/g, ' ').trim();
}
