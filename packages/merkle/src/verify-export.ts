import { createPublicKey, type KeyObject } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import { type ExportEvent, type ExportHeader, type ExportTrailer, parseExportLine } from './export-format.ts';
import { ExportLineError } from './export-lines.ts';
import { EMPTY_FRONTIER, rootOf, treeAccumulator } from './frontier.ts';
import { leafHash } from './hashes.ts';
import { findKey, keyIdOf, type PublicKeys } from './signing.ts';
import { parseSignedTreeHead, type SignedTreeHead, verifyTreeHead } from './tree-head.ts';

export type VerifyExportOptions = {
  /**
   * Heads that were kept outside the server. Without one, a log that was rewritten and signed again is not
   * detected.
   */
  readonly knownHeads?: readonly SignedTreeHead[];
  /** The trusted keys. Keys inside the file are never trusted because of that. */
  readonly trustedKeys?: PublicKeys;
  /** Trust the keys in the file if no trusted key is given. The result reports this. */
  readonly trustOnFirstUse?: boolean;
};

/** `line` counts from 1; `seq` is the event's number if one event has the problem. */
export type ExportProblem = { readonly line: number; readonly seq: number | null; readonly problem: string };

/** A known head that cannot be compared with the file. It proves nothing about the file. */
export type UnfitHead = { readonly size: number; readonly timestamp: string; readonly problem: string };

export type ExportVerdict = {
  /** True only if there is no problem and every known head was compared. */
  readonly ok: boolean;
  readonly tenantId: string | null;
  /** Event lines read. */
  readonly events: number;
  /** Size in the file's tree head; null without a readable header. */
  readonly treeSize: number | null;
  readonly treeHead: SignedTreeHead | null;
  /** Whose key verified the signature: a trusted key, one from the file, or none. */
  readonly trust: 'trusted-key' | 'first-use' | 'none';
  /** Number of known heads whose root was found in this file. */
  readonly knownHeadsMatched: number;
  /** Of another tenant, signed by another key, or saved after the export. */
  readonly unfitHeads: readonly UnfitHead[];
  /** The first 1000 problems, in the order of the file. */
  readonly problems: readonly ExportProblem[];
  readonly problemsOmitted: number;
};

const MAX_PROBLEMS = 1000;
/** Maximum difference between the clocks of two replicas. */
const CLOCK_DIFFERENCE_MS = 60_000;

type Verification = {
  readonly options: VerifyExportOptions;
  readonly tree: ReturnType<typeof treeAccumulator>;
  readonly problems: ExportProblem[];
  /** Heads still to be compared, the smallest tree last. */
  readonly pendingHeads: { head: SignedTreeHead; known: boolean }[];
  readonly unfitHeads: UnfitHead[];
  problemsOmitted: number;
  line: number;
  nextSeq: number;
  header: ExportHeader | null;
  trailer: ExportTrailer | null;
  trust: ExportVerdict['trust'];
  knownHeadsMatched: number;
  /** The largest tree with a verified root: an altered event comes after it. */
  provenSize: number;
};

/**
 * Verifies an exported audit log without trusting its producer: every text against its leaf hash, the order
 * of the leaves, the root against a head signed by a trusted key, and every known head against the same
 * leaves. Uses constant memory.
 *
 * @param lines the file's lines without line feeds; see `exportLines`.
 * @throws errors from the source of the lines, except `ExportLineError`, which is reported as a problem of
 * the file.
 */
export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  options: VerifyExportOptions,
): Promise<ExportVerdict> {
  const run: Verification = {
    options,
    tree: treeAccumulator(EMPTY_FRONTIER),
    problems: [],
    pendingHeads: [],
    unfitHeads: [],
    problemsOmitted: 0,
    line: 0,
    nextSeq: 0,
    header: null,
    trailer: null,
    trust: 'none',
    knownHeadsMatched: 0,
    provenSize: 0,
  };
  try {
    for await (const line of lines) {
      run.line += 1;
      verifyLine(run, line);
    }
  } catch (error) {
    if (!(error instanceof ExportLineError)) throw error;
    run.line = error.line;
    report(run, `the line is ${error.message}`);
  }
  verifyEnd(run);
  return verdict(run);
}

