import { createHash } from 'node:crypto';
import { cefEvent } from './cef.ts';
import { jsonEvent } from './json-event.ts';
import { headerField, printable } from './printable.ts';
import { type Cut, shortened } from './shortened.ts';
import type { SiemEvent } from './siem-event.ts';

export interface SyslogStyle {
  readonly format: 'json' | 'cef';
  /** 0 to 23, as numbered by RFC 5424. */
  readonly facility: number;
  /** Host name of the sender. */
  readonly hostname: string;
  /** Maximum length of a message in bytes without framing; at least 2,048. */
  readonly maxBytes: number;
}

/** informational, warning, error */
const SEVERITY: Readonly<Record<string, number>> = { allowed: 6, denied: 4, failed: 3 };
/** The enterprise number that IANA reserves for examples in documentation: Claviger has none of its own. */
const ENTERPRISE = 32_473;
const BOM = '\ufeff';

/**
 * Formats one event as a message of RFC 5424 without framing, of at most `maxBytes`. For a longer event,
 * texts and lists are shortened to one common length, so that the result is still valid JSON or CEF; the text
 * and an element `cut@32473` report the full length.
 */
export function syslogMessage(event: SiemEvent, style: SyslogStyle): Buffer {
  const whole = messageOf(event, style);
  if (whole.length <= style.maxBytes) return whole;
  const text = Buffer.from(textOf(event, style));
  const cut: Cut = { bytes: text.length, sha256: createHash('sha256').update(text).digest('hex') };
  let longest = messageOf(shortened(event, 0), style, cut);
  let fits = 0;
  let tooLong = style.maxBytes;
  while (tooLong - fits > 1) {
    const limit = Math.floor((fits + tooLong) / 2);
    const message = messageOf(shortened(event, limit), style, cut);
    if (message.length > style.maxBytes) tooLong = limit;
    else [fits, longest] = [limit, message];
  }
  return longest;
}

/** Frames a message with octet counting (RFC 6587), so that no content of the message can end its frame. */
export function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

function messageOf(event: SiemEvent, style: SyslogStyle, cut?: Cut): Buffer {
  const mark = cut && `[cut@${ENTERPRISE} bytes="${cut.bytes}" sha256="${cut.sha256}"]`;
  return Buffer.from(`${headOf(event, style)}${mark ?? ''} ${BOM}${textOf(event, style, cut)}`);
}

function textOf(event: SiemEvent, { format }: SyslogStyle, cut?: Cut): string {
  return format === 'cef' ? cefEvent(event, cut) : jsonEvent(event, cut);
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
