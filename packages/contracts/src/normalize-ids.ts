import { compiledPattern } from './compiled-pattern.ts';
import type { Field } from './generated/claviger/options/v1/options.ts';
import type { FieldInfo, MessageInfo } from './method-info.ts';

/** A UUID in any case. */
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const isUuid = (text: string): boolean => UUID.test(text);

/** The id that no object has: the Max UUID of RFC 9562. The nil UUID has a meaning in some tables. */
export const NO_OBJECT = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

const found = new Map<MessageInfo, readonly FieldInfo[]>();

/**
 * Replaces, in place, each text in a field of the format `id` or `uuid`: a UUID by its lower-case form, a
 * text that cannot be an id by `NO_OBJECT`. Handlers therefore get an id that they can look up; a malformed
 * id and an unknown id have the same answer. Returns a function that puts the malformed texts back, for the
 * record of a refusal; undefined if there are none.
 */
export function normalizeIds(info: MessageInfo, message: object): (() => void) | undefined {
  const replaced: (() => void)[] = [];
  normalizeMessage(info, message, replaced);
  if (replaced.length === 0) return undefined;
  return () => {
    for (const putBack of replaced) putBack();
  };
}

function normalizeMessage(info: MessageInfo, message: object, replaced: (() => void)[]): void {
  const values = message as Record<string, unknown>;
  for (const field of fieldsWithIds(info)) {
    if (!field.oneof) normalizeValue(field, values, field.property, replaced);
    else {
      const chosen = values[field.oneof] as Record<string, unknown> | undefined;
      if (chosen?.$case === field.property) normalizeValue(field, chosen, 'value', replaced);
    }
  }
}

function normalizeValue(
  field: FieldInfo,
  holder: Record<string, unknown>,
  key: string,
  replaced: (() => void)[],
  isItem = false,
): void {
  const value = holder[key];
  if (Array.isArray(value)) {
    const items = value as unknown as Record<string, unknown>;
    for (const index of value.keys()) normalizeValue(field, items, String(index), replaced, true);
  } else if (typeof value === 'string') {
    const id = UUID.test(value) ? value.toLowerCase() : value;
    // The empty text is no id, but outside a list it is an absent value.
    if (id === '' ? !isItem : canBeId(field.rules!, id)) holder[key] = id;
    else {
      holder[key] = NO_OBJECT;
      replaced.push(() => {
        holder[key] = value;
      });
    }
  } else if (field.message && typeof value === 'object' && value !== null)
    normalizeMessage(field.message, value, replaced);
}

function canBeId({ format, allowed, pattern }: Field, text: string): boolean {
  if (format === 'uuid') return true;
  if (allowed.length > 0) return allowed.includes(text);
  return pattern === '' ? UUID.test(text) : compiledPattern(pattern).test(text);
}

/** The fields that contain an id, or a message with one; computed once per message. */
function fieldsWithIds(info: MessageInfo): readonly FieldInfo[] {
  let fields = found.get(info);
  if (!fields) {
    fields = info.fields.filter((field) => !field.map && holdsId(field, new Set([info])));
    found.set(info, fields);
  }
  return fields;
}

function holdsId({ kind, rules, message }: FieldInfo, within: ReadonlySet<MessageInfo>): boolean {
  if (kind === 'string') return rules?.format === 'id' || rules?.format === 'uuid';
  if (kind !== 'message' || !message) return false;
  // A recursive message: nested occurrences are handled when they are reached.
  if (within.has(message)) return true;
  return message.fields.some((field) => !field.map && holdsId(field, new Set([...within, message])));
}
