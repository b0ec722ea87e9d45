export { cefEvent } from './cef.ts';
export { jsonEvent } from './json-event.ts';
export { type SendOptions, sendEvents } from './send-events.ts';
export type { SiemEvent } from './siem-event.ts';
export type { HttpsSink, Sink, SyslogSink } from './sink.ts';
