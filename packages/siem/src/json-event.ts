import { printableJson } from './printable.ts';
import type { Cut } from './shortened.ts';
import type { SiemEvent } from './siem-event.ts';

/** An event as JSON in one line; members without a value are left out. A shortened one says so in `cut`. */
export function jsonEvent(event: SiemEvent, cut?: Cut): string {
  return printableJson({ ...event, cut });
}
