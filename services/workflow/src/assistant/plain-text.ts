/**
 * Text that stays text wherever it is shown: links and images of Markdown are taken apart, tags of HTML lose their brackets,
 * control characters go. What it said can still be read.
 */
export function plainText(text: string, maxLength = 8_000): string {
  const plain = text
    .slice(0, 2 * maxLength)
    .replaceAll('\r\n', '\n')
    // Also what turns the direction of text around, or is not seen at all.
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, '')
    .replaceAll(/(?<!!)!+(?=\[)/g, '')
    .replaceAll(/\](?=[([])/g, '] ')
    .replaceAll(/^([ \t]*\[[^\]\n]*\])[ \t]*:/gm, '$1 -')
    .replaceAll(/<(?=[a-z/!?])/gi, '‹');
  return plain.length <= maxLength ? plain : `${plain.slice(0, maxLength).trimEnd()} …`;
}

/** One line of it, for names and reasons that others wrote. */
export function plainLine(text: string, maxLength = 200): string {
  return plainText(text, maxLength).replaceAll(/\s+/g, ' ').trim();
}