function verifyLine(run: Verification, line: string): void {
  if (run.trailer !== null) {
    report(run, 'stands after the trailer');
    return;
  }
  const { content, problem } = parseExportLine(line);
  if (run.line === 1 && content?.type !== 'header') report(run, 'is not a header, which must come first');
  if (problem !== undefined) report(run, problem, content?.type === 'event' ? content.seq : null);
  if (content?.type === 'header') verifyHeader(run, content);
  else if (content?.type === 'event') verifyEvent(run, content);
  else if (content?.type === 'trailer') verifyTrailer(run, content);
}

function verifyTrailer(run: Verification, trailer: ExportTrailer): void {
  run.trailer = trailer;
  if (trailer.count !== run.tree.size)
    report(run, `counts ${trailer.count} events, but ${run.tree.size} were read`);
}

function verifyHeader(run: Verification, header: ExportHeader): void {
  if (run.line !== 1) {
    report(run, 'is a header, which must come first and once');
    return;
  }
  run.header = header;
  if (header.treeHead.tenantId !== header.tenantId) report(run, 'has the tree head of another tenant');
  const keys = keysToTrust(run, header);
  if (verifyTreeHead(header.treeHead, keys)) {
    run.trust = run.options.trustOnFirstUse && !givesKeys(run.options) ? 'first-use' : 'trusted-key';
  } else {
    const known = findKey(keys, header.treeHead.keyId) !== undefined;
    report(
      run,
      known
        ? 'has a tree head with a wrong signature'
        : 'has a tree head signed by a key that is not trusted',
    );
  }
  run.pendingHeads.push({ head: header.treeHead, known: false });
  for (const head of run.options.knownHeads ?? []) {
    if (parseSignedTreeHead(head) === undefined) report(run, 'a known head is malformed');
    else {
      const problem = whyUnfit(head, header, keys);
      if (problem === undefined) run.pendingHeads.push({ head, known: true });
      else run.unfitHeads.push({ size: head.size, timestamp: head.timestamp, problem });
    }
  }
  run.pendingHeads.sort((a, b) => b.head.size - a.head.size);
  compareHeads(run);
}

/** Returns why a known head cannot be compared with a file that is consistent with its own head. */
function whyUnfit(head: SignedTreeHead, header: ExportHeader, keys: PublicKeys): string | undefined {
  if (head.tenantId !== header.tenantId)
    return `it is of the tenant ${head.tenantId}, and the file of the tenant ${header.tenantId}: give a head of that tenant`;
  if (!verifyTreeHead(head, keys))
    return 'it is not signed by a trusted key: give the public keys that were saved with it';
  const { size, timestamp } = header.treeHead;
  // A log never shrinks: a smaller log at a later time has lost events.
  const made = Math.max(Date.parse(timestamp), Date.parse(header.exportedAt ?? timestamp));
  if (head.size <= size || Date.parse(head.timestamp) < made - CLOCK_DIFFERENCE_MS) return undefined;
  return (
    `it was saved after the export, which covers ${size} events up to ${timestamp}: export again, or give a head ` +
    `that was saved before. If a new export has fewer than ${head.size} events, events are missing from the log`
  );
}

function givesKeys({ trustedKeys }: VerifyExportOptions): boolean {
  return trustedKeys !== undefined && [...trustedKeys].length > 0;
}

