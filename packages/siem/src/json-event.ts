import { printableJson } from './printable.ts';
import type { SiemEvent } from './siem-event.ts';

/** An event as JSON in one line; members without a value are left out. */
export function jsonEvent(event: SiemEvent): string {
  return printableJson(event);
}
