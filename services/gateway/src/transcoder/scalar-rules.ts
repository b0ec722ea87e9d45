const INT32_MAX = 2_147_483_647;
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const NOT_A_TIME = 'must be a time, e.g. 2026-01-31T12:00:00Z';

/** Returns why a number is invalid for an integer field; undefined when it is valid. */
export function integerProblem(value: number, int32: boolean): string | undefined {
  if (!Number.isSafeInteger(value)) return 'must be a whole number';
  if (int32 && (value > INT32_MAX || value < -INT32_MAX - 1)) return 'must fit into 32 bits';
  return undefined;
}

/** Whether a text is a time of RFC 3339 on an existing day: 30 February is refused. */
export function isDateTime(text: string): boolean {
  const match = DATE_TIME.exec(text);
  if (!match || Number.isNaN(Date.parse(text))) return false;
  const day = match[1]!;
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

/** Decodes canonical base64; undefined for anything else. */
export function bytesOf(text: string): Buffer | undefined {
  if (!BASE64.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