/** Returns the keys to check signatures with. A file that lacks the key of its signer was altered. */
function keysToTrust(run: Verification, header: ExportHeader): PublicKeys {
  const own: KeyObject[] = [];
  for (const pem of header.publicKeys) {
    const key = parsePublicKey(pem);
    if (key === undefined) report(run, 'has a public key that is not an Ed25519 key in PEM');
    else own.push(key);
  }
  if (!own.some((key) => keyIdOf(key) === header.treeHead.keyId))
    report(run, 'does not bring the public key that signed its tree head');
  if (givesKeys(run.options)) return run.options.trustedKeys!;
  return run.options.trustOnFirstUse ? own : [];
}

function parsePublicKey(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey(pem);
    // One encoding per key; createPublicKey would also accept a private key or a certificate.
    const canonical = key.export({ type: 'spki', format: 'pem' }).toString();
    return key.asymmetricKeyType === 'ed25519' && canonical === pem ? key : undefined;
  } catch {
    return undefined;
  }
}

function verifyEvent(run: Verification, event: ExportEvent): void {
  if (event.seq !== run.nextSeq)
    report(run, `has seq ${event.seq} where ${run.nextSeq} must stand`, event.seq);
  run.nextSeq = event.seq + 1;
  if (event.canonical === null)
    // The hash alone keeps the tree valid, so anyone with an export could remove a text.
    report(
      run,
      'has no text, and no signed retention record says that it was removed: it was taken out',
      event.seq,
    );
  else if (leafHash(event.canonical).toString('hex') !== event.leafHash)
    report(run, 'has a text that does not belong to its leaf hash', event.seq);
  else if (!isCanonical(event.canonical)) report(run, 'has a text that is not canonical JSON', event.seq);
  run.tree.add(Buffer.from(event.leafHash, 'hex'));
  compareHeads(run);
}

function isCanonical(text: string): boolean {
  try {
    return canonicalJson(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}

/** Compares the root so far with every head of this size. */
function compareHeads(run: Verification): void {
  const { pendingHeads, tree } = run;
  if (pendingHeads.at(-1)?.head.size !== tree.size) return;
  const root = rootOf(tree.frontier()).toString('hex');
  while (pendingHeads.at(-1)?.head.size === tree.size) {
    const { head, known } = pendingHeads.pop()!;
    if (head.rootHash === root) {
      run.provenSize = tree.size;
      if (known) run.knownHeadsMatched += 1;
    } else {
      const which = known ? 'the known head' : "the file's tree head";
      const where = `an event from seq ${run.provenSize} to ${tree.size - 1} was altered, or the head is of another log`;
      report(run, `the first ${tree.size} events do not have the root of ${which}: ${where}`);
    }
  }
}

function verifyEnd(run: Verification): void {
  const { size } = run.tree;
  if (run.line === 0) report(run, 'the file is empty');
  for (const { head, known } of run.pendingHeads.toReversed()) {
    const which = known ? `a known head of ${head.timestamp}` : "the file's tree head";
    report(
      run,
      `${which} has ${head.size} events, but only ${size} could be read: events are missing, or the tail was cut`,
    );
  }
  if (run.header !== null && size > run.header.treeHead.size)
    report(run, `${size - run.header.treeHead.size} events stand after those that the tree head covers`);
  if (run.trailer === null && run.line > 0) report(run, 'the trailer is missing: the file was cut');
}

function report(run: Verification, problem: string, seq: number | null = null): void {
  if (run.problems.length < MAX_PROBLEMS) run.problems.push({ line: run.line, seq, problem });
  else run.problemsOmitted += 1;
}

function verdict(run: Verification): ExportVerdict {
  return {
    ok: run.problems.length === 0 && run.unfitHeads.length === 0,
    tenantId: run.header?.tenantId ?? null,
    events: run.tree.size,
    treeSize: run.header?.treeHead.size ?? null,
    treeHead: run.header?.treeHead ?? null,
    trust: run.trust,
    knownHeadsMatched: run.knownHeadsMatched,
    unfitHeads: run.unfitHeads,
    problems: run.problems,
    problemsOmitted: run.problemsOmitted,
  };
}
