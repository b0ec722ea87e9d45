import type { MessageInfo } from './method-info.ts';

/**
 * Returns the public fields of a message, for logs and audit details, without secret and absent fields.
 * Always leaves out bytes and free-form objects, because a caller can put any data there.
 */
export function redact(info: MessageInfo, message: object): Record<string, unknown> {
  const values = message as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  for (const field of info.fields) {
    if (!field.public || field.map || field.kind === 'struct' || field.kind === 'bytes') continue;
    const value = values[field.property];
    if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) continue;
    if (field.kind !== 'message') out[field.jsonName] = value;
    else if (Array.isArray(value))
      out[field.jsonName] = value.map((item: object) => redact(field.message!, item));
    else out[field.jsonName] = redact(field.message!, value as object);
  }
  return out;
}
