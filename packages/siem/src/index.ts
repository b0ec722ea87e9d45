export { cefEvent } from './cef.ts';
export type { Destination, HttpsDestination, SyslogDestination } from './destination.ts';
export { jsonEvent } from './json-event.ts';
export { type SendOptions, sendEvents } from './send-events.ts';
export type { SiemEvent } from './siem-event.ts';
