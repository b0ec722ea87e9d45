import type { FieldInfo, MessageInfo } from '@claviger/contracts';
import type { FieldProblem } from '@claviger/errors';
import { stepTo } from '../json/parse-strict-json.ts';
import { type Message, place } from './message-template.ts';
import { integerProblem, isDateTime, NOT_A_TIME } from './scalar-rules.ts';

/** Fills `message` from the raw query string (without `?`); adds errors to `problems`. */
export type FillFromQuery = (message: Message, query: string, problems: FieldProblem[]) => void;

type DecodeText = (text: string) => { value: unknown } | { detail: string };

const MAX_PARAMETERS = 100;
const INTEGER = /^(?:0|-?[1-9]\d{0,15})$/;

/** Compiles the query parameters of a request: the fields outside the path, by JSON name. */
export function queryDecoder(info: MessageInfo, except: ReadonlySet<string>): FillFromQuery {
  const fields = new Map<string, { field: FieldInfo; decode: DecodeText }>();
  for (const field of queryFields(info, except))
    fields.set(field.jsonName, { field, decode: textDecoder(field) });
  const pageSize = fields.get('pageSize');
  // The name in some of the reference documents.
  if (pageSize && !fields.has('limit')) fields.set('limit', pageSize);
  return (message, query, problems) => {
    const seen = new Set<FieldInfo>();
    const parts = query.split('&');
    if (parts.length > MAX_PARAMETERS) {
      problems.push({ pointer: '', detail: `may have at most ${MAX_PARAMETERS} query parameters` });
      return;
    }
    for (const part of parts) {
      if (part === '') continue;
      const equals = part.indexOf('=');
      const name = decodeText(equals < 0 ? part : part.slice(0, equals));
      const text = equals < 0 ? '' : decodeText(part.slice(equals + 1));
      const known = name === undefined ? undefined : fields.get(name);
      if (!known) {
        problems.push({
          pointer: stepTo('', name ?? ''),
          detail: 'is not a query parameter of this operation',
        });
        continue;
      }
      const pointer = `/${name}`;
      const { field } = known;
      const decoded =
        text === undefined ? { detail: 'is not well-formed percent-encoded UTF-8' } : known.decode(text);
      if ('detail' in decoded) problems.push({ pointer, detail: decoded.detail });
      else if (field.repeated) (message[field.property] as unknown[]).push(decoded.value);
      else if (seen.has(field)) problems.push({ pointer, detail: 'is given twice' });
      else place(message, field, decoded.value);
      seen.add(field);
    }
  };
}

/** Fields that a query string can contain. */
export function queryFields(info: MessageInfo, except: ReadonlySet<string>): FieldInfo[] {
  return info.fields.filter(
    ({ protoName, kind }) =>
      !except.has(protoName) && kind !== 'message' && kind !== 'struct' && kind !== 'bytes',
  );
}

function decodeText(text: string): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return undefined;
  }
}

function textDecoder(field: FieldInfo): DecodeText {
  switch (field.kind) {
    case 'bool':
      return (text) =>
        text === 'true' || text === 'false'
          ? { value: text === 'true' }
          : { detail: 'must be true or false' };
    case 'integer':
      return (text) => {
        const detail = INTEGER.test(text)
          ? integerProblem(Number(text), field.int32)
          : 'must be a whole number';
        return detail ? { detail } : { value: Number(text) };
      };
    case 'double':
      return (text) => {
        const value = /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : Number.NaN;
        return Number.isNaN(value) ? { detail: 'must be a number' } : { value };
      };
    case 'timestamp':
      return (text) => (isDateTime(text) ? { value: text } : { detail: NOT_A_TIME });
    default:
      return (text) => ({ value: text });
  }
}
