/** Headers that are lists by definition: several lines mean the same as one with commas. */
const LISTS = new Set([
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'baggage',
  'cache-control',
  'connection',
  'cookie',
  'forwarded',
  'if-none-match',
  'pragma',
  'te',
  'tracestate',
  'trailer',
  'upgrade',
  'via',
  'warning',
]);

/**
 * The first header that a request gives twice although it has one value, in lower case; undefined where there is none. Two readers
 * of a repeated header may each take another one. `fromProxy`: the peer is a trusted proxy, which may add a line of its own to
 * X-Forwarded-For.
 */
export function repeatedHeader(rawHeaders: readonly string[], fromProxy: boolean): string | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (LISTS.has(name) || (fromProxy && name === 'x-forwarded-for')) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
