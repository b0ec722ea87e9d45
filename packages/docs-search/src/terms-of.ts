/** Words without meaning for the search. */
const STOP_WORDS = new Set(
  `a about all am an and any are as at be been but by can could did do does doing for from had has have how i if in into is it its
  just may me mine my no not of on or our out please shall she should so tell than that the their them then there these they this
  to us was we were what when where which who whom whose why will with would you your`.split(/\s+/),
);

/** Synonyms: common words for terms of the pages. */
const SAME: Readonly<Record<string, string>> = {
  ask: 'request',
  mfa: 'factor',
  logon: 'login',
  config: 'configur',
};

/**
 * Returns the significant words in lower case without their endings: `rotations`, `rotated` and `rotating`
 * give the same term.
 */
export function termsOf(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).flatMap((word) =>
    STOP_WORDS.has(word) || (word.length < 2 && !/\d/.test(word)) ? [] : [nameOf(stem(word))],
  );
}

function nameOf(term: string): string {
  return Object.hasOwn(SAME, term) ? SAME[term]! : term;
}

function stem(word: string): string {
  if (word.length <= 3 || /\d/.test(word)) return word;
  const cut = word
    .replace(/(?:sses)$/, 'ss')
    .replace(/(?<=.{2})ies$/, 'y')
    .replace(/(?<=[^su])s$/, '')
    .replace(/(?<=.{3})(?:ations?|ating|ated|ators?|ate)$/, 'at')
    .replace(/(?<=.{3})(?:ings?|ed|ers?|ly|als?)$/, '')
    .replace(/(?<=.{3})e$/, '');
  // `getting` is `get`, and `stopped` is `stop`.
  return cut.length > 3 && cut !== word ? cut.replace(/([bdgmnprt])\1$/, '$1') : cut;
}
