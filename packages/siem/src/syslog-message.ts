import { createHash } from 'node:crypto';
import { cefEvent } from './cef.ts';
import { jsonEvent } from './json-event.ts';
import { headerField, printable } from './printable.ts';
import type { SiemEvent } from './siem-event.ts';

export interface SyslogStyle {
  readonly format: 'json' | 'cef';
  /** 0 to 23, as RFC 5424 numbers them. */
  readonly facility: number;
  /** Of the sender. */
  readonly hostname: string;
}

/** informational, warning, error */
const SEVERITY: Readonly<Record<string, number>> = { allowed: 6, denied: 4, failed: 3 };
/** The number that IANA keeps for private use in examples: Claviger has none of its own. */
const ENTERPRISE = 32_473;
const BOM = '\ufeff';
const MAX_DATAGRAM_BYTES = 2_048;

/** One event as a message of RFC 5424, without framing. */
export function syslogMessage(event: SiemEvent, style: SyslogStyle): Buffer {
  return Buffer.from(`${headOf(event, style)} ${BOM}${textOf(event, style)}`);
}

/**
 * The same for UDP: at most 2,048 bytes. A longer one is cut between two characters, and says its full length and the SHA-256 of its
 * full text in a `cut@32473` element.
 */
export function syslogDatagram(event: SiemEvent, style: SyslogStyle): Buffer {
  const whole = syslogMessage(event, style);
  if (whole.length <= MAX_DATAGRAM_BYTES) return whole;
  const text = Buffer.from(textOf(event, style));
  const sha256 = createHash('sha256').update(text).digest('hex');
  const head = Buffer.from(
    `${headOf(event, style)}[cut@${ENTERPRISE} bytes="${text.length}" sha256="${sha256}"] ${BOM}`,
  );
  let end = MAX_DATAGRAM_BYTES - head.length;
  // Never in the middle of a character of UTF-8.
  while (end > 0 && (text[end]! & 0xc0) === 0x80) end -= 1;
  return Buffer.concat([head, text.subarray(0, end)]);
}

/** Octet counting of RFC 6587: whatever a message holds, the next one begins where this one says. */
export function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

function textOf(event: SiemEvent, { format }: SyslogStyle): string {
  return format === 'cef' ? cefEvent(event) : jsonEvent(event);
}

function headOf(event: SiemEvent, { facility, hostname }: SyslogStyle): string {
  const priority = facility * 8 + (SEVERITY[event.outcome] ?? 5);
  const header = [
    headerField(event.occurredAt, 32),
    headerField(hostname, 255),
    'claviger',
    headerField(event.service, 128),
    headerField(event.action, 32),
  ].join(' ');
  const place = event.sequence === undefined ? ['test', 'true'] : ['sequence', String(event.sequence)];
  const data = [['id', event.id], ['tenant', event.tenantId], place, ['outcome', event.outcome]]
    .map(([name, value]) => `${name}="${parameterText(value!)}"`)
    .join(' ');
  return `<${priority}>1 ${header} [claviger@${ENTERPRISE} ${data}]`;
}

function parameterText(text: string): string {
  return printable(text).replace(/["\\\]]/g, '\\$&');
}
