import { hasHiddenCharacter } from './hidden-characters.ts';

/**
 * Why a text can be confused with another one; undefined if it cannot. Such texts are refused in rules. In
 * reports of prompts and tools they count as unknown, so a person decides.
 */
export function unreadable(text: string): string | undefined {
  if (PLAIN.test(text)) return undefined;
  if (hasHiddenCharacter(text)) return 'holds a control, invisible or direction-changing character';
  return lookAlike(text);
}

/** The same without invisible characters. */
export function lookAlike(text: string): string | undefined {
  if (PLAIN.test(text)) return undefined;
  if (text !== text.normalize('NFC')) return 'holds accents apart from their letters: write them as one';
  const form = otherForm(text);
  if (form !== undefined) return `holds “${form}”, which looks like “${form.normalize('NFKC')}”`;
  for (const word of text.split(BETWEEN_WORDS)) {
    const scripts = scriptsOf(word);
    if (scripts.size > 1) return `mixes letters of ${[...scripts].join(' and ')} in “${shown(word)}”`;
  }
  for (const [script, { letter, twin }] of Object.entries(TWINS)) {
    const letters = text.match(letter) ?? [];
    if (letters.length > 0 && letters.every((each) => twin.includes(each)))
      return `holds letters of ${script} only that look like Latin ones: “${shown(letters.join(''))}”`;
  }
  return undefined;
}

const PLAIN = /^[\x20-\x7e]*$/;
const BETWEEN_WORDS = /[^\p{L}\p{M}\p{N}]+/u;
const WRITTEN = /[\p{L}\p{N}\p{Zs}]/u;

/**
 * A letter, digit or blank that is another form of a common one: full width, bold, a ligature, a no-break
 * blank.
 */
function otherForm(text: string): string | undefined {
  for (const each of text) if (WRITTEN.test(each) && each.normalize('NFKC') !== each) return each;
  return undefined;
}

/** Scripts that are written together in one word count as one. */
const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ['Latin', /\p{Script=Latin}/u],
  ['Cyrillic', /\p{Script=Cyrillic}/u],
  ['Greek', /\p{Script=Greek}/u],
  ['Armenian', /\p{Script=Armenian}/u],
  ['Cherokee', /\p{Script=Cherokee}/u],
  ['Coptic', /\p{Script=Coptic}/u],
  ['Lisu', /\p{Script=Lisu}/u],
  ['Georgian', /\p{Script=Georgian}/u],
];
const LETTER = /\p{L}/u;
/**
 * Letters of East Asia and letters without a script occur beside Latin ones in names and do not look like
 * them.
 */
const BESIDE_LATIN =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}\p{Script=Common}\p{Script=Inherited}]/u;

function scriptsOf(word: string): Set<string> {
  const found = new Set<string>();
  for (const letter of word) {
    if (!LETTER.test(letter) || BESIDE_LATIN.test(letter)) continue;
    const script = SCRIPTS.find(([, pattern]) => pattern.test(letter));
    found.add(script?.[0] ?? 'another alphabet');
  }
  return found;
}

/** Letters that look like Latin ones. */
const TWINS: Readonly<Record<string, { readonly letter: RegExp; readonly twin: string }>> = {
  Cyrillic: {
    letter: /\p{Script=Cyrillic}/gu,
    twin: 'АВСЕНІЈКМОРЅТХҮԌԚԜасԁеһіјӏорԛѕԝхуүѵ',
  },
  Greek: { letter: /\p{Script=Greek}/gu, twin: 'ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονϲ' },
  Armenian: { letter: /\p{Script=Armenian}/gu, twin: 'ՏՍՕօոսհցզ' },
};

function shown(word: string): string {
  return [...word].slice(0, 40).join('');
}
