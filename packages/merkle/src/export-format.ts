import type { KeyObject } from 'node:crypto';
import {
  type FieldCheck,
  firstBadField,
  isHashHex,
  isText,
  isTimestamp,
  isTreeSize,
} from './signed-fields.ts';
import { parseSignedTreeHead, type SignedTreeHead } from './tree-head.ts';

export const EXPORT_FORMAT = 'claviger-audit-export/v1';

/** First line. `publicKeys` are SPKI PEM; a verifier trusts them only if told to. */
export type ExportHeader = {
  readonly type: 'header';
  readonly format: typeof EXPORT_FORMAT;
  readonly tenantId: string;
  readonly exportedAt?: string;
  readonly treeHead: SignedTreeHead;
  readonly publicKeys: readonly string[];
};
/**
 * One line per leaf. `canonical` is the exact text that was hashed. The parser accepts null, so that
 * verification can name an event whose text was removed; an export never writes null.
 */
export type ExportEvent = {
  readonly type: 'event';
  readonly seq: number;
  readonly leafHash: string;
  readonly canonical: string | null;
};
/** Last line. */
export type ExportTrailer = { readonly type: 'trailer'; readonly count: number };

/** The header line, without its line feed. `publicKeys` must contain the key that signed the head. */
export function exportHeaderLine(header: {
  treeHead: SignedTreeHead;
  publicKeys: readonly KeyObject[];
  exportedAt?: string;
}): string {
  return headerText({
    type: 'header',
    format: EXPORT_FORMAT,
    tenantId: header.treeHead.tenantId,
    ...(header.exportedAt === undefined ? {} : { exportedAt: header.exportedAt }),
    treeHead: header.treeHead,
    publicKeys: header.publicKeys.map((key) => key.export({ type: 'spki', format: 'pem' }).toString()),
  });
}

/**
 * An event line, without its line feed. `leafHash` is the *stored* hash, not computed from the stored text:
 * only then can verification name the event whose text was altered.
 */
export function exportEventLine(event: { seq: number; leafHash: Uint8Array; canonical: string }): string {
  return eventText({
    type: 'event',
    seq: event.seq,
    leafHash: Buffer.from(event.leafHash).toString('hex'),
    canonical: event.canonical,
  });
}

/** The trailer line, without its line feed. */
export function exportTrailerLine(count: number): string {
  return trailerText({ type: 'trailer', count });
}

const HEADER_FIELDS: Record<Exclude<keyof ExportHeader, 'exportedAt'>, FieldCheck> = {
  type: (value) => value === 'header',
  format: (value) => value === EXPORT_FORMAT,
  tenantId: isText,
  treeHead: (value) => parseSignedTreeHead(value) !== undefined,
  publicKeys: (value) => Array.isArray(value) && value.every((key) => typeof key === 'string'),
};
const DATED_HEADER_FIELDS = { ...HEADER_FIELDS, exportedAt: isTimestamp };
const EVENT_FIELDS: Record<keyof ExportEvent, FieldCheck> = {
  type: (value) => value === 'event',
  seq: isTreeSize,
  leafHash: isHashHex,
  canonical: (value) => value === null || (typeof value === 'string' && value.isWellFormed()),
};
const TRAILER_FIELDS: Record<keyof ExportTrailer, FieldCheck> = {
  type: (value) => value === 'trailer',
  count: isTreeSize,
};

export type ExportLine = {
  /** Set if all fields are present and well formed, and there are no others. */
  readonly content?: ExportHeader | ExportEvent | ExportTrailer;
  readonly problem?: string;
};

/**
 * Parses a line. It must be byte for byte what an export would write: with duplicate names or unknown fields
 * two parsers could see two different events behind one hash.
 */
export function parseExportLine(line: string): ExportLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { problem: 'is not JSON' };
  }
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  if (type === 'event') return accept(value as ExportEvent, EVENT_FIELDS, eventText, line);
  if (type === 'trailer') return accept(value as ExportTrailer, TRAILER_FIELDS, trailerText, line);
  if (type === 'header') {
    const fields = Object.hasOwn(value as object, 'exportedAt') ? DATED_HEADER_FIELDS : HEADER_FIELDS;
    return accept(value as ExportHeader, fields, headerText, line);
  }
  return { problem: 'is neither header, event nor trailer' };
}

function accept<T extends ExportHeader | ExportEvent | ExportTrailer>(
  content: T,
  fields: Readonly<Record<string, FieldCheck>>,
  write: (content: T) => string,
  line: string,
): ExportLine {
  const bad = firstBadField(content, fields);
  if (bad !== undefined) return { problem: `has a missing, malformed or unknown field: ${bad}` };
  return write(content) === line
    ? { content }
    : { content, problem: 'is not in the exact form that an export writes' };
}

function headerText({ type, format, tenantId, exportedAt, treeHead, publicKeys }: ExportHeader): string {
  const head = parseSignedTreeHead(treeHead);
  return lineText({ type, format, tenantId, exportedAt, treeHead: head, publicKeys });
}

function eventText({ type, seq, leafHash, canonical }: ExportEvent): string {
  return lineText({ type, seq, leafHash, canonical });
}

function trailerText({ type, count }: ExportTrailer): string {
  return lineText({ type, count });
}

/** JSON on one line for every parser: some treat U+2028 and U+2029 as line ends. */
function lineText(value: object): string {
  return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
