/** Headers whose value is a list: several lines mean the same as one line with commas. */
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
 * Returns the first single-valued header that is sent twice, in lower case; otherwise undefined. Two programs
 * may use different values of a repeated header. `fromProxy`: the peer is a trusted proxy, which may add a
 * line to X-Forwarded-For.
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
