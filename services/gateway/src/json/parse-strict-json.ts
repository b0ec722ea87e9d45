const MAX_DEPTH = 20;
/** Members and list items in the whole document. */
const MAX_VALUES = 1_000;
const LIMIT = 'json_limit';
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor']);
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const KEY_TO_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** The error for refused JSON. It contains the position and the reason, never the value. */
export class JsonError extends Error {
  readonly pointer: string;
  /** `json_limit` for valid JSON beyond a limit. */
  readonly code: string | undefined;

  constructor(pointer: string, detail: string, code?: string) {
    super(detail);
    this.name = 'JsonError';
    this.pointer = pointer;
    this.code = code;
  }
}

/** Extends a JSON pointer. Omits a key that does not look like a name: it may be a misplaced secret. */
export function stepTo(pointer: string, key: string): string {
  return KEY_TO_NAME.test(key) ? `${pointer}/${key}` : pointer;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses a JSON object of RFC 8259 under further rules: UTF-8 without byte order mark, an object as root, no
 * duplicate keys, no keys of prototypes, no lone surrogates, at most 20 levels and 1,000 values. Throws
 * JsonError.
 */
export function parseStrictJson(body: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw new JsonError('', 'is not valid UTF-8');
  }
  const state: State = { text, at: 0, values: 0 };
  skipSpace(state);
  if (text.charCodeAt(state.at) !== OPEN_BRACE) throw new JsonError('', 'must be a JSON object');
  const root = readObject(state, '', 1);
  skipSpace(state);
  if (state.at < text.length) throw broken(state);
  return root;
}

interface State {
  readonly text: string;
  at: number;
  values: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

function broken(state: State): JsonError {
  return new JsonError('', `is not valid JSON (at character ${state.at})`);
}

function skipSpace(state: State): void {
  const { text } = state;
  let code = text.charCodeAt(state.at);
  while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++state.at);
}

function count(state: State, pointer: string): void {
  if (++state.values > MAX_VALUES)
    throw new JsonError(pointer, `may contain at most ${MAX_VALUES} values`, LIMIT);
}

function readValue(state: State, pointer: string, depth: number): unknown {
  skipSpace(state);
  switch (state.text.charCodeAt(state.at)) {
    case QUOTE:
      return readString(state, pointer);
    case OPEN_BRACE:
      return readObject(state, pointer, depth + 1);
    case OPEN_BRACKET:
      return readArray(state, pointer, depth + 1);
    case 0x74:
      return readWord(state, 'true', true);
    case 0x66:
      return readWord(state, 'false', false);
    case 0x6e:
      return readWord(state, 'null', null);
    default:
      return readNumber(state, pointer);
  }
}

function readObject(state: State, pointer: string, depth: number): Record<string, unknown> {
  if (depth > MAX_DEPTH) throw new JsonError(pointer, `may be at most ${MAX_DEPTH} levels deep`, LIMIT);
  const object: Record<string, unknown> = {};
  state.at += 1;
  skipSpace(state);
  if (state.text.charCodeAt(state.at) === CLOSE_BRACE) {
    state.at += 1;
    return object;
  }
  for (;;) {
    skipSpace(state);
    if (state.text.charCodeAt(state.at) !== QUOTE) throw broken(state);
    const key = readString(state, pointer);
    if (PROTOTYPE_KEYS.has(key)) throw new JsonError(pointer, 'contains a forbidden key');
    if (Object.hasOwn(object, key)) throw new JsonError(stepTo(pointer, key), 'is given twice');
    count(state, pointer);
    skipSpace(state);
    if (state.text.charCodeAt(state.at) !== COLON) throw broken(state);
    state.at += 1;
    object[key] = readValue(state, stepTo(pointer, key), depth);
    skipSpace(state);
    const code = state.text.charCodeAt(state.at);
    if (code !== COMMA && code !== CLOSE_BRACE) throw broken(state);
    state.at += 1;
    if (code === CLOSE_BRACE) return object;
  }
}

function readArray(state: State, pointer: string, depth: number): unknown[] {
  if (depth > MAX_DEPTH) throw new JsonError(pointer, `may be at most ${MAX_DEPTH} levels deep`, LIMIT);
  const array: unknown[] = [];
  state.at += 1;
  skipSpace(state);
  if (state.text.charCodeAt(state.at) === CLOSE_BRACKET) {
    state.at += 1;
    return array;
  }
  for (;;) {
    count(state, pointer);
    array.push(readValue(state, `${pointer}/${array.length}`, depth));
    skipSpace(state);
    const code = state.text.charCodeAt(state.at);
    if (code !== COMMA && code !== CLOSE_BRACKET) throw broken(state);
    state.at += 1;
    if (code === CLOSE_BRACKET) return array;
  }
}

function readString(state: State, pointer: string): string {
  const { text } = state;
  const start = state.at;
  let at = start + 1;
  let escaped = false;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) break;
    if (code === BACKSLASH) {
      escaped = true;
      at += 2;
      // Otherwise a control character, or NaN at the end of the text.
    } else if (code >= 0x20) at += 1;
    else {
      state.at = Math.min(at, text.length);
      throw broken(state);
    }
  }
  state.at = at + 1;
  const raw = escaped ? readEscaped(state, start) : text.slice(start + 1, at);
  // A lone surrogate cannot be forwarded or stored unchanged.
  if (!raw.isWellFormed()) throw new JsonError(pointer, 'is not well-formed Unicode');
  return raw;
}

/** Escapes are rare: JSON.parse decodes them. */
function readEscaped(state: State, start: number): string {
  try {
    return JSON.parse(state.text.slice(start, state.at)) as string;
  } catch {
    throw broken(state);
  }
}

function readNumber(state: State, pointer: string): number {
  NUMBER.lastIndex = state.at;
  const match = NUMBER.exec(state.text);
  if (!match) throw broken(state);
  state.at = NUMBER.lastIndex;
  const value = Number(match[0]);
  if (!Number.isFinite(value)) throw new JsonError(pointer, 'is too large a number');
  return value;
}

function readWord<T>(state: State, word: string, value: T): T {
  if (!state.text.startsWith(word, state.at)) throw broken(state);
  state.at += word.length;
  return value;
}
