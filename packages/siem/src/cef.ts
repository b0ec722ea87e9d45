import { isIP } from 'node:net';
import { printable, printableJson } from './printable.ts';
import type { Cut } from './shortened.ts';
import type { SiemEvent } from './siem-event.ts';

/** Severity from 0 to 10. */
const SEVERITY: Readonly<Record<string, number>> = { allowed: 3, denied: 6, failed: 7 };

/**
 * Formats an event in ArcSight's Common Event Format, version 0, as one line. Omits empty values. A shortened
 * event has the full length in `cn2`, labelled `cutFromBytes`.
 */
export function cefEvent(event: SiemEvent, cut?: Cut): string {
  const { sourceAddress } = event;
  const header = ['CEF:0', 'Claviger', 'Claviger', '1', event.action, event.action].map(headerText);
  const address = isIP(sourceAddress) === 4 ? 'src' : isIP(sourceAddress) === 6 ? 'c6a2' : undefined;
  const extension: [key: string, value: string][] = [
    ['rt', String(Date.parse(event.occurredAt))],
    ['externalId', event.id],
    ['outcome', event.outcome],
    ['suid', event.actorId],
    ['suser', event.actorName],
    ...(address === undefined ? [] : [[address, sourceAddress] as [string, string]]),
    ['sproc', event.service],
    ['reason', event.reason],
    ...labelled('cs1', 'tenant', event.tenantId),
    ...labelled('cs2', 'subject', [event.subjectType, event.subjectId].filter(Boolean).join(':')),
    ...labelled('cs3', 'resource', event.resourceId),
    ...labelled('cs4', 'request', event.requestId),
    ...labelled('cs5', 'leafHash', event.leafHash),
    ...labelled('cs6', 'details', printableJson(event.details)),
    ...labelled('cn1', 'sequence', event.sequence === undefined ? '' : String(event.sequence)),
    ...labelled('cn2', 'cutFromBytes', cut === undefined ? '' : String(cut.bytes)),
  ];
  const fields = extension
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${extensionText(value)}`);
  return `${[...header, String(SEVERITY[event.outcome] ?? 5)].join('|')}|${fields.join(' ')}`;
}

function labelled(key: string, label: string, value: string): [string, string][] {
  return value === ''
    ? []
    : [
        [`${key}Label`, label],
        [key, value],
      ];
}

function headerText(text: string): string {
  return printable(text).replace(/[\\|]/g, '\\$&');
}

function extensionText(text: string): string {
  return printable(text).replace(/[\\=]/g, '\\$&');
}
