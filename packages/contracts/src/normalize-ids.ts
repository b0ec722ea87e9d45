import type { FieldInfo, MessageInfo } from './method-info.ts';

/** A UUID in any case. */
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const found = new Map<MessageInfo, readonly FieldInfo[]>();

/**
 * Lower-cases, in place, each UUID in a field of the format `id` or `uuid`, so that handlers, tables and
 * events use one spelling. Other texts stay unchanged.
 */
export function normalizeIds(info: MessageInfo, message: object): void {
  const values = message as Record<string, unknown>;
  for (const field of fieldsWithIds(info)) {
    if (field.oneof) {
      const chosen = values[field.oneof] as { $case: string; value: unknown } | undefined;
      if (chosen?.$case === field.property) chosen.value = normalized(field, chosen.value);
    } else values[field.property] = normalized(field, values[field.property]);
  }
}

function normalized(field: FieldInfo, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => normalized(field, item));
  if (typeof value === 'string') return UUID.test(value) ? value.toLowerCase() : value;
  if (field.message && typeof value === 'object' && value !== null) normalizeIds(field.message, value);
  return value;
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
