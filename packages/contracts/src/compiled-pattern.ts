const patterns = new Map<string, RegExp>();

/** The regular expression of a `pattern` of the contract, for a whole text. Compiled once. */
export function compiledPattern(pattern: string): RegExp {
  let regex = patterns.get(pattern);
  if (!regex) {
    // The pattern comes from the contract, never from a request.
    regex = new RegExp(`^(?:${pattern})$`, 'u');
    patterns.set(pattern, regex);
  }
  return regex;
}
