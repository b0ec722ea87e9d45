import { printableJson } from './printable.ts';
import type { Cut } from './shortened.ts';
import type { SiemEvent } from './siem-event.ts';

/**
 * Formats an event as JSON on one line; omits members without a value. A shortened event has a member `cut`.
 */
export function jsonEvent(event: SiemEvent, cut?: Cut): string {
  return printableJson({ ...event, cut });
}
