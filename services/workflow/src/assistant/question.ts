/** A message in the form that the matching rules use. */
export interface Question {
  /** In lower case, with single spaces and plain apostrophes. */
  readonly text: string;
  /** The UUIDs in the message. */
  readonly ids: readonly string[];
  /** Possible names: quoted texts, and words with digits or punctuation. At most three. */
  readonly names: readonly string[];
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;
const QUOTED = /["'“”‘’`«»]([^"'“”‘’`«»\n]{1,100})["'“”‘’`«»]/g;
/** `db-prod`, `app_1`, `host.example`, `db2`. */
const NAME_LIKE = /(?<![\w.-])(?=[\w.-]*[\d_.-])[a-z0-9](?:[\w.-]{0,98}[a-z0-9])(?![\w-])/gi;
const NO_NAME = /^(?:\d+(?:\.\d+)?|e\.g|i\.e|one-time|break-glass|re-?\w+|second-factor|set-up|sign-in)$/i;

export function questionOf(message: string): Question {
  const ids = [...new Set((message.match(UUID) ?? []).map((id) => id.toLowerCase()))];
  const withoutIds = message.replaceAll(UUID, ' ');
  const spaced = withoutIds.replaceAll(/(?<=\w)['’](?=\w)/g, '\u0001');
  const quoted = [...spaced.matchAll(QUOTED)].map((match) => match[1]!.replaceAll('\u0001', "'").trim());
  const likely = (spaced.replaceAll(QUOTED, ' ').match(NAME_LIKE) ?? []).filter(
    (word) => !NO_NAME.test(word),
  );
  const names = [...new Set([...quoted, ...likely].filter((name) => name.length > 1))].slice(0, 3);
  const text = message.replaceAll('’', "'").toLowerCase().replaceAll(/\s+/g, ' ').trim();
  return { text, ids, names };
}
