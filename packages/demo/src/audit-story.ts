import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CliProblem } from '@claviger/api-client/cli-problem';
import { pollUntil } from '@claviger/api-client/poll';
import * as audit from '@claviger/contracts/audit/v1/audit';
import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { exportLines, type SignedReceipt } from '@claviger/merkle';
import { readHeads, readPublicKeys } from '@claviger/verify/audit-files';
import { verdictLines } from '@claviger/verify/audit-verify';
import { type Evidence, verifyAuditFile } from '@claviger/verify/verify-audit-file';
import { check, DemoFailure, type Narrator } from './narrator.ts';
import type { Person } from './person.ts';

const service = audit.AuditService;

/** Exports the log, verifies it offline, and shows that tampering is detected. */
export async function auditStory(
  narrator: Narrator,
  carol: Person,
  receipts: readonly workflow.Receipt[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'claviger-demo-audit-'));
  try {
    for (const receipt of receipts) await untilSealed(carol, receipt);
    const evidence = await collect(narrator, carol, folder, receipts);
    const file = join(folder, 'audit.jsonl');
    narrator.does(carol.name, 'claviger audit export --format jsonl --out audit.jsonl');
    await pipeline(
      carol.api.stream('/api/v1/audit/events/export?format=jsonl'),
      createWriteStream(file, { mode: 0o600 }),
    );

    narrator.does(
      carol.name,
      'claviger audit verify audit.jsonl --head head.json --keys keys.json --receipt receipt-1 …',
    );
    const verdict = await verifyAuditFile(file, evidence);
    for (const line of verdictLines('audit.jsonl', verdict)) narrator.note(line);
    check(
      narrator,
      'the log is whole, in order, unaltered, and holds every receipt: proven without the server',
      verdict.ok,
    );
    check(
      narrator,
      'it continues the tree head that was kept before',
      verdict.knownHeadsMatched === evidence.heads.length,
    );

    await mustBeFound(
      narrator,
      file,
      join(folder, 'altered.jsonl'),
      evidence,
      'one word altered in one event',
      alter,
    );
    await mustBeFound(narrator, file, join(folder, 'removed.jsonl'), evidence, 'one event removed', remove);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits until a signed tree head covers the event of a receipt. */
async function untilSealed({ api }: Person, { eventId }: workflow.Receipt): Promise<void> {
  const sealed = await pollUntil(
    () =>
      api.call(service.getInclusionProof, { eventId }).then(
        () => true,
        (error: unknown) => {
          // The event has not arrived yet, or is not sequenced yet.
          if (error instanceof CliProblem && (error.status === 404 || error.status === 409)) return false;
          throw error;
        },
      ),
    (done) => done,
    { timeoutMs: 120_000, everyMs: 1_000 },
  );
  if (!sealed) throw new DemoFailure(`event ${eventId} is not under a tree head after 120 s`);
}

/** Saves head and keys to files, as an auditor does, and reads them from there. */
async function collect(
  narrator: Narrator,
  { name, api }: Person,
  folder: string,
  receipts: readonly workflow.Receipt[],
): Promise<Evidence> {
  const headFile = join(folder, 'head.json');
  const keyFile = join(folder, 'keys.json');
  narrator.does(name, 'claviger audit head --save head.json');
  await writeFile(headFile, JSON.stringify((await api.call(service.getTreeHead, {})).treeHead), {
    mode: 0o600,
  });
  narrator.does(name, 'claviger audit keys --save keys.json');
  await writeFile(keyFile, JSON.stringify(await api.call(service.listKeys, {})), { mode: 0o600 });
  return {
    heads: await readHeads(headFile),
    keys: await readPublicKeys(keyFile),
    receipts: receipts.map((receipt, index) => ({
      name: `receipt-${index + 1}`,
      receipt: receipt as SignedReceipt,
    })),
  };
}

async function mustBeFound(
  narrator: Narrator,
  file: string,
  copy: string,
  evidence: Evidence,
  what: string,
  tamper: (line: string, number: number) => string | undefined,
): Promise<void> {
  let touched = 0;
  async function* tampered(): AsyncGenerator<string> {
    let number = 0;
    for await (const line of exportLines(createReadStream(file))) {
      number += 1;
      const changed = touched === 0 ? tamper(line, number) : line;
      if (changed !== line) touched += 1;
      if (changed !== undefined) yield `${changed}\n`;
    }
  }
  await pipeline(Readable.from(tampered()), createWriteStream(copy, { mode: 0o600 }));
  if (touched !== 1) throw new DemoFailure(`${what}: the export contains nothing to tamper with`);
  const verdict = await verifyAuditFile(copy, evidence);
  const [first] = verdict.problems;
  const where = first === undefined ? '' : ` (line ${first.line}: ${first.problem})`;
  check(narrator, `${what} in a copy: found${where}`, !verdict.ok);
}

/** Forges an event: the credential was never delivered. */
function alter(line: string): string {
  return line.includes('vault.credentials.delivered') ? line.replace('allowed', 'refused') : line;
}

function remove(line: string): string | undefined {
  return line.includes('vault.credentials.delivered') ? undefined : line;
}
