import {
  type ExportVerdict,
  type SignedReceipt,
  type SignedTreeHead,
  verifyExport,
  verifyReceipt,
} from '@claviger/merkle';
import type { AuditKeys } from './audit-files.ts';
import { exportedLines, type FileChange } from './exported-lines.ts';

export interface ReceiptVerdict {
  readonly name: string;
  readonly ok: boolean;
  readonly seq: number | null;
  readonly problem: string | null;
}

export interface AuditVerdict extends ExportVerdict {
  readonly receipts: readonly ReceiptVerdict[];
  /** Changes of editors or transfers, which were undone before the verification. */
  readonly fileChanges: readonly FileChange[];
}

/** What the file is compared with. Without `keys`, the keys in the file are used, and the result says so. */
export interface Evidence {
  readonly heads: readonly SignedTreeHead[];
  readonly keys: AuditKeys | undefined;
  readonly receipts: readonly { readonly name: string; readonly receipt: SignedReceipt }[];
}

/**
 * Verifies an exported log and its receipts offline. Throws only if the file cannot be read or is not an
 * export.
 */
export async function verifyAuditFile(file: string, evidence: Evidence): Promise<AuditVerdict> {
  const { heads, keys, receipts } = evidence;
  const wanted = new Map<string, FoundEvent | undefined>(
    receipts.map(({ receipt }) => [receipt.leafHash, undefined]),
  );
  const changes = new Set<FileChange>();
  const lines = watched(exportedLines(file, changes), wanted);
  const verdict = await verifyExport(lines, {
    knownHeads: heads,
    ...(keys === undefined ? { trustOnFirstUse: true } : { trustedKeys: keys.treeHead }),
  });
  const checked = receipts.map(({ name, receipt }) => {
    const found = wanted.get(receipt.leafHash);
    const problem = receiptProblem(receipt, found, verdict, keys);
    return { name, ok: problem === null, seq: found?.seq ?? null, problem };
  });
  const ok = verdict.ok && checked.every((receipt) => receipt.ok);
  return { ...verdict, ok, receipts: checked, fileChanges: [...changes] };
}

interface FoundEvent {
  readonly seq: number;
  readonly canonical: string | null;
}

/** Passes the lines on, and records the events of the receipts. */
async function* watched(
  lines: AsyncIterable<string>,
  wanted: Map<string, FoundEvent | undefined>,
): AsyncGenerator<string> {
  for await (const line of lines) {
    yield line;
    if (wanted.size === 0) continue;
    const hash = /"leafHash":"([0-9a-f]{64})"/.exec(line)?.[1];
    if (hash === undefined || !wanted.has(hash) || wanted.get(hash) !== undefined) continue;
    // The verifier reports malformed lines.
    const event = parse(line);
    if (event?.type === 'event')
      wanted.set(hash, { seq: Number(event.seq), canonical: event.canonical ?? null });
  }
}

function parse(line: string): { type?: string; seq?: number; canonical?: string | null } | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function receiptProblem(
  receipt: SignedReceipt,
  found: FoundEvent | undefined,
  verdict: ExportVerdict,
  keys: AuditKeys | undefined,
): string | null {
  if (keys === undefined) return 'its signature cannot be checked without --keys';
  if (!verifyReceipt(receipt, keys.receipt)) return 'it is not signed by a trusted key';
  if (receipt.tenantId !== verdict.tenantId) return 'it belongs to another tenant';
  if (found === undefined)
    return 'its event is not in this export: if the export is older than the receipt, export again; else an event is missing from the log';
  if (found.canonical === null) return null;
  const { id, action } = (parse(found.canonical) ?? {}) as { id?: string; action?: string };
  return id === receipt.eventId && action === receipt.action
    ? null
    : `the event at seq ${found.seq} is another one`;
}
