import type { SiemEvent } from './siem-event.ts';

/** Describes an event that was too long: the length and the SHA-256 (hex) of the full text. */
export interface Cut {
  readonly bytes: number;
  readonly sha256: string;
}

/** The fields that identify the event and its place in the log: never shortened; their format bounds them. */
const KEPT: ReadonlySet<string> = new Set([
  'id',
  'tenantId',
  'sequence',
  'leafHash',
  'outcome',
  'occurredAt',
]);

/**
 * Shortens each text of an event to at most `limit` UTF-16 units, and each list and object in its details to
 * at most `limit` members. A shortened text ends with `…`; no character is split.
 */
export function shortened(event: SiemEvent, limit: number): SiemEvent {
  const members = Object.entries(event).map(([name, value]) => [
    name,
    KEPT.has(name) ? value : shortValue(value, limit),
  ]);
  return Object.fromEntries(members) as SiemEvent;
}

function shortValue(value: unknown, limit: number): unknown {
  if (typeof value === 'string') return shortText(value, limit);
  if (Array.isArray(value)) return value.slice(0, limit).map((each) => shortValue(each, limit));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).slice(0, limit);
  return Object.fromEntries(members.map(([name, each]) => [name, shortValue(each, limit)]));
}

function shortText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const endsInPair = /[\ud800-\udbff]/.test(text.charAt(limit - 1));
  return `${text.slice(0, endsInPair ? limit - 1 : limit)}…`;
}
